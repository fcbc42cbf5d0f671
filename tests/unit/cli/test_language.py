"""Commands speak LK_LOCALE, also where click speaks and where another setting is wrong."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lk_portal import i18n
from lk_portal.cli import run
from lk_portal.commands.click_words import MODULES, WORDS


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The language has not been asked for yet."""
    monkeypatch.setattr(i18n._Active, "locale", None)
    monkeypatch.setenv("LK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LK_LOCALE", "ru")
    yield
    i18n._Active.locale = None


def test_click_s_words_are_those_of_its_source() -> None:
    """A newer click may say them otherwise; then the catalogue must follow."""
    said = {
        text.value
        for module in MODULES
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("_", "ngettext")
        for text in call.args
        if isinstance(text, ast.Constant)
    }
    computed = {"required"}  # the word stands in a variable there

    assert set(WORDS) - said == computed


def test_the_help_is_russian_throughout() -> None:
    """In a process of its own: what is translated once stays so, and other tests read the English help."""
    told = subprocess.run(
        [sys.executable, "-m", "lk_portal", "user", "create", "--help"], check=True, capture_output=True
    )

    said = told.stdout.decode()
    for words in ("Использование: lk user create", "Параметры:", "[обязательно]", "Показать эту справку."):
        assert words in said
    assert "[по умолчанию: operator]" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["user", "create"], "Не указан параметр '--email'."),
        (["user", "reset"], "Не указан аргумент 'LOGIN'."),
        (["nonsense"], "Команды 'nonsense' нет."),
        (["user", "reset", "a", "b"], "Лишний аргумент: b"),
        (["user", "reset", "a", "b", "c"], "Лишние аргументы: b c"),
        (["demo", "--nonsense"], "Параметра '--nonsense' нет."),
        (
            ["simulate", "--meters", "0", "--port", "1"],
            "Неверное значение '--meters': 0 вне",
        ),
        (["user", "create", "--email", "a@b.example", "--role", "boss"], "'boss' — не одно из: 'subscriber'"),
        (["user", "create", "--email", "a@b.example", "--role", "subscriber"], "--account нужен абоненту"),
    ],
    ids=" ".join,
)
def test_what_was_typed_wrong_is_said_in_russian(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2

    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LK_PORT", "70000", "LK_PORT: должно быть не больше 65535"),
        ("LK_PORT", "x", "LK_PORT: должно быть целое число"),
        ("LK_POLL_TIMEOUT_S", "0", "LK_POLL_TIMEOUT_S: должно быть больше 0"),
        ("LK_UTILITY_NAME", "", "LK_UTILITY_NAME: наименьшая длина (знаков): 1"),
        ("LK_TIMEZONE", "Omsk", "LK_TIMEZONE: такого часового пояса"),
        ("LK_SECRET_KEY", "short", "в LK_SECRET_KEY должно быть не меньше 32 знаков"),
        ("LK_LOCALE", "de", "A setting is wrong: LK_LOCALE: must be one of ru, en"),
    ],
)
def test_a_wrong_setting_is_said_in_the_language_that_is_known(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)

    assert run(["migrate"]) == 2

    assert said in capsys.readouterr().err


def test_all_wrong_settings_are_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LK_PORT", "LK_READING_DAY", "LK_BCRYPT_ROUNDS"):
        monkeypatch.setenv(name, "0")

    assert run(["migrate"]) == 2

    said = capsys.readouterr().err
    assert said.count("должно быть не меньше") == 3
    assert "; LK_READING_DAY: " in said


def test_an_unreachable_database_is_a_failed_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LK_DATABASE_URL", "postgresql://lk@127.0.0.1:1/lk")

    assert run(["migrate"]) == 1

    assert "LK_DATABASE_URL" in capsys.readouterr().err


def test_a_person_and_a_directory_that_are_not_there_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["migrate"]) == 0
    capsys.readouterr()

    assert run(["user", "disable", "unknown@b.example"]) == 1
    assert "Пользователя с логином unknown@b.example нет." in capsys.readouterr().err
    assert run(["backup", str(tmp_path / "no" / "x")]) == 1
    assert f"Папки {tmp_path / 'no'} нет" in capsys.readouterr().err


def test_a_file_that_cannot_be_used_is_named_without_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_text("no directory", encoding="ascii")

    assert run(["migrate"]) == 1

    told = capsys.readouterr().err
    assert str(tmp_path / "data") in told
    assert "Errno" not in told
