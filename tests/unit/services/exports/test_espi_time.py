"""Zones as ESPI's local time parameters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.services.exports.espi_time import NO_RULE, LocalTime, local_time

HOUR = 3600


def decoded(rule: str) -> tuple[int, ...]:
    """Month, operator, day of the month, day of the week, hour, seconds - by the schema's table of bits."""
    bits = int(rule, 16)
    return bits >> 28, bits >> 25 & 7, bits >> 20 & 31, bits >> 17 & 7, bits >> 12 & 31, bits & 4095


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Asia/Omsk", LocalTime(6 * HOUR, 0, NO_RULE, NO_RULE)),
        ("UTC", LocalTime(0, 0, NO_RULE, NO_RULE)),
        ("Asia/Kolkata", LocalTime(5 * HOUR + 1800, 0, NO_RULE, NO_RULE)),
        # The rules of the United States as they stand in published Green Button files.
        ("America/New_York", LocalTime(-5 * HOUR, HOUR, "360E2000", "B40E2000")),
    ],
)
def test_the_offsets_and_rules_of_a_zone(name: str, expected: LocalTime) -> None:
    assert local_time(ZoneInfo(name), 2026) == expected


def test_the_last_sunday_of_a_month() -> None:
    found = local_time(ZoneInfo("Europe/Berlin"), 2026)

    assert (found.tz_offset_s, found.dst_offset_s) == (HOUR, HOUR)
    assert decoded(found.start_rule) == (3, 7, 0, 7, 2, 0)
    assert decoded(found.end_rule) == (10, 7, 0, 7, 3, 0)


def test_summer_in_the_south_begins_in_october_and_by_half_an_hour() -> None:
    found = local_time(ZoneInfo("Australia/Lord_Howe"), 2026)

    assert (found.tz_offset_s, found.dst_offset_s) == (10 * HOUR + 1800, 1800)
    assert decoded(found.start_rule)[:2] == (10, 2)
    assert decoded(found.end_rule)[:2] == (4, 2)


@pytest.mark.parametrize(
    ("year", "offset_h"),
    [(2009, 6), (2011, 7), (2012, 7), (2014, 6), (2016, 6)],
)
def test_a_zone_that_gave_its_summer_up_has_none_from_then_on(year: int, offset_h: int) -> None:
    """Omsk had summer time until 2010; 2011 to 2014 its clocks stood an hour ahead."""
    found = local_time(ZoneInfo("Asia/Omsk"), year)

    assert found.tz_offset_s == offset_h * HOUR
    assert (found.dst_offset_s, found.start_rule == NO_RULE) == ((HOUR, False) if year == 2009 else (0, True))


@pytest.mark.parametrize("name", ["Europe/Moscow", "Europe/Berlin", "America/Santiago", "Africa/Cairo"])
@pytest.mark.parametrize("year", [1995, 2008, 2026])
def test_the_offsets_are_those_of_the_zone(name: str, year: int) -> None:
    tz = ZoneInfo(name)
    found = local_time(tz, year)
    every_day = (datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(365))
    offsets = {int(day.astimezone(tz).utcoffset().total_seconds()) for day in every_day}  # type: ignore[union-attr]

    if found.start_rule != NO_RULE:
        assert offsets == {found.tz_offset_s, found.tz_offset_s + found.dst_offset_s}
    else:
        assert found.tz_offset_s in offsets
