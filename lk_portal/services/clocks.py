"""The local clock of a metering point: its days, hours and tariff zones in UTC. Pure; for services.

Data are kept in UTC, but a day begins at the premises' midnight, lasts 23, 24 or 25 hours, and falls into
hours (at :30 of UTC in some zones) and tariff zones. Everything here counts in milliseconds since 1970,
for the bulk paths look up hundreds of thousands of moments; clocks are shared between points and remember.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from lk_portal.metering.derive import hour_starts
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services.zones import TariffZones

MAX_REMEMBERED = 200_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """The part of a day one interval may cover: a local hour, or less where a tariff zone changes in it."""

    start_ms: int
    end_ms: int
    zone: int

    @property
    def duration_s(self) -> int:
        """Its length; boundaries are whole seconds."""
        return (self.end_ms - self.start_ms) // 1000


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A local day [start_ms, end_ms) and its slots in order; where they start, in ms and as aware UTC."""

    day: date
    start_ms: int
    end_ms: int
    slots: tuple[Slot, ...]
    starts: tuple[int, ...]
    cuts: tuple[datetime, ...]

    def slot_at(self, moment_ms: int) -> Slot:
        """The slot that has `moment_ms`, which must lie in the day."""
        return self.slots[bisect_right(self.starts, moment_ms) - 1]


class _Remembering(dict[int, int]):
    """A dictionary that works a missing value out once: lookups then run at the interpreter's best speed."""

    def __init__(self, find: Callable[[int], int]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: int) -> int:
        if len(self) > MAX_REMEMBERED:
            self.clear()
        value = self[key] = self._find(key)
        return value


class PointClock:
    """Days, slots and zones by one IANA zone and one tariff. Get it from `clock_of`.

    Attributes:
        zone_of: Moment in ms -> tariff zone.
        day_of: Moment in ms -> ordinal of the local day (`date.fromordinal`).
    """

    def __init__(self, timezone: str, zones: TariffZones) -> None:
        self.tz = ZoneInfo(timezone)
        self.zones = zones
        self.zone_of = _Remembering(self._find_zone)
        self.day_of = _Remembering(self._find_day)
        self._days: dict[int, LocalDay] = {}
        self._asked = (0, 0)
        self._answer: list[datetime] = []

    def day(self, ordinal: int) -> LocalDay:
        """The local day of that ordinal."""
        found = self._days.get(ordinal)
        if found is None:
            if len(self._days) > MAX_REMEMBERED // 24:
                self._days.clear()
            found = self._days[ordinal] = self._make_day(date.fromordinal(ordinal))
        return found

    def slot_at(self, moment_ms: int) -> Slot:
        """The slot that has `moment_ms`."""
        return self.day(self.day_of[moment_ms]).slot_at(moment_ms)

    def boundaries(self, start_ms: int, end_ms: int) -> Sequence[datetime]:
        """Where slots begin in [start, end], as aware UTC; for `derive.pieces`."""
        # All registers of a meter ask for the same span, one after another.
        if self._asked != (start_ms, end_ms):
            self._asked, self._answer = (start_ms, end_ms), []
            for ordinal in range(self._find_day(start_ms), self._find_day(end_ms) + 1):
                day = self.day(ordinal)
                self._answer += day.cuts[bisect_left(day.starts, start_ms) : bisect_right(day.starts, end_ms)]
        return self._answer

    def _find_day(self, moment_ms: int) -> int:
        return from_milliseconds(moment_ms).astimezone(self.tz).toordinal()

    def _find_zone(self, moment_ms: int) -> int:
        return self.zones.zone_at(from_milliseconds(moment_ms).astimezone(self.tz))

    def _make_day(self, day: date) -> LocalDay:
        start, end = day_bounds(day, self.tz)
        cuts = sorted({*hour_starts(start, end, self.tz), *self._zone_edges(day, start, end)} - {end})
        starts = tuple(to_milliseconds(cut) for cut in cuts)
        end_ms = to_milliseconds(end)
        slots = tuple(self._make_slots(starts, end_ms))
        return LocalDay(day, to_milliseconds(start), end_ms, slots, starts, tuple(cuts))

    def _make_slots(self, cuts: tuple[int, ...], end_ms: int) -> Iterable[Slot]:
        for left, right in zip(cuts, [*cuts[1:], end_ms], strict=True):
            yield Slot(left, right, self._find_zone(left))

    def _zone_edges(self, day: date, start: datetime, end: datetime) -> Iterable[datetime]:
        """The moments the zone changes; a wall-clock minute may come twice when clocks go back."""
        for minute in self.zones.edges(day):
            wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.tz)
            for moment in (wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)):
                if start <= moment < end and moment.astimezone(self.tz).minute == wall.minute:
                    yield moment


@lru_cache(maxsize=128)
def clock_of(timezone: str, zones: TariffZones) -> PointClock:
    """The clock of an IANA zone and a tariff; the same one every time."""
    return PointClock(timezone, zones)


def day_bounds(day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Where a local day begins and ends, aware UTC: 23, 24 or 25 hours apart."""
    return _midnight(day, tz), _midnight(day + _DAY, tz)


def _midnight(day: date, tz: ZoneInfo) -> datetime:
    # A midnight that clocks skip becomes the moment of the change; of two the first begins the day.
    return datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
