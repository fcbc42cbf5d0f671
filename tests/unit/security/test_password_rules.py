"""Which passwords are refused, with which sentence, and which must not be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lk_portal.security import password_rules as rules

KNOWN = ("ЭнергоМир", "ivanov.petr@example.com", "+79131234567", "Иванов Пётр Сергеевич", "550012345678")


@pytest.mark.parametrize(
    "password",
    [
        "Demo-2026-lk",
        "Second-2026-lk",
        "Operator-2026-lk",
        "Admin-2026-lk",
        "Correct-horse-2026",
        "Another-horse-2026",
        "correct horse battery",
        "another long password",
        "зелёный слон прыгает",
        "пароль с пробелом",
        "люблю чай утром",
        "kotik lubit rybu",
        "Yh7$kd02Lw!q",
        "съешьещёэтихбулок",
        "п" * 100,
        "😀🎈🚀🌍🍋🐟🎻🧊🪁🎯🧭🪵",
    ],
)
def test_what_people_may_use(password: str) -> None:
    assert rules.weakness(password, context=("demo@energomir.example", *KNOWN)) == ""


COMMON = ["password1234", "P@ssw0rd1234", "qwerty123456", "iloveyou1234", "1qaz2wsx3edc", "Qwerty-123456"]
UNDER_ANOTHER_LAYOUT = ["gfhjkm123456", "ghbdtn123456", "йцукен123456", "зфыыцщкв1234", "ktyjxrf12345"]
RUSSIAN = ["пароль123456", "Привет-2026", "солнышко2019", "любовь любовь", "parol1234567", "privet-2026"]
OWN = [
    "энергомир2026",
    "energomir2026!",
    "личный кабинет",
    "kbxysqrf,bytn",
    "электричество1",
    "'ktrnhbxtcndj",
    "+79131234567",
    "8913123456789131234567",
    "550012345678!",
    "ivanov.petr1",
    "ivanov.petr@example.com",
    "Иванов-1985",
    "bdfyjd-gtnh1",
    "ИвановПетр12",
]
REPEATED = ["п" * 12, "qwertyqwerty", "йцукенйцукен", "абвгабвгабвг", "zK9zK9zK9zK9"]
ROWS = ["abcdefghijklm", "абвгдежзийкл", "987654321098", "рпнгшщзфывап"]


@pytest.mark.parametrize("password", COMMON + UNDER_ANOTHER_LAYOUT + RUSSIAN + OWN + REPEATED + ROWS)
def test_what_is_guessed_first(password: str) -> None:
    assert rules.weakness(password, context=KNOWN)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("sunshine2026", rules.COMMON),
        ("gfhjkm123456", rules.COMMON),
        ("солнышко2019", rules.COMMON),
        ("энергомир2026", rules.OWN_DATA),
        ("ivanov.petr1", rules.OWN_DATA),
        ("+79131234567", rules.OWN_DATA),
        ("550012345678!", rules.OWN_DATA),
        ("qwertyqwerty", rules.REPEATS),
        ("йцукенйцукен", rules.REPEATS),
        ("abcdefghijklm", rules.IN_A_ROW),
        ("абвгдежзийкл", rules.IN_A_ROW),
    ],
)
def test_the_sentence_says_why(password: str, sentence: str) -> None:
    assert rules.weakness(password, context=KNOWN) == sentence


def test_what_is_one_persons_is_not_anothers() -> None:
    assert rules.weakness("Bogoroditskaya1", context=("Богородицкая",)) == rules.OWN_DATA
    assert rules.weakness("Bogoroditskaya1", context=()) == ""


def test_the_other_layout_goes_both_ways() -> None:
    assert "пароль" in rules.variants("gfhjkm")
    assert "password" in rules.variants("зфыыцщкв")
    assert rules.variants("12345") == ("12345",)


def test_a_phone_is_known_as_people_write_it() -> None:
    words = rules.context_words(["+7 (913) 123-45-67"])

    assert {"79131234567", "89131234567", "9131234567"} <= set(words)


@settings(max_examples=60)
@given(st.text(st.characters(), min_size=12, max_size=128), st.lists(st.text(st.characters()), max_size=3))
def test_no_password_breaks_the_rules(password: str, context: list[str]) -> None:
    assert isinstance(rules.weakness(password, context=context), str)
