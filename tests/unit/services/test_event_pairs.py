"""Joining starts and ends: pure, so every order can be tried."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.metering.event_meanings import meaning
from lk_portal.metering.events import all_entries, lookup
from lk_portal.models import Severity
from lk_portal.services.event_pairs import Episode, StoredEvent, join_pairs

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event(minute: int, journal: int, code: int, *, meter: int = 1, number: int = 0) -> StoredEvent:
    entry = lookup(journal, code)
    at = BEGIN + minute * MINUTE
    return StoredEvent(number or minute, meter, f"SN{meter}", at, entry, entry.severity)


def told(episodes: list[Episode]) -> list[tuple[int, int | None, bool]]:
    """(code of the first, minutes or None, goes on) of each."""
    return [
        (one.first.entry.code, None if one.duration is None else one.duration // MINUTE, one.is_open)
        for one in episodes
    ]


def test_an_end_takes_its_start() -> None:
    assert told(join_pairs([event(1, 0, 9), event(24, 0, 10)])) == [(9, 23, False)]


def test_the_order_of_events_does_not_matter() -> None:
    assert told(join_pairs([event(24, 0, 10), event(1, 0, 9)])) == [(9, 23, False)]


def test_what_nothing_ended_goes_on() -> None:
    assert told(join_pairs([event(1, 0, 9), event(5, 0, 7), event(9, 0, 8)])) == [
        (9, None, True),
        (7, 4, False),
    ]


def test_an_end_without_a_start_stands_alone() -> None:
    assert told(join_pairs([event(1, 0, 10), event(2, 0, 10)])) == [(10, None, False), (10, None, False)]


def test_a_start_that_comes_again_has_no_known_end() -> None:
    assert told(join_pairs([event(1, 0, 27), event(5, 0, 27), event(7, 0, 28)])) == [
        (27, None, False),
        (27, 2, False),
    ]


def test_pairs_of_different_kinds_meters_and_journals_do_not_mix() -> None:
    episodes = join_pairs(
        [event(1, 0, 9), event(2, 0, 27), event(3, 0, 28), event(4, 0, 10, meter=2), event(5, 1, 10)]
    )

    assert told(episodes) == [(9, None, True), (27, 1, False), (10, None, False), (10, None, False)]


def test_events_of_one_moment_are_taken_as_they_were_stored() -> None:
    assert told(join_pairs([event(1, 0, 28, number=8), event(1, 0, 27, number=7)])) == [(27, 0, False)]


def test_of_a_meter_that_is_gone_nothing_goes_on() -> None:
    events = [event(1, 0, 9), event(1, 0, 9, meter=2)]

    assert told(join_pairs(events, gone=frozenset({1}))) == [(9, None, False), (9, None, True)]


def test_a_disconnection_is_over_when_the_subscriber_connects_the_load() -> None:
    episodes = join_pairs([event(1, 2, 3), event(30, 2, 5), event(40, 2, 7), event(50, 2, 9)])

    assert told(episodes) == [(3, 39, False), (5, None, False), (7, None, False), (9, None, True)]


def test_one_connection_ends_all_disconnections_and_belongs_to_its_own() -> None:
    episodes = join_pairs([event(1, 2, 8), event(2, 2, 18), event(10, 2, 20)])

    assert told(episodes) == [(8, 9, False), (18, 8, False)], "the relay's return is the first one's end"


def test_events_that_begin_nothing_stay_as_they_are() -> None:
    assert told(join_pairs([event(1, 4, 3), event(2, 7, 1), event(3, 60, 1)])) == [
        (3, None, False),
        (1, None, False),
        (1, None, False),
    ]


def test_names_and_words_tell_how_it_is() -> None:
    ended, going_on, single = join_pairs([event(1, 0, 9), event(2, 0, 10), event(3, 0, 13), event(4, 0, 10)])

    assert ended.name("ru") == "Низкое напряжение любой фазы"
    assert ended.meaning("ru").text.endswith("Напряжение снова в норме, делать ничего не нужно.")
    assert ended.meaning("ru").advice == "", "it is over"
    assert going_on.name("en") == "Phase A: voltage too high"
    assert going_on.meaning("en") == meaning(lookup(0, 13), "en")
    assert going_on.meaning("en").advice
    assert single.name("ru") == "Низкое напряжение любой фазы - окончание"
    assert ended.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("start", "end", "first", "after", "is_touched"),
    [
        (5, 7, 0, 10, True),
        (5, 7, 6, 10, True),
        (5, 7, 7, 10, True),
        (5, 7, 8, 10, False),
        (5, 7, 0, 5, False),
        (5, 7, 0, 6, True),
        (5, 20, 6, 10, True),
        (5, None, 6, 10, True),
        (5, None, 0, 5, False),
    ],
)
def test_what_reaches_into_a_period_is_shown_in_it(
    start: int, end: int | None, first: int, after: int, is_touched: bool
) -> None:
    events = [event(start, 0, 9)] + ([] if end is None else [event(end, 0, 10)])
    (episode,) = join_pairs(events)

    assert episode.touches(BEGIN + first * MINUTE, BEGIN + after * MINUTE) is is_touched


def test_a_single_event_lies_in_one_period_only() -> None:
    (episode,) = join_pairs([event(5, 4, 3)])

    assert episode.touches(BEGIN, BEGIN + 6 * MINUTE)
    assert not episode.touches(BEGIN + 6 * MINUTE, BEGIN + 9 * MINUTE)


KINDS = st.sampled_from([(one.journal, one.code) for one in all_entries() if one.journal in (0, 2)])
EVENTS = st.lists(st.tuples(st.integers(0, 40), KINDS, st.integers(1, 2)), max_size=25)


@given(EVENTS)
def test_no_event_is_lost_or_told_twice(rows: list[tuple[int, tuple[int, int], int]]) -> None:
    events = [
        event(minute, *kind, meter=meter, number=number)
        for number, (minute, kind, meter) in enumerate(rows, start=1)
    ]

    episodes = join_pairs(events)

    shown = Counter(one.first.event_id for one in episodes)
    assert set(shown.values()) <= {1}
    for absent in {one.event_id for one in events} - set(shown):
        owners = [one for one in episodes if one.last is not None and one.last.event_id == absent]
        assert [one for one in owners if one.first.entry.partner == one.last.entry.code]
    for one in episodes:
        assert one.duration is None or one.duration >= timedelta(0)
        assert not (one.is_open and one.last)
        assert one.last is None or one.first.entry.is_ended_by(one.last.entry)


@given(EVENTS, st.integers(0, 40))
def test_pairs_are_the_same_when_only_the_nearest_outside_a_window_are_known(
    rows: list[tuple[int, tuple[int, int], int]], edge: int
) -> None:
    """What `event_history` reads of the time before and after is enough to tell the period's episodes."""
    # One event a minute, for events of one moment on both sides of an edge cannot be.
    unique = {minute: (kind, meter) for minute, kind, meter in rows}
    events = [
        event(minute, *kind, meter=meter, number=minute + 1) for minute, (kind, meter) in unique.items()
    ]
    first, after = BEGIN + (edge // 2) * MINUTE, BEGIN + edge * MINUTE
    before: dict[tuple[int, int, int], StoredEvent] = {}
    later: dict[tuple[int, int, int], StoredEvent] = {}
    for one in sorted(events, key=lambda one: one.at):
        key = (one.meter_id, one.entry.journal, one.entry.code)
        if one.at < first:
            before[key] = one
        elif one.at >= after:
            later.setdefault(key, one)
    inside = [one for one in events if first <= one.at < after]

    known = join_pairs([*before.values(), *inside, *later.values()])

    assert [one for one in known if one.touches(first, after)] == [
        one for one in join_pairs(events) if one.touches(first, after)
    ]
