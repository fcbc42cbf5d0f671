"""The Russian catalogue is complete, and numbers look as people write them."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from lk_portal import i18n
from lk_portal.errors import InputError, PortalError, ThrottledError
from lk_portal.i18n import (
    LANGUAGES,
    active_locale,
    chart_separators,
    choose_locale,
    extract,
    kwh,
    ngettext,
    say,
    using_locale,
)
from lk_portal.settings import KNOWN_LOCALES

PLACEHOLDER = re.compile(r"\{\w+\}")
WORDS = {
    "Sign in to your cabinet": "Вход в личный кабинет",
    "Login": "Логин",
    "Password": "Пароль",
    "Sign in": "Войти",
    "Wrong login or password": "Неверный логин или пароль",
    "Home": "Главная",
    "Readings": "Показания",
    "Consumption chart": "График потребления",
    "Day": "День",
    "Month": "Месяц",
    "Year": "Год",
    "Show": "Показать",
    "Back": "Назад",
    "Not found": "Не найдено",
    "Sign out": "Выйти",
    "Active import": "Активная прямая",
    "Active export": "Активная обратная",
    "Reactive import": "Реактивная прямая",
    "Reactive export": "Реактивная обратная",
    "Cannot sign in?": "Не удается войти?",
    "Meter": "Прибор учета",
    "Interval": "Интервал",
    "kWh": "кВт·ч",
    "kvarh": "квар·ч",
    "data for {covered} of {expected} hours": "данные за {covered} из {expected} часов",
}


@pytest.fixture(autouse=True)
def russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n._Active, "locale", "ru")


def test_every_text_of_the_code_has_a_russian_one() -> None:
    assert len(extract.collect()) > 80
    assert extract.missing("ru") == []


def test_a_text_without_one_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text('title = _("Nobody has translated this")\n', encoding="utf-8")

    assert "Nobody has translated this" in {str(entry.id) for entry in extract.collect(tmp_path)}


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of catalogues of this test's own, in force; it begins with the real Russian one."""
    source = extract.catalog_path("ru").read_text(encoding="utf-8")
    (tmp_path / "ru").mkdir()
    (tmp_path / "ru" / "messages.po").write_text(source, encoding="utf-8")
    monkeypatch.setattr(i18n, "FOLDER", tmp_path)
    monkeypatch.setattr(extract, "FOLDER", tmp_path)
    i18n.catalog.cache_clear()
    yield tmp_path
    i18n.catalog.cache_clear()


def test_no_text_hides_where_it_is_not_collected() -> None:
    """Before Python 3.12 an f-string is one word to whoever collects: the texts in it are never found."""
    known = {entry.id for entry in extract.collect()}
    hidden = [
        f"{path.name}: {call.args[0].value}"
        for path in extract.PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "N_")
        if call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value not in known
    ]
    assert hidden == []


@pytest.mark.parametrize("left", ['msgstr ""', 'msgstr "Показать"'])
def test_a_translation_that_is_gone_is_missed(catalogues: Path, left: str) -> None:
    path = catalogues / "ru" / "messages.po"
    whole = path.read_text(encoding="utf-8")
    assert 'msgid "Show"\nmsgstr "Показать"\n' in whole
    path.write_text(
        whole.replace('msgid "Show"\nmsgstr "Показать"', f'msgid "Show"\n{left}'), encoding="utf-8"
    )

    assert extract.missing("ru") == ([] if "Показать" in left else ["Show"])
    assert i18n._("Show") == ("Показать" if "Показать" in left else "Show")


def test_collecting_adds_what_is_new_and_removes_what_is_gone(catalogues: Path) -> None:
    path = catalogues / "ru" / "messages.po"
    whole = path.read_text(encoding="utf-8")
    renamed = whole.replace('msgid "Show"\n', 'msgid "Nobody says this any more"\n')
    path.write_text(renamed, encoding="utf-8")

    extract.update("ru")

    updated = path.read_text(encoding="utf-8")
    assert "Nobody says this any more" not in updated
    assert 'msgid "Show"\nmsgstr ""\n' in updated
    assert 'msgstr "Войти"' in updated


@pytest.mark.parametrize(
    ("count", "form"),
    [
        (1, "день"),
        (2, "дня"),
        (4, "дня"),
        (5, "дней"),
        (0, "дней"),
        (11, "дней"),
        (21, "день"),
        (112, "дней"),
    ],
)
def test_russian_has_three_plurals(catalogues: Path, count: int, form: str) -> None:
    path = catalogues / "ru" / "messages.po"
    forms = 'msgstr[0] "{count} день"\nmsgstr[1] "{count} дня"\nmsgstr[2] "{count} дней"\n'
    entry = '\nmsgid "{count} day"\nmsgid_plural "{count} days"\n' + forms
    path.write_text(path.read_text(encoding="utf-8") + entry, encoding="utf-8")

    assert ngettext("{count} day", "{count} days", count) == f"{count} {form}"


def test_english_is_its_own_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n._Active, "locale", "en")

    assert i18n._("Sign in") == "Sign in"
    assert say(ThrottledError(seconds=7)) == "Too many attempts. Try again in 7 s."
    assert kwh(1_234_567) == "1,234.57"
    assert i18n.month_names()[0] == "January"


def test_dates_are_written_as_russians_do() -> None:
    omsk, evening = ZoneInfo("Asia/Omsk"), datetime(2026, 11, 24, 18, 30, tzinfo=UTC)

    assert i18n.day_text(date(2026, 11, 24)).replace("\u202f", " ") == "24 ноября 2026 г."
    assert i18n.month_text(date(2026, 11, 1)) == "ноябрь 2026"
    assert i18n.moment_text(evening, omsk) == "25.11.2026, 00:30"
    assert i18n.clock_text(evening, omsk) == "00:30"
    assert i18n.month_names()[10] == "ноябрь"
    assert len(i18n.short_month_names("ru")) == 12


