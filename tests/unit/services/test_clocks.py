"""Local days and slots in UTC: clock changes, odd offsets, tariff edges."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services.clocks import clock_of, day_bounds
from lk_portal.services.zones import NO_TARIFF, TariffZones, ZoneSpan, ZoneVersion

HALF_PAST = TariffZones(
    (ZoneVersion(date(2000, 1, 1), (ZoneSpan(1, 7 * 60 + 30, 23 * 60), ZoneSpan(2, 23 * 60, 7 * 60 + 30))),)
)
NIGHT_FROM_TWO_THIRTY = TariffZones(
    (ZoneVersion(date(2000, 1, 1), (ZoneSpan(1, 0, 150), ZoneSpan(2, 150, 1440))),)
)
ZONES = ["Asia/Omsk", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]


def ms(*parts: int) -> int:
    return to_milliseconds(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 7, 1), 24),
        ("Europe/Moscow", date(2014, 10, 26), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
    ],
)
def test_days_of_23_24_and_25_hours(zone: str, day: date, hours: int):
    local = clock_of(zone, NO_TARIFF).day(day.toordinal())
    assert (local.end_ms - local.start_ms) == hours * 3_600_000
    assert [slot.duration_s for slot in local.slots] == [3600] * hours


def test_hours_begin_at_half_past_utc_where_the_offset_says_so():
    slot = clock_of("Asia/Kolkata", NO_TARIFF).slot_at(ms(2026, 11, 10, 12, 15))
    assert (slot.start_ms, slot.end_ms) == (ms(2026, 11, 10, 11, 30), ms(2026, 11, 10, 12, 30))


def test_a_tariff_edge_inside_an_hour_cuts_it():
    clock = clock_of("Asia/Omsk", HALF_PAST)
    morning = [clock.slot_at(ms(2026, 11, 10, 1, minute)) for minute in (0, 29, 30, 59)]
    assert [slot.zone for slot in morning] == [2, 2, 1, 1]
    assert [slot.duration_s for slot in morning] == [1800] * 4


def test_an_edge_in_the_repeated_hour_comes_twice():
    day = clock_of("Europe/Berlin", NIGHT_FROM_TWO_THIRTY).day(date(2026, 10, 25).toordinal())
    around = [slot for slot in day.slots if ms(2026, 10, 25, 0) <= slot.start_ms < ms(2026, 10, 25, 2)]
    assert [(slot.zone, slot.duration_s) for slot in around] == [(1, 1800), (2, 1800)] * 2


def test_an_edge_in_the_skipped_hour_takes_effect_at_the_change():
    clock = clock_of("Europe/Berlin", NIGHT_FROM_TWO_THIRTY)
    assert clock.zone_of[ms(2026, 3, 29, 0, 59)] == 1
    assert clock.zone_of[ms(2026, 3, 29, 1, 0)] == 2


def test_boundaries_include_both_ends_when_they_are_boundaries():
    clock = clock_of("Asia/Omsk", NO_TARIFF)
    found = clock.boundaries(ms(2026, 11, 10, 17), ms(2026, 11, 10, 19))
    assert list(found) == [datetime(2026, 11, 10, hour, tzinfo=UTC) for hour in (17, 18, 19)]
    assert list(clock.boundaries(ms(2026, 11, 10, 17, 1), ms(2026, 11, 10, 17, 59))) == []


@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2010, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    zones=st.sampled_from([NO_TARIFF, HALF_PAST, NIGHT_FROM_TWO_THIRTY]),
)
def test_slots_tile_the_day_and_keep_to_one_zone(zone: str, moment: datetime, zones: TariffZones):
    clock = clock_of(zone, zones)
    at_ms = to_milliseconds(moment)
    day = clock.day(clock.day_of[at_ms])
    assert day.start_ms <= at_ms < day.end_ms
    assert day.slots[0].start_ms == day.start_ms
    assert day.slots[-1].end_ms == day.end_ms
    assert all(left.end_ms == right.start_ms for left, right in pairwise(day.slots))
    assert all(0 < slot.duration_s <= 3600 for slot in day.slots)
    slot = clock.slot_at(at_ms)
    assert slot.start_ms <= at_ms < slot.end_ms
    assert slot.zone == clock.zone_of[at_ms]
    assert slot.zone == zones.zone_at(from_milliseconds(at_ms).astimezone(ZoneInfo(zone)))


def test_days_follow_each_other_without_gaps():
    tz = ZoneInfo("Europe/Berlin")
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert all(day_bounds(left, tz)[1] == day_bounds(right, tz)[0] for left, right in pairwise(days))
