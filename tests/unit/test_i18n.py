"""The Russian catalogue is complete, and numbers look as people write them."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from lk_portal import i18n
from lk_portal.errors import InputError, PortalError, ThrottledError
from lk_portal.i18n import extract, kwh, ngettext, say

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


def test_an_error_is_a_sentence_with_its_data() -> None:
    assert say(ThrottledError(seconds=7)) == "Слишком много попыток. Повторите через 7 с."
    assert say(PortalError("no such text {x}", x="{y}")) == "no such text {y}"
    assert say(InputError()) == "Проверьте введенные данные."


@pytest.mark.parametrize(("count", "form"), [(1, "one"), (2, "many")])
def test_a_plural_without_translation_follows_english(count: int, form: str) -> None:
    assert ngettext("{count} one", "{count} many", count) == f"{count} {form}"
