"""Stamps of a load profile become moments, and what does not follow from a stamp is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.errors import UnsupportedError
from lk_portal.metering.map_fields import WordOrder
from lk_portal.metering.maps import map_named
from lk_portal.metering.profile_decode import (
    encode_record,
    encode_stamp,
    moments_of,
    records_of,
    stamped,
    wall_time,
    without_doubles,
    zone_of,
)
from lk_portal.metering.profile_maps import ClockKind, ProfileMap, StampEdge, StampFormat
from lk_portal.metering.types import ProfileRecord, Quality, Quantity

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 1, 12)  # noqa: DTZ001 - on a meter's wall
UTC_NOON = NOON.replace(tzinfo=UTC)
ENERGIES = {Quantity.A_PLUS: 321, Quantity.R_PLUS: 12}


@pytest.fixture(params=[StampFormat.BYTES, StampFormat.UNIX32])
def ring(request: pytest.FixtureRequest) -> Iterator[ProfileMap]:
    found = map_named("simulated-profile").profile
    assert found is not None
    yield replace(found, stamp=request.param)


@pytest.mark.parametrize("order", list(WordOrder))
def test_a_stamp_survives_being_written(ring: ProfileMap, order: WordOrder) -> None:
    assert wall_time(ring, order, encode_stamp(ring, order, NOON)) == NOON


def test_nothing_written_and_days_that_do_not_exist_are_no_stamp(ring: ProfileMap) -> None:
    for words in ((0xFFFF,) * ring.stamp.words, (0,) * ring.stamp.words):
        assert wall_time(ring, WordOrder.BIG, words) is None
    calendar = replace(ring, stamp=StampFormat.BYTES)
    assert wall_time(calendar, WordOrder.BIG, (26 << 8 | 2, 28 << 8, 0)) is not None
    assert wall_time(calendar, WordOrder.BIG, (26 << 8 | 2, 30 << 8, 0)) is None


@pytest.mark.parametrize(("edge", "begins_before"), [(StampEdge.END, 30), (StampEdge.START, 0)])
def test_the_stamped_edge_tells_the_interval(ring: ProfileMap, edge: StampEdge, begins_before: int) -> None:
    ring = replace(ring, stamp_edge=edge)
    record = encode_record(ring, WordOrder.BIG, NOON, ENERGIES, 0)
    found = stamped(ring, WordOrder.BIG, record, ZoneInfo("UTC"))
    assert found is not None
    assert found.start == UTC_NOON - timedelta(minutes=begins_before)
    assert found.end - found.start == timedelta(minutes=30)


def test_local_stamps_are_moved_to_utc_and_doubtful_ones_left_out(ring: ProfileMap) -> None:
    ring = replace(ring, clock=ClockKind.LOCAL, stamp_edge=StampEdge.START)

    def read(wall: datetime) -> list[ProfileRecord]:
        record = encode_record(ring, WordOrder.BIG, wall, ENERGIES, 0)
        return list(records_of(ring, WordOrder.BIG, record, BERLIN))

    found = read(NOON)
    assert [(one.quantity, one.value_wh) for one in found] == list(ENERGIES.items())
    assert found[0].start == UTC_NOON - timedelta(hours=2)
    twice, never = datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001
    assert (len(moments_of(twice, BERLIN)), len(moments_of(never, BERLIN))) == (2, 0)
    assert read(twice) == read(never) == []


def test_a_local_clock_needs_its_zone(ring: ProfileMap) -> None:
    ring = replace(ring, clock=ClockKind.LOCAL)
    assert zone_of(ring, {"timezone": "Europe/Berlin"}) == BERLIN
    for options in ({}, {"timezone": "Mars/Crater"}, {"timezone": "../etc/passwd"}):
        with pytest.raises(UnsupportedError):
            zone_of(ring, options)
    assert zone_of(replace(ring, clock=ClockKind.UTC), {}) == ZoneInfo("UTC")


def test_an_undefined_value_is_left_out_alone(ring: ProfileMap) -> None:
    record = list(encode_record(ring, WordOrder.BIG, NOON, ENERGIES, 0))
    record[ring.values[0].address] = 0xFFFF
    found = list(records_of(ring, WordOrder.BIG, record, ZoneInfo("UTC")))
    assert [one.quantity for one in found] == [Quantity.R_PLUS]


def test_of_two_that_contradict_neither_counts() -> None:
    def record(value_wh: int, minute: int = 0) -> ProfileRecord:
        start = UTC_NOON + timedelta(minutes=minute)
        return ProfileRecord(
            Quantity.A_PLUS, start, start + timedelta(minutes=30), value_wh, Quality.MEASURED
        )

    found = without_doubles([record(5, 30), record(3), record(3), record(7, 60), record(8, 60)])
    assert found == (record(3), record(5, 30))
