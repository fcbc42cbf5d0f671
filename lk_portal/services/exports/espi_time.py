"""A time zone as ESPI's LocalTimeParameters say it: offsets and rules of 32 bits. Pure; for the Green Button.

The encoding is that of DstRuleType in the ESPI 4.0 schema: seconds in bits 0-11, hours in 12-16, the day of
the week in 17-19 (Monday is 1), the day of the month in 20-24, the operator in 25-27, the month in 28-31.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NO_RULE = "FFFFFFFF"
"""Rule processing is disabled: there is no daylight saving time."""
_LAST_OF_MONTH = 7
_NTH_OF_MONTH = 1
"""The operator of the n-th weekday of a month is n and this."""
_YEARS_AROUND = (0, 1, -1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """LocalTimeParameters: seconds east of UTC in standard time, what is added in summer, and when."""

    tz_offset_s: int
    dst_offset_s: int
    start_rule: str
    end_rule: str


@dataclass(frozen=True, slots=True)
class _Change:
    """Clocks are put forward or back; `wall` is what they showed then."""

    wall: datetime
    before_s: int
    after_s: int


def local_time(tz: ZoneInfo, year: int) -> LocalTime:
    """The rules of a zone in a year: those of a zone that changes its clocks twice, else one offset.

    A zone that gave its clocks another offset for good in that year has that of the year's end.
    """
    changes = _changes(tz, year)
    start = next((one for one in changes if one.after_s > one.before_s), None)
    end = next((one for one in changes if one.after_s < one.before_s), None)
    if len(changes) != len((start, end)) or start is None or end is None or start.before_s != end.after_s:
        return LocalTime(_offset_s(tz, datetime(year, 12, 31, 12, tzinfo=UTC)), 0, NO_RULE, NO_RULE)
    years = [_changes(tz, year + more) for more in _YEARS_AROUND]
    starts, ends = ([one for of in years for one in of if _is_forward(one) is way] for way in (True, False))
    saving_s = start.after_s - start.before_s
    return LocalTime(start.before_s, saving_s, _rule(start, starts), _rule(end, ends))


def _is_forward(change: _Change) -> bool:
    return change.after_s > change.before_s


def _changes(tz: ZoneInfo, year: int) -> list[_Change]:
    """When the offset changes in a year, to the second."""
    return list(_find(tz, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)))


def _find(tz: ZoneInfo, first: datetime, after: datetime) -> Iterator[_Change]:
    at = first
    while at < after:
        following = min(at + 24 * _HOUR, after)
        before_s, after_s = _offset_s(tz, at), _offset_s(tz, following)
        if before_s != after_s:
            moment = _moment(tz, at, following)
            wall = (moment + timedelta(seconds=before_s)).replace(tzinfo=None)
            yield _Change(wall, before_s, after_s)
        at = following


def _moment(tz: ZoneInfo, at: datetime, following: datetime) -> datetime:
    """The first second in (at, following] with another offset than `at` has."""
    low, high = 0, int((following - at).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        is_same = _offset_s(tz, at + timedelta(seconds=middle)) == _offset_s(tz, at)
        low, high = (middle, high) if is_same else (low, middle)
    return at + timedelta(seconds=high)


def _offset_s(tz: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(tz).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _rule(change: _Change, others: Sequence[_Change]) -> str:
    """A weekday of a month if the neighbouring years agree on it, else the day of this year."""
    wall = change.wall
    for operator in (_LAST_OF_MONTH, _NTH_OF_MONTH + (wall.day + 6) // 7):
        if all(_fits(one.wall, wall, operator) for one in others):
            return _encoded(wall, operator=operator, weekday=wall.isoweekday(), day=0)
    return _encoded(wall, operator=0, weekday=0, day=wall.day)


def _fits(other: datetime, wall: datetime, operator: int) -> bool:
    is_alike = (other.month, other.isoweekday(), other.time()) == (
        wall.month,
        wall.isoweekday(),
        wall.time(),
    )
    if operator == _LAST_OF_MONTH:
        return is_alike and (other + timedelta(days=7)).month != other.month
    return is_alike and _NTH_OF_MONTH + (other.day + 6) // 7 == operator


def _encoded(wall: datetime, *, operator: int, weekday: int, day: int) -> str:
    seconds = wall.minute * 60 + wall.second
    bits = wall.month << 28 | operator << 25 | day << 20 | weekday << 17 | wall.hour << 12 | seconds
    return f"{bits:08X}"
