"""From two snapshots of a register to the energy of the intervals between them: pure functions.

A Modbus meter keeps no load profile, so services derive one here. `judge` decides what a pair of values
means, `pieces` shares the difference out to hours and tariff zones without losing or inventing a Wh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from lk_portal.metering.types import IntervalFlag, Quality

HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_HOUR_US = 3_600_000_000
DEFAULT_TOLERANCE_WH = 1000
"""Covers a register's resolution (0.1 kWh) and the seconds an answer may be late at the highest power."""

Weights = Callable[[datetime, datetime], int]
"""How much of a profile's energy lies in [start, end); only the proportions matter."""


class Verdict(StrEnum):
    """What a register's new value means beside its last accepted one."""

    ACCEPT = "accept"
    """It grew by what is possible."""
    ROLLOVER = "rollover"
    """It passed its capacity and began at zero; the energy across is known."""
    RESET = "reset"
    """It fell for another reason; the energy across is unknown, for a person to review."""
    SPIKE = "spike"
    """It grew by more than is physically possible; the new value is not to be believed."""
    STALE = "stale"
    """It is not newer than the accepted one; nothing to derive."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A register's value at a moment.

    Attributes:
        at: Aware UTC.
        value_wh: Wh or varh before ratios.
    """

    at: datetime
    value_wh: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and the energy it allows to count.

    Attributes:
        verdict: What the new value means.
        delta_wh: Energy between the two; 0 unless the verdict is ACCEPT or ROLLOVER.
    """

    verdict: Verdict
    delta_wh: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Energy of a part of one interval.

    Attributes:
        start: Aware UTC, included.
        end: Aware UTC, excluded.
        value_wh: Wh or varh before ratios.
        flags: What else is to be known.
        quality: Measured, or estimated where it was spread.
    """

    start: datetime
    end: datetime
    value_wh: int
    flags: IntervalFlag
    quality: Quality


def judge(
    previous: Reading,
    current: Reading,
    *,
    capacity_wh: int,
    max_power_w: int,
    tolerance_wh: int = DEFAULT_TOLERANCE_WH,
) -> Judgement:
    """Tell growth, rollover, reset and spike apart.

    A fall is a rollover only where the earlier value was above 90 % of the capacity and the energy across
    is possible at `max_power_w`; else a reset or a replaced meter (shared/metering.md, rule 5).

    Args:
        previous: The last accepted value.
        current: The new one.
        capacity_wh: Where the register wraps to zero.
        max_power_w: What the meter can physically carry.
        tolerance_wh: Added to what is possible.
    """
    if current.at <= previous.at:
        return Judgement(Verdict.STALE)
    possible_wh = _possible_wh(current.at - previous.at, max_power_w) + tolerance_wh
    delta_wh = current.value_wh - previous.value_wh
    if delta_wh >= 0:
        return Judgement(Verdict.ACCEPT, delta_wh) if delta_wh <= possible_wh else Judgement(Verdict.SPIKE)
    across_wh = capacity_wh + delta_wh
    was_near_the_top = previous.value_wh * 10 > capacity_wh * 9
    if was_near_the_top and 0 <= across_wh <= possible_wh:
        return Judgement(Verdict.ROLLOVER, across_wh)
    return Judgement(Verdict.RESET)


