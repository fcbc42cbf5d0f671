"""An archive beside a register: what cannot be true is refused, and estimates keep the sum."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.metering.types import ProfileRecord, Quality, Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.archive_fill import Fate, Fill, compare, fill_of, known_values, settled
from lk_portal.services.clocks import Slot
from lk_portal.services.holes import Backing, Slotted
from lk_portal.services.register_growth import Growth

START = datetime(2026, 11, 10, 6, tzinfo=UTC)
START_MS = to_milliseconds(START)
HOUR_MS = 3_600_000
MEASURED, ESTIMATED = Backing.MEASURED, Backing.ESTIMATED


def slot(number: int) -> Slot:
    return Slot(START_MS + number * HOUR_MS, START_MS + (number + 1) * HOUR_MS, 0)


def stored(number: int, value_wh: int, backing: Backing = ESTIMATED) -> Slotted:
    return Slotted(slot(number), backing, value_wh, 3600)


def growth(hours: int, grown_wh: int, **changes: bool) -> Growth:
    ends = {"is_begun": True, "is_closed": True, **changes}
    return Growth(START_MS, START_MS + hours * HOUR_MS, grown_wh, 0, **ends)


def record(minute: int, minutes: int, value_wh: int, quality: Quality = Quality.MEASURED) -> ProfileRecord:
    start = START + timedelta(minutes=minute)
    return ProfileRecord(Quantity.A_PLUS, start, start + timedelta(minutes=minutes), value_wh, quality)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([record(0, 60, 7)], Fill(7, Quality.MEASURED)),
        ([record(0, 30, 7), record(30, 30, 8)], Fill(15, Quality.MEASURED)),
        ([record(0, 30, 7), record(30, 30, 8, Quality.ESTIMATED)], Fill(15, Quality.ESTIMATED)),
        ([], Fate.ABSENT),
        ([record(-60, 60, 7), record(60, 60, 7)], Fate.ABSENT),
        ([record(0, 30, 7)], Fate.PARTIAL),
        ([record(30, 30, 7)], Fate.PARTIAL),
        ([record(-30, 60, 7), record(30, 60, 8)], Fate.PARTIAL),
        ([record(0, 30, 7), record(30, 30, 0, Quality.MISSING)], Fate.MARKED),
    ],
)
def test_only_what_fills_a_slot_exactly_counts(records: list[ProfileRecord], expected: Fill | Fate) -> None:
    assert fill_of(slot(0), records) == expected


@pytest.mark.parametrize(
    ("known", "grown_wh", "is_agreed"),
    [
        ([100, 100, 100], 300, True),
        ([100, 100, 100], 200, False),
        ([100, 100, 100], 400, False),
        ([100, 100, None], 300, True),
        ([100, 100, None], 200, True),
        ([100, 100, None], 150, False),
        ([100, None, None], 10_000, True),
    ],
)
def test_an_unknown_rest_leaves_room_above_and_none_below(
    known: list[int | None], grown_wh: int, is_agreed: bool
) -> None:
    region = [stored(number, 0) for number in range(3)]
    fills = {slot(number).start_ms: value for number, value in enumerate(known) if value is not None}
    found = compare(region, fills, growth(3, grown_wh), resolution_wh=0)
    assert found.is_agreed is is_agreed


def test_an_hour_that_is_not_over_is_allowed_for() -> None:
    region = [stored(number, 0) for number in range(4)]
    fills = {slot(number).start_ms: 100 for number in range(3)}
    assert compare(region, fills, growth(4, 450, is_closed=False), resolution_wh=0).is_agreed
    assert not compare(region, fills, growth(4, 900, is_closed=False), resolution_wh=0).is_agreed


Values = st.lists(st.integers(0, 10**7), min_size=2, max_size=30)


@given(Values, st.data())
def test_all_slots_together_are_what_the_register_says(values: list[int], data: st.DataObject) -> None:
    is_known = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    region = [stored(number, value) for number, value in enumerate(values)]
    fills = {
        slot(number).start_ms: data.draw(st.integers(0, 10**6))
        for number, known in enumerate(is_known)
        if known
    }
    grown_wh = sum(fills.values()) + data.draw(st.integers(0, 10**7))

    found = settled(region, fills, growth(len(values), grown_wh))

    if not fills or all(is_known):
        assert found == {}
        return
    assert found.keys() == {one.slot.start_ms for one in region} - fills.keys()
    assert all(value >= 0 for value in found.values())
    assert sum(found.values()) + sum(fills.values()) == grown_wh
    after = [Slotted(one.slot, ESTIMATED, found.get(one.slot.start_ms, one.value_wh), 3600) for one in region]
    assert settled(after, fills, growth(len(values), grown_wh)) == found


def test_estimates_stay_where_the_register_cannot_tell() -> None:
    region = [stored(0, 10), stored(1, 10), stored(2, 10, MEASURED)]
    fills = {slot(0).start_ms: 5}
    assert settled(region, fills, growth(3, 100)) == {slot(1).start_ms: 85}
    assert settled(region, {}, growth(3, 100)) == {}
    assert settled(region, fills, growth(3, 100, is_closed=False)) == {}
    assert settled(region, fills, growth(3, 100, is_begun=False)) == {}
    gone = [stored(0, 10), stored(1, 10), Slotted(slot(2))]
    assert settled(gone, fills, growth(3, 100)) == {}
    assert known_values(region, fills) == {slot(0).start_ms: 5, slot(2).start_ms: 10}
