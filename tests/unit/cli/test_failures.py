"""A job that cannot be done is one line on stderr and exit code 1, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from lk_portal import cli, i18n


@pytest.fixture(autouse=True)
def english_without_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    monkeypatch.setattr(i18n._Active, "locale", "en")
    monkeypatch.setenv("LK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LK_LOCALE", "en")
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.mark.parametrize(
    "words", [["poll"], ["worker"], ["serve"], ["user", "disable", "a@b.example"]], ids=" ".join
)
def test_a_job_without_a_database_exits_1_with_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 1

    assert "lk migrate" in _assert_one_line(capsys)


def test_an_unexpected_error_is_a_number_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("lk_portal.settings.load_settings", broken)

    assert cli.run(["migrate"]) == 1

    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("lk: Something went wrong (error ")
    assert "secret detail" not in last


def _assert_one_line(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    assert len(printed.err.strip().splitlines()) == 1, printed.err
    assert printed.err.startswith("lk: ")
    assert not printed.out
    return printed.err
