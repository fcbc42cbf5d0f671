"""Tariff zones by local minute, and their edges."""

from datetime import date, datetime

from lk_portal.services.zones import NO_TARIFF, NO_ZONE, TariffZones, ZoneSpan, ZoneVersion

DAY_AND_NIGHT = (ZoneSpan(1, 7 * 60, 23 * 60), ZoneSpan(2, 23 * 60, 7 * 60))
OLD = ZoneVersion(date(2020, 1, 1), DAY_AND_NIGHT)


def at(hour: int, minute: int = 0, day: int = 10) -> datetime:
    return datetime(2026, 11, day, hour, minute)  # noqa: DTZ001 - wall-clock time is meant


def test_zone_by_minute_with_a_span_over_midnight():
    zones = TariffZones((OLD,))
    found = [zones.zone_at(at(*hour)) for hour in ((6, 59), (7,), (22, 59), (23,), (0,))]
    assert found == [2, 1, 1, 2, 2]


def test_minutes_no_span_covers_have_no_zone():
    zones = TariffZones((ZoneVersion(date(2020, 1, 1), (ZoneSpan(3, 600, 660),)),))
    assert [zones.zone_at(at(9, 59)), zones.zone_at(at(10)), zones.zone_at(at(11))] == [NO_ZONE, 3, NO_ZONE]


def test_no_tariff_has_no_zones_and_no_edges():
    assert NO_TARIFF.zone_at(at(12)) == NO_ZONE
    assert NO_TARIFF.edges(date(2026, 11, 10)) == ()


def test_the_version_in_force_on_the_day_counts():
    new = ZoneVersion(date(2026, 11, 10), (ZoneSpan(1, 8 * 60, 20 * 60), ZoneSpan(2, 20 * 60, 8 * 60)))
    zones = TariffZones((OLD, new))
    assert zones.zone_at(at(7, 30, day=9)) == 1
    assert zones.zone_at(at(7, 30, day=10)) == 2
    assert zones.edges(date(2026, 11, 9)) == (7 * 60, 23 * 60)
    assert zones.edges(date(2026, 11, 10)) == (8 * 60, 20 * 60)


def test_before_the_first_version_there_is_no_zone():
    assert TariffZones((OLD,)).zone_at(datetime(2019, 12, 31, 12)) == NO_ZONE  # noqa: DTZ001


def test_a_span_from_a_minute_to_itself_is_the_whole_day():
    zones = TariffZones((ZoneVersion(date(2020, 1, 1), (ZoneSpan(1, 0, 0),)),))
    assert {zones.zone_at(at(hour)) for hour in range(24)} == {1}