def _possible_wh(elapsed: timedelta, max_power_w: int) -> int:
    return max_power_w * (elapsed // _MICROSECOND) // _HOUR_US


def pieces(
    start: datetime,
    end: datetime,
    delta_wh: int,
    *,
    boundaries: Iterable[datetime],
    weights: Weights | None = None,
    flags: IntervalFlag = IntervalFlag.NONE,
) -> list[Piece]:
    """Share `delta_wh` between two snapshots out to the intervals they touch.

    The register is interpolated at every boundary, cumulatively and in integers, so the pieces are
    contiguous, half-open, not negative and sum exactly to `delta_wh`. A piece that is a whole interval
    without a snapshot at both of its ends is ESTIMATED and SPREAD; a piece at an edge is SPLIT, and stays
    MEASURED when the snapshots are at most an hour apart.

    Args:
        start: The earlier snapshot, aware UTC.
        end: The later one.
        delta_wh: Energy between them, not negative.
        boundaries: Where intervals begin: hours (`hour_starts`) and edges of tariff zones. Those equal to
            `start` or `end` tell that a snapshot lies exactly on a boundary; those outside are ignored.
        weights: A profile to follow instead of constant power, for long gaps.
        flags: Added to every piece (e.g. ROLLOVER).

    Raises:
        ValueError: `end` is not after `start`, or `delta_wh` is negative.
    """
    if end <= start or delta_wh < 0:
        raise ValueError(f"cannot share {delta_wh} Wh out between {start} and {end}")
    marks = {mark for mark in boundaries if start <= mark <= end}
    cuts = sorted(marks | {start, end})
    totals = _cumulative(cuts, delta_wh, weights)
    is_short = end - start <= HOUR
    found = []
    for (left, right), (before, after) in zip(pairwise(cuts), pairwise(totals), strict=True):
        is_exact = left == start and right == end
        is_whole = left in marks and right in marks
        flag, quality = _nature(is_exact=is_exact, is_whole=is_whole, is_short=is_short)
        found.append(Piece(left, right, after - before, flags | flag, quality))
    return found


def _nature(*, is_exact: bool, is_whole: bool, is_short: bool) -> tuple[IntervalFlag, Quality]:
    if is_exact:
        return IntervalFlag.NONE, Quality.MEASURED
    if is_whole:
        return IntervalFlag.SPREAD, Quality.ESTIMATED
    return IntervalFlag.SPLIT, Quality.MEASURED if is_short else Quality.ESTIMATED


def _cumulative(cuts: list[datetime], delta_wh: int, weights: Weights | None) -> list[int]:
    """The register's growth since the first cut, at each cut; ends with exactly `delta_wh`."""
    shares = [0]
    for left, right in pairwise(cuts):
        share = weights(left, right) if weights else (right - left) // _MICROSECOND
        shares.append(shares[-1] + share)
    if not shares[-1]:  # the profile knows nothing of this time
        return _cumulative(cuts, delta_wh, None)
    return [delta_wh * share // shares[-1] for share in shares]


def hour_starts(start: datetime, end: datetime, tz: ZoneInfo) -> tuple[datetime, ...]:
    """The moments in [start, end], aware UTC, at which a local hour of `tz` begins.

    These are UTC's hours only where the zone's offset is of whole hours. A clock change is a boundary too,
    wherever it falls: no interval may lie in two local hours.
    """
    found = [start] if _begins_hour(start, tz) else []
    at = _next_hour(start, tz)
    while at <= end:
        found.append(at)
        at = _next_hour(at, tz)
    return tuple(found)


def _offset(at: datetime, tz: ZoneInfo) -> timedelta:
    offset = at.astimezone(tz).utcoffset()
    return offset if offset is not None else timedelta(0)


def _past_hour(at: datetime, tz: ZoneInfo) -> timedelta:
    """How long ago the local hour began, by the offset in force at `at`."""
    local = at.astimezone(tz)
    return timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _begins_hour(at: datetime, tz: ZoneInfo) -> bool:
    return not _past_hour(at, tz) or _offset(at - _MICROSECOND, tz) != _offset(at, tz)


def _next_hour(at: datetime, tz: ZoneInfo) -> datetime:
    """The first boundary after `at`."""
    regular = at + HOUR - _past_hour(at, tz)
    offset = _offset(at, tz)
    if _offset(regular, tz) == offset:
        return regular
    low, high = at.replace(microsecond=0), regular  # clocks change at whole seconds of UTC
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if _offset(middle, tz) == offset:
            low = middle
        else:
            high = middle
    return high
