"""How much energy a household has used until a given moment: the simulator's and the demo's one truth.

The simulated meters show these values, and the generator of a demonstration's history stores them, so that
what is polled continues what was generated. Everything is an integer and follows from the seed alone.
"""

from __future__ import annotations

import csv
import zlib
from array import array
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random

from lk_portal.metering.types import Quantity

_PROFILE = Path(__file__).parent / "household_load_h0_2026_hourly.csv"
_PROFILE_YEAR = 2026
FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2035, 12, 31)
"""Curves run over these local days; before and after them the meter stands still."""
_DAYS = (LAST_DAY - FIRST_DAY).days + 1
_MICROSECOND = timedelta(microseconds=1)
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
NIGHT_HOURS = frozenset({23, 0, 1, 2, 3, 4, 5, 6})
"""Local hours of the meter's own second tariff (night 23-7); the others are the first."""
_DAY_HOURS = frozenset(range(24)) - NIGHT_HOURS


@lru_cache(maxsize=1)
def _profile() -> tuple[tuple[int, ...], ...]:
    """Wh in each local hour of each day of the profile's year, for 1 MWh a year."""
    with _PROFILE.open(encoding="utf-8", newline="") as file:
        hours = [int(row["wh_per_mwh"]) for row in csv.DictReader(file)]
    return tuple(tuple(hours[i : i + 24]) for i in range(0, len(hours), 24))


@lru_cache(maxsize=1)
def _profile_days() -> tuple[int, ...]:
    """For each day of the curves, the day of the profile with its weekday and season."""
    return tuple(_profile_day(FIRST_DAY + timedelta(days=i)) for i in range(_DAYS))


def _profile_day(day: date) -> int:
    season = min(day.timetuple().tm_yday, 365) - 1
    weekday = (date(_PROFILE_YEAR, 1, 1) + timedelta(days=season)).weekday()
    shift = (day.weekday() - weekday + 3) % 7 - 3  # the nearest such weekday, up to three days off
    found = season + shift
    if found < 0:
        return found + 7
    return found - 7 if found > 364 else found


@dataclass(frozen=True, slots=True)
class _Day:
    """One local day: energy since midnight at each full hour, in all and of it by night."""

    total: tuple[int, ...]
    night: tuple[int, ...]


