"""The dictionary of meter events: every code, its pair, and what is said of codes nobody knows."""

from __future__ import annotations

import pytest

from lk_portal.metering.events import EventGroup, Relay, Side, all_entries, lookup
from lk_portal.metering.types import Severity

CODES = {0: 28, 1: 38, 2: 29, 3: 99, 4: 7, 5: 2, 6: 4, 7: 19, 8: 2}
"""How many codes each journal has, from 1 on without a gap."""
START_WORDS = ("начал", "пропадан", "превышен", "прерыван", "обрыв", "выключен", "ошибка", "установлено")
END_WORDS = ("окончан", "восстановлен", "конец", "включен", "норма", "отключен", "разорван")


def test_every_code_is_there_once_and_belongs_to_its_journals_group() -> None:
    found: dict[int, list[int]] = {}
    groups: dict[int, set[EventGroup]] = {}
    for entry in all_entries():
        found.setdefault(entry.journal, []).append(entry.code)
        groups.setdefault(entry.journal, set()).add(entry.group)

    assert found == {journal: list(range(1, count + 1)) for journal, count in CODES.items()}
    assert all(len(kinds) == 1 for kinds in groups.values())
    assert len(all_entries()) == 228


def test_a_partners_partner_is_itself_and_on_the_other_side() -> None:
    pairs = [entry for entry in all_entries() if entry.partner is not None]
    assert len(pairs) == 116

    for entry in pairs:
        partner = lookup(entry.journal, entry.partner)
        assert partner.partner == entry.code, entry
        assert {entry.side, partner.side} == {Side.START, Side.END}, entry


def test_only_events_without_a_partner_stand_alone() -> None:
    assert all((entry.partner is None) == (entry.side is Side.SINGLE) for entry in all_entries())


def test_the_words_of_both_sides_say_which_side_it_is() -> None:
    for entry in all_entries():
        words = {Side.START: START_WORDS, Side.END: END_WORDS}.get(entry.side)
        exceptions = {(0, 9), (0, 28), (2, 16), (1, 15), (4, 1), (4, 6)}
        if words and (entry.journal, entry.code) not in exceptions:
            assert any(word in entry.name_ru.lower() for word in words), entry


def test_both_sides_of_a_pair_name_the_same_phase() -> None:
    for entry in all_entries():
        if entry.side is Side.START:
            partner = lookup(entry.journal, entry.partner or 0)
            assert _phase(entry.name_ru) == _phase(partner.name_ru), entry
            assert _phase(entry.name_en) == _phase(partner.name_en), entry


def _phase(name: str) -> str:
    lowered = name.lower()
    return next((letter for letter in "авсabc" if f"фаза {letter}" in lowered or f"фазы {letter}" in lowered
                 or f"phase {letter}:" in lowered), "")  # fmt: skip


def test_what_ends_well_is_informational() -> None:
    assert {entry.severity for entry in all_entries() if entry.side is Side.END} == {Severity.INFO}
    assert len({entry.severity for entry in all_entries() if entry.side is Side.START}) == 3


def test_names_are_there_in_both_languages_and_differ_within_a_journal() -> None:
    for names in ([(e.journal, e.name("ru")) for e in all_entries()],
                  [(e.journal, e.name("en")) for e in all_entries()]):  # fmt: skip
        assert all(name.strip() == name and name for _, name in names)
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("code", "ru", "en"),
    [
        (9, "Низкое напряжение любой фазы", "Voltage too low in any phase"),
        (13, "Фаза А - перенапряжение", "Phase A: voltage too high"),
        (27, "Прерывание напряжения", "Supply interrupted"),
    ],
)
def test_what_goes_on_is_named_without_the_word_start(code: int, ru: str, en: str) -> None:
    assert lookup(0, code).whole_name("ru") == ru
    assert lookup(0, code).whole_name("en") == en


def test_the_partner_ends_what_began_and_another_event_does_not() -> None:
    low = lookup(0, 9)
    assert low.is_ended_by(lookup(0, 10))
    assert not low.is_ended_by(lookup(0, 8))
    assert not low.is_ended_by(lookup(1, 10)), "the same code of another journal"
    assert not lookup(0, 10).is_ended_by(low), "an end begins nothing"


def test_whatever_connects_the_load_ends_every_disconnection() -> None:
    off = [entry for entry in all_entries() if entry.relay is Relay.OFF]
    on = [entry for entry in all_entries() if entry.relay is Relay.ON]
    assert {entry.code for entry in off} == {3, 6, 8, 9, 10, 11, 13, 14, 15, 18, 19, 25, 28}
    assert {entry.code for entry in on} == {4, 7, 12, 20, 21, 22, 23, 24, 26, 27}
    assert all(one.is_ended_by(other) for one in off for other in on)
    assert not off[0].is_ended_by(lookup(2, 5)), "a permission connects nothing yet"


@pytest.mark.parametrize(
    ("journal", "code", "group"), [(2, 77, EventGroup.SWITCHING), (60, 1, EventGroup.OTHER)]
)
def test_an_unknown_code_has_a_general_entry(journal: int, code: int, group: EventGroup) -> None:
    entry = lookup(journal, code)

    assert (entry.group, entry.severity, entry.side) == (group, Severity.INFO, Side.SINGLE)
    assert str(code) in entry.name("ru")
    assert str(code) in entry.name("en")
