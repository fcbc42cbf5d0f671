"""The plain words for events: every code has some in both languages, short and in the same places."""

from __future__ import annotations

import re

import pytest

from lk_portal.errors import ConfigurationError
from lk_portal.metering.event_meanings import LANGUAGES, Meaning, meaning, meanings, read_meanings
from lk_portal.metering.events import EventGroup, Side, all_entries, lookup

LONGEST = 260
GENERAL = {3}
"""The journals most of whose codes have their group's general sentence."""
JARGON = re.compile(
    r"\b(ПУ|СПОДЭС|DLMS|COSEM|реле|relay|RS-485|HDLC|трансформатор\w*|transformer)\b", re.IGNORECASE
)
GROUPS = "\n".join(f'{group} = "Words."' for group in EventGroup)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_code_means_something_and_not_too_long(locale: str) -> None:
    for entry in all_entries():
        words = meaning(entry, locale)
        assert words.text, entry
        assert words.text == words.text.strip()
        assert len(str(words)) <= LONGEST, (len(str(words)), str(words))
        assert all(part.endswith(".") for part in (words.text, words.advice) if part), words
        assert not JARGON.search(str(words)), words


@pytest.mark.parametrize("locale", LANGUAGES)
def test_what_a_household_can_meet_has_words_of_its_own(locale: str) -> None:
    known = meanings(locale)
    for entry in all_entries():
        is_own = (entry.journal, entry.code) in known.codes
        assert is_own or entry.journal in GENERAL, entry
    assert known.of(lookup(3, 33)) == known.groups[EventGroup.PROGRAMMING]


def test_there_are_words_for_nothing_else_and_in_both_languages_for_the_same() -> None:
    russian, english = (meanings(locale) for locale in LANGUAGES)

    assert set(russian.codes) == set(english.codes)
    assert set(russian.codes) <= {(entry.journal, entry.code) for entry in all_entries()}
    for key, words in russian.codes.items():
        assert bool(words.advice) == bool(english.codes[key].advice), key
        assert re.search("[а-я]", str(words)), key
        assert not re.search("[а-яё]", str(english.codes[key]), re.IGNORECASE), key


@pytest.mark.parametrize("locale", LANGUAGES)
def test_what_is_serious_says_what_to_do(locale: str) -> None:
    for entry in all_entries():
        if entry.severity.value != "info" and entry.side is not Side.END:
            assert meaning(entry, locale).advice, entry


def test_an_unknown_code_has_its_groups_words_and_an_unknown_language_english() -> None:
    unknown = lookup(60, 7)

    assert meaning(unknown, "ru") == meanings("ru").groups[EventGroup.OTHER]
    assert meaning(unknown, "de") == meanings("en").groups[EventGroup.OTHER]


def test_words_twice_or_a_group_without_any_are_refused() -> None:
    table = '[[meanings]]\njournal = 0\ncodes = [{}]\ntext = "Words."\n'
    good = read_meanings(f"[groups]\n{GROUPS}\n{table.format('1, 2')}", source="x.toml")
    assert good.of(lookup(0, 2)) == Meaning("Words.")

    with pytest.raises(ConfigurationError, match=r"x\.toml: code 1 of journal 0 has words twice"):
        read_meanings(f"[groups]\n{GROUPS}\n{table.format('1, 1')}", source="x.toml")
    with pytest.raises(ConfigurationError, match=r"no words for the groups voltage, current"):
        read_meanings(f'[groups]\nother = "x"\n{table.format("1")}', source="x.toml")