class LoadCurve:
    """The cumulative registers of one household, a function of time and nothing else.

    Days follow the H0 profile by weekday and season, each day a little more or less, each hour inside the
    day and inside the night perturbed without changing their sums. Within an hour the power is constant.

    Args:
        seed: The same seed gives the same curve, on every machine.
        annual_wh: Consumption of a year, Wh.
        base_wh: What the register showed at the beginning of `FIRST_DAY`, Wh.
        utc_offset: Local time of the household; clock changes are not simulated.
    """

    def __init__(
        self,
        seed: int,
        *,
        annual_wh: int = 3_000_000,
        base_wh: int = 12_000_000,
        utc_offset: timedelta = timedelta(hours=3),
    ) -> None:
        self.seed = seed
        self.annual_wh = annual_wh
        self.base_wh = base_wh
        self._origin = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) - utc_offset
        random = Random(f"{seed}")  # noqa: S311 - believable, not secret
        self._phase = random.randint(-1, 1)
        self._totals = array("q", [0])
        self._nights = array("q", [0])
        self._fill(random)
        self._cached_index = -1
        self._cached_day = _Day((), ())

    @classmethod
    def of_serial(cls, serial: str, *, utc_offset: timedelta = timedelta(hours=3)) -> LoadCurve:
        """The curve of the simulated meter `serial`: 1.8 to 5.2 MWh a year, 2 to 20 MWh on the register."""
        seed = zlib.crc32(serial.encode())
        random = Random(seed)  # noqa: S311 - believable, not secret
        annual_wh = random.randrange(1_800_000, 5_200_000)
        return cls(
            seed, annual_wh=annual_wh, base_wh=random.randrange(2_000_000, 20_000_000), utc_offset=utc_offset
        )

    def register_wh(self, at: datetime) -> int:
        """The sum of A+ at `at` (aware), Wh; never falls."""
        index, past_us = self._locate(at)
        return self.base_wh + self._totals[index] + _at_hour(self._day(index).total, past_us)

    def zone_wh(self, at: datetime, zone: int) -> int:
        """The meter's own tariff register at `at`, Wh: 1 by day, 2 by night (23-7), the others empty.

        The two sum exactly to `register_wh`.
        """
        if zone not in (1, 2):
            return 0
        index, past_us = self._locate(at)
        base = self.base_wh * 3 // 10
        night = base + self._nights[index] + _at_hour(self._day(index).night, past_us)
        return night if zone == 2 else self.register_wh(at) - night

    def value_wh(self, at: datetime, quantity: Quantity, zone: int = 0) -> int:
        """Any register of the household at `at`: it gives nothing back and has a little reactive energy."""
        if quantity is Quantity.A_PLUS:
            return self.zone_wh(at, zone) if zone else self.register_wh(at)
        percent = {Quantity.R_PLUS: 28, Quantity.R_MINUS: 4}.get(quantity, 0)
        return 0 if zone else self.register_wh(at) * percent // 100

    def _fill(self, random: Random) -> None:
        """Energy until each midnight; the day of the profile varies by a quarter up or down."""
        profile = [(sum(day), sum(day[h] for h in self._rotated(NIGHT_HOURS))) for day in _profile()]
        year = sum(total for total, _ in profile)
        for source in _profile_days():
            total, night = profile[source]
            scale = self.annual_wh * random.randint(750, 1250)
            self._totals.append(self._totals[-1] + total * scale // (year * 1000))
            self._nights.append(self._nights[-1] + night * scale // (year * 1000))

    def _rotated(self, hours: frozenset[int]) -> list[int]:
        """Hours of the profile for local `hours`: some households live an hour earlier or later."""
        return [(hour + self._phase) % 24 for hour in sorted(hours)]

    def _locate(self, at: datetime) -> tuple[int, int]:
        """Day of the curve and microseconds since its midnight."""
        elapsed = (at - self._origin) // _MICROSECOND
        if elapsed < 0:
            return 0, 0
        if elapsed >= _DAYS * _DAY_US:
            return _DAYS, 0
        return divmod(elapsed, _DAY_US)

    def _day(self, index: int) -> _Day:
        if index != self._cached_index:
            self._cached_day = self._make_day(index)
            self._cached_index = index
        return self._cached_day

    def _make_day(self, index: int) -> _Day:
        if index >= _DAYS:
            return _Day((0, 0), (0, 0))
        random = Random(f"{self.seed}:{index}")  # noqa: S311 - believable, not secret
        profile = _profile()[_profile_days()[index]]
        weights = [profile[(hour + self._phase) % 24] * random.randint(500, 1500) for hour in range(24)]
        night_wh = self._nights[index + 1] - self._nights[index]
        day_wh = self._totals[index + 1] - self._totals[index] - night_wh
        night = _shared(weights, NIGHT_HOURS, night_wh)
        day = _shared(weights, _DAY_HOURS, day_wh)
        return _Day(tuple(n + d for n, d in zip(night, day, strict=True)), night)


def _shared(weights: list[int], hours: frozenset[int], energy_wh: int) -> tuple[int, ...]:
    """Energy since midnight at each of 25 full hours, `energy_wh` given out to `hours` by weight."""
    sums = list(accumulate((weights[h] if h in hours else 0 for h in range(24)), initial=0))
    return tuple(energy_wh * part // sums[-1] for part in sums)


def _at_hour(cumulative: tuple[int, ...], past_us: int) -> int:
    """Linear inside the hour; one flooring of one line, so that it never falls."""
    hour, rest_us = divmod(past_us, _HOUR_US)
    return cumulative[hour] + (cumulative[hour + 1] - cumulative[hour]) * rest_us // _HOUR_US
