"""The simulated household: deterministic, never falling, believable."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.metering.simulator import LoadCurve, SimulatedClock, serial_of
from lk_portal.metering.simulator.curve import _profile_day
from lk_portal.metering.types import Quantity

CURVE = LoadCurve(7)
DAY = datetime(2026, 1, 14, 21, tzinfo=UTC)  # midnight of a Thursday in Moscow
_FIRST, _LAST = datetime(2022, 1, 1), datetime(2037, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
moments = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC))


def test_the_same_seed_gives_the_same_curve_and_another_another() -> None:
    assert LoadCurve(7).register_wh(DAY) == CURVE.register_wh(DAY)
    assert LoadCurve(8).register_wh(DAY) != CURVE.register_wh(DAY)
    assert LoadCurve.of_serial(serial_of(1)).register_wh(DAY) == 28_844_831


@given(at=moments, later=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_registers_never_fall_and_zones_sum(at: datetime, later: timedelta) -> None:
    end = at + later
    for quantity in Quantity:
        assert CURVE.value_wh(at, quantity) <= CURVE.value_wh(end, quantity)
    for zone in (1, 2):
        assert CURVE.zone_wh(at, zone) <= CURVE.zone_wh(end, zone)
    assert CURVE.zone_wh(at, 1) + CURVE.zone_wh(at, 2) == CURVE.register_wh(at)


@pytest.mark.parametrize("year", range(2023, 2036))
def test_a_year_is_about_the_annual_consumption(year: int) -> None:
    used = CURVE.register_wh(datetime(year + 1, 1, 1, tzinfo=UTC)) - CURVE.register_wh(
        datetime(year, 1, 1, tzinfo=UTC)
    )
    assert 2_900_000 < used < 3_100_000


def test_outside_its_years_the_meter_stands_still() -> None:
    assert CURVE.register_wh(datetime(2020, 1, 1, tzinfo=UTC)) == CURVE.base_wh
    end = CURVE.register_wh(datetime(2036, 1, 1, tzinfo=UTC))
    assert CURVE.register_wh(datetime(2050, 1, 1, tzinfo=UTC)) == end > CURVE.base_wh + 38_000_000


def test_a_minute_gives_new_energy_and_an_hour_is_smooth() -> None:
    values = [CURVE.register_wh(DAY + timedelta(hours=18, minutes=m)) for m in range(61)]
    steps = [after - before for before, after in pairwise(values)]
    assert min(steps) > 0
    assert max(steps) - min(steps) <= 1


def test_the_night_is_quieter_and_counted_in_the_second_tariff() -> None:
    def used(first: int, last: int, zone: int = 0) -> int:
        start, end = DAY + timedelta(hours=first), DAY + timedelta(hours=last)
        return CURVE.value_wh(end, Quantity.A_PLUS, zone) - CURVE.value_wh(start, Quantity.A_PLUS, zone)

    assert used(1, 5) < used(18, 22) / 2
    assert used(0, 7, zone=2) == used(0, 7) > 0
    assert used(0, 7, zone=1) == 0
    assert used(7, 23, zone=1) == used(7, 23) > 0
    assert used(7, 23, zone=2) == 0
    assert used(0, 24, zone=3) == 0


@given(day=st.dates(date(2023, 1, 1), date(2035, 12, 31)))
def test_a_day_borrows_the_weekday_and_the_season(day: date) -> None:
    source = date(2026, 1, 1) + timedelta(days=_profile_day(day))
    assert source.year == 2026
    assert source.weekday() == day.weekday()
    apart = abs(source.timetuple().tm_yday - min(day.timetuple().tm_yday, 365))
    assert apart <= 7


def test_the_clock_runs_at_its_speed_without_a_jump() -> None:
    clock = SimulatedClock(3600.0, start=DAY)
    first = clock()
    clock.speed = 0.0
    frozen = clock()
    assert DAY <= first <= frozen == clock() < DAY + timedelta(hours=1)
    assert clock.speed == 0.0
