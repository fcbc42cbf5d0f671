"""Every command explains itself, at once, and refuses what it does not understand in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lk_portal import i18n
from lk_portal.cli import COMMANDS, run

GROUPED = [["user", name] for name in ("create", "disable", "reset")]
GROUPED += [["import", name] for name in ("intervals", "readings", "events")] + [["export", "consumption"]]
ALL = [*([name] for name in COMMANDS), *GROUPED]
HEAVY = {"sqlalchemy", "reflex", "dbos", "pymodbus", "plotly"}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = i18n._Active.locale
    monkeypatch.setenv("LK_LOCALE", "en")
    i18n.use_locale("en")
    yield
    i18n._Active.locale = before


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_help_has_a_sentence_and_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0

    text = capsys.readouterr().out
    assert f"lk {' '.join(command)}" in text.split("Example:")[1]
    assert len(text.splitlines()) > 5


def test_the_list_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("group", [[], ["import"], ["export"], ["user"]], ids=" ".join)
def test_a_group_without_a_command_shows_its_help(
    group: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(group) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert f"Usage: {' '.join(['lk', *group])} [OPTIONS] COMMAND" in told.err.splitlines()[0]
    assert "Commands:" in told.err.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["demo", "--nonsense"],
        ["simulate"],
        ["simulate", "--meters", "0", "--port", "5020"],
        ["user", "create", "--email", "a@b.example", "--role", "subscriber"],
        ["user", "reset"],
        ["restore", "/nonexistent/file"],
        ["import", "nonsense"],
        ["import", "intervals"],
        ["import", "intervals", "/nonexistent/file"],
        ["export", "consumption", "--meter", "SN1", "--from", "2026-01-01"],
        ["export", "consumption", "--meter", "SN1", "--from", "yesterday", "--to", "2026-01-01"],
        ["export", "consumption", "--meter", "SN1", "--from", "2026-01-02", "--to", "2026-01-01"],
        ["export", "consumption", "--meter", "SN1", "--from", "1900-01-02", "--to", "2026-01-01"],
        ["export", "consumption", "--meter", "SN1", "--from", "2026-01-01", "--to", "9999-12-31"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_exit_2_with_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1


@pytest.mark.parametrize(
    "command", [["migrate"], ["poll"], ["worker"], ["serve"], ["doctor"], ["demo"]], ids=" ".join
)
def test_a_broken_setting_exits_2_and_is_named(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LK_POLL_INTERVAL_S", "1")

    assert run(command) == 2

    told = capsys.readouterr().err
    assert "LK_POLL_INTERVAL_S" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(("command", "is_heavy"), [("--help", False), ("doctor", True)])
def test_help_comes_at_once(tmp_path: Path, command: str, is_heavy: bool) -> None:
    """It loads nothing that takes long: not the database, not the framework of the pages."""
    program = f"import sys; from lk_portal.cli import run; run([{command!r}]); print(*sys.modules, sep='\\n')"
    environment = {**os.environ, "LK_LOCALE": "ru", "LK_DATA_DIR": str(tmp_path)}

    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=environment)

    loaded = set(told.stdout.decode().splitlines())
    assert "lk_portal.cli" in loaded
    assert bool(loaded & HEAVY) is is_heavy
