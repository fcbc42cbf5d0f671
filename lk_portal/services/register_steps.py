"""What one more value of a register means for its mark and for consumption. Pure; for `services.readings`.

`metering.derive` compares two values; here a register remembers, so that a meter that began anew is
believed after a few readings that fit each other (shared/metering.md, rule 5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from lk_portal.errors import ConfigurationError
from lk_portal.metering.derive import Reading, Verdict, judge
from lk_portal.metering.maps import map_named
from lk_portal.metering.types import IntervalFlag, Quantity
from lk_portal.models import ReviewReason
from lk_portal.models.types import from_milliseconds

READINGS_TO_REBASE = 3
DEFAULT_CAPACITY_WH = 10**9
"""Six digits of kWh: a household meter's usual display."""
DEFAULT_MAX_POWER_W = 100_000
"""Three phases of 100 A are 69 kW."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a register can do: where it wraps to zero, and the highest power."""

    capacity_wh: int = DEFAULT_CAPACITY_WH
    max_power_w: int = DEFAULT_MAX_POWER_W


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest accepted value of a register (times in ms since 1970), and a candidate to replace it.

    The candidate is the first of a run of values that do not fit the accepted one but fit each other.
    """

    at_ms: int
    value_wh: int
    candidate_at_ms: int | None = None
    candidate_wh: int | None = None
    candidate_count: int = 0

    @property
    def candidate(self) -> Mark | None:
        """The candidate as a mark of its own."""
        if self.candidate_at_ms is None or self.candidate_wh is None:
            return None
        return Mark(self.candidate_at_ms, self.candidate_wh)


@dataclass(frozen=True, slots=True)
class Span:
    """Energy counted between two moments.

    Attributes:
        start_ms: From, ms since 1970.
        end_ms: Until.
        from_wh: The register at the start, before ratios.
        delta_wh: Its growth, before ratios; across a rollover as if the register had gone on.
        flags: ROLLOVER or RESET.
    """

    start_ms: int
    end_ms: int
    from_wh: int
    delta_wh: int
    flags: IntervalFlag = IntervalFlag.NONE

    def scaled_wh(self, ratio: Decimal) -> int:
        """The energy after КТТ x КТН.

        Both ends are rounded, not the difference: neighbouring spans then add up to what the register says.
        """
        if ratio == 1:
            return self.delta_wh
        return _floor(ratio * (self.from_wh + self.delta_wh)) - _floor(ratio * self.from_wh)


def _floor(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_FLOOR))


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one value.

    Attributes:
        mark: The register's mark from now on.
        span: What to count, if anything.
        reason: Why the value was not taken.
        against: The mark it does not fit.
        is_rebased: The register goes on from a new base; the jump to it is not counted.
    """

    mark: Mark
    span: Span | None = None
    reason: ReviewReason | None = None
    against: Mark | None = None
    is_rebased: bool = False


def advance(mark: Mark | None, at_ms: int, value_wh: int, limits: Limits) -> Step | None:
    """Compare a value with the register's mark; None when it is too old to tell anything."""
    if mark is None:
        return Step(Mark(at_ms, value_wh))
    verdict, delta_wh = _judge(mark, at_ms, value_wh, limits)
    if verdict is Verdict.STALE:
        return None
    if verdict in (Verdict.ACCEPT, Verdict.ROLLOVER):
        flags = IntervalFlag.ROLLOVER if verdict is Verdict.ROLLOVER else IntervalFlag.NONE
        return Step(Mark(at_ms, value_wh), Span(mark.at_ms, at_ms, mark.value_wh, delta_wh, flags))
    reason = ReviewReason.FELL if verdict is Verdict.RESET else ReviewReason.SPIKE
    return _doubt(mark, at_ms, value_wh, limits, reason)


def _doubt(mark: Mark, at_ms: int, value_wh: int, limits: Limits, reason: ReviewReason) -> Step | None:
    """A value that does not fit: the first of its kind, one more, or enough to believe them."""
    verdict, delta_wh = Verdict.RESET, 0
    if mark.candidate:
        verdict, delta_wh = _judge(mark.candidate, at_ms, value_wh, limits)
    if verdict is Verdict.STALE:
        return None
    if mark.candidate is None or verdict is not Verdict.ACCEPT:
        again = replace(mark, candidate_at_ms=at_ms, candidate_wh=value_wh, candidate_count=1)
        return Step(again, reason=reason, against=mark)
    count = mark.candidate_count + 1
    if count < READINGS_TO_REBASE:
        return Step(replace(mark, candidate_count=count), reason=reason, against=mark)
    first = mark.candidate
    span = Span(first.at_ms, at_ms, first.value_wh, delta_wh, IntervalFlag.RESET)
    return Step(Mark(at_ms, value_wh), span, reason, mark, is_rebased=True)


def _judge(mark: Mark, at_ms: int, value_wh: int, limits: Limits) -> tuple[Verdict, int]:
    found = judge(
        Reading(from_milliseconds(mark.at_ms), mark.value_wh),
        Reading(from_milliseconds(at_ms), value_wh),
        capacity_wh=limits.capacity_wh,
        max_power_w=limits.max_power_w,
    )
    return found.verdict, found.delta_wh


def limits_of(map_name: str, quantity: Quantity, zone: int) -> Limits:
    """The limits by the meter's register map; cautious ones for a household where there is none."""
    try:
        registers = map_named(map_name)
    except ConfigurationError:
        return Limits()
    register = registers.register(quantity, zone)
    capacity_wh = register.capacity_wh if register else DEFAULT_CAPACITY_WH
    return Limits(capacity_wh, registers.max_power_w)