@pytest.mark.parametrize(
    ("energy_wh", "digits", "text"),
    [
        (5, 2, "0,00"),
        (15, 2, "0,02"),
        (25, 2, "0,02"),
        (-4, 2, "0,00"),
        (-15, 2, "-0,02"),
        (500, 0, "0"),
        (1500, 0, "2"),
    ],
)
def test_halves_go_to_even(energy_wh: int, digits: int, text: str) -> None:
    assert kwh(energy_wh, digits=digits) == text


def test_a_translation_has_the_placeholders_of_its_text() -> None:
    catalog = i18n.catalog("ru")
    wrong = [
        entry.id
        for entry in catalog
        if isinstance(entry.id, str)
        and entry.string
        and set(PLACEHOLDER.findall(entry.id)) != set(PLACEHOLDER.findall(str(entry.string)))
        and entry.id
    ]

    assert not wrong


@pytest.mark.parametrize(("english", "russian_text"), WORDS.items())
def test_the_words_on_the_screen_are_those_of_the_specification(english: str, russian_text: str) -> None:
    found = i18n.catalog("ru").get(english)

    assert found is not None
    assert found.string == russian_text


@given(st.integers(-(10**15), 10**15), st.integers(0, 3))
def test_energy_is_written_as_babel_would(energy_wh: int, digits: int) -> None:
    exact = (Decimal(energy_wh) / 1000).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    pattern = "#,##0." + "0" * digits if digits else "#,##0"
    expected = format_decimal(exact, format=pattern, locale="ru")

    assert kwh(energy_wh, digits=digits) == (expected.lstrip("-") if exact == 0 else expected)


def test_a_block_speaks_its_own_language() -> None:
    assert i18n._("Sign in") == "Войти"
    with using_locale("en"):
        assert (i18n._("Sign in"), kwh(1_234_567), chart_separators()) == ("Sign in", "1,234.57", ".,")
        with using_locale("ru"):
            assert (i18n._("Sign in"), chart_separators()) == ("Войти", ",\u00a0")
        assert say(ThrottledError(seconds=7)) == "Too many attempts. Try again in 7 s."
        with using_locale("xx"):
            assert active_locale() == "ru"
    assert i18n._("Sign in") == "Войти"


async def test_everybody_at_once_is_spoken_to_in_his_own_language() -> None:
    async def answer(locale: str) -> tuple[str, str]:
        choose_locale(locale)
        await asyncio.sleep(0)
        return i18n._("Sign in"), i18n.short_month_names(active_locale())[0]

    answers = await asyncio.gather(*(answer(locale) for locale in ("en", "ru", "", "en")))

    assert answers == [("Sign in", "Jan"), ("Войти", "янв."), ("Войти", "янв."), ("Sign in", "Jan")]
    assert active_locale() == "ru"


def test_an_english_moment_cannot_be_read_as_another_day() -> None:
    with using_locale("en"):
        text = i18n.moment_text(datetime(2026, 3, 4, 18, 30, tzinfo=UTC), ZoneInfo("Asia/Omsk"))

    assert text == "Mar 5, 2026, 00:30"


def test_every_language_has_its_own_name() -> None:
    assert tuple(LANGUAGES) == KNOWN_LOCALES
    assert all(name in Locale.parse(code).get_display_name(code).title() for code, name in LANGUAGES.items())


SPOKEN_AT_RUN_TIME = ("state", "services", "web", "jobs", "letters", "security")
"""Rooms whose texts are said to whoever asks. Pages and components are built, a language at a time."""


def said_at_import(source: str) -> list[int]:
    """Lines where a text is made while a module is loaded: in whatever language the process speaks then."""
    tree = ast.parse(source)
    later = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for part in (node.body if isinstance(node.body, list) else [node.body])
        for inner in ast.walk(part)
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node not in later)
    return [call.lineno for call in calls if getattr(call.func, "id", "") in ("_", "ngettext", "say")]


def test_what_is_said_at_run_time_is_not_said_at_import() -> None:
    modules = [path for room in SPOKEN_AT_RUN_TIME for path in (extract.PACKAGE / room).rglob("*.py")]
    found = {str(path): said_at_import(path.read_text(encoding="utf-8")) for path in modules}

    assert len(found) > 40
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('TEXT = _("Show")', [1]),
        ('class A:\n    text: str = _("Show")', [2]),
        ('def f(text=_("Show")): ...', [1]),
        ('@page(title=_("Show"))\ndef f(): ...', [1]),
        ('def f():\n    return _("Show")', []),
        ('F = lambda: _("Show")', []),
        ('TEXT = N_("Show")', []),
    ],
)
def test_a_text_said_at_import_is_found(source: str, lines: list[int]) -> None:
    assert said_at_import(source) == lines


def test_an_error_is_a_sentence_with_its_data() -> None:
    assert say(ThrottledError(seconds=7)) == "Слишком много попыток. Повторите через 7 с."
    assert say(PortalError("no such text {x}", x="{y}")) == "no such text {y}"
    assert say(InputError()) == "Проверьте введенные данные."


@pytest.mark.parametrize(("count", "form"), [(1, "one"), (2, "many")])
def test_a_plural_without_translation_follows_english(count: int, form: str) -> None:
    assert ngettext("{count} one", "{count} many", count) == f"{count} {form}"
