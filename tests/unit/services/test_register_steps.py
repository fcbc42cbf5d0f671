"""What one more value of a register means, and ratios."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lk_portal.metering.maps import known_maps
from lk_portal.metering.types import IntervalFlag, Quantity
from lk_portal.models import ReviewReason
from lk_portal.services.register_steps import Limits, Mark, Span, Step, advance, limits_of

HOUR = 3_600_000
LIMITS = Limits(capacity_wh=1_000_000, max_power_w=10_000)


def feed(mark: Mark | None, *values: tuple[int, int]) -> list[Step | None]:
    """Advance through (hour, value) pairs, keeping the mark."""
    steps = []
    for hour, value_wh in values:
        step = advance(mark, hour * HOUR, value_wh, LIMITS)
        mark = step.mark if step else mark
        steps.append(step)
    return steps


def test_the_first_value_is_a_mark_and_counts_nothing():
    assert advance(None, HOUR, 500, LIMITS) == Step(Mark(HOUR, 500))


def test_growth_counts():
    step = advance(Mark(0, 500), HOUR, 1700, LIMITS)
    assert step == Step(Mark(HOUR, 1700), Span(0, HOUR, 500, 1200))


def test_an_older_or_equal_time_tells_nothing():
    assert advance(Mark(HOUR, 500), HOUR, 900, LIMITS) is None
    assert advance(Mark(HOUR, 500), 0, 900, LIMITS) is None


def test_a_rollover_counts_across():
    step = advance(Mark(0, 999_000), HOUR, 500, LIMITS)
    assert step is not None
    assert step.span == Span(0, HOUR, 999_000, 1500, IntervalFlag.ROLLOVER)


def test_a_spike_is_doubted_and_the_next_good_value_counts_all():
    spike, good = feed(Mark(0, 500), (1, 500 + 10**15), (2, 2500))
    assert spike is not None
    assert spike.span is None
    assert spike.reason is ReviewReason.SPIKE
    assert spike.mark.value_wh == 500
    assert good is not None
    assert good.span == Span(0, 2 * HOUR, 500, 2000)
    assert good.mark.candidate is None


def test_after_three_that_fit_each_other_the_register_goes_on_from_the_first():
    first, second, third, fourth = feed(Mark(0, 500_000), (1, 100), (2, 300), (3, 700), (4, 900))
    assert [step and step.reason for step in (first, second, third)] == [ReviewReason.FELL] * 3
    assert first is not None and first.span is None
    assert second is not None and second.span is None
    assert third is not None and third.is_rebased
    assert third.span == Span(HOUR, 3 * HOUR, 100, 600, IntervalFlag.RESET)
    assert fourth is not None
    assert fourth.span == Span(3 * HOUR, 4 * HOUR, 700, 200)


def test_values_that_do_not_fit_each_other_never_rebase():
    steps = feed(Mark(0, 500_000), (1, 100), (2, 300_000), (3, 50), (4, 250_000), (5, 20))
    assert all(step is not None and not step.is_rebased and step.span is None for step in steps)
    assert all(step.mark.value_wh == 500_000 for step in steps if step)


def test_a_good_value_ends_the_candidates_run():
    steps = feed(Mark(0, 500_000), (1, 100), (2, 300), (3, 500_100), (4, 400), (5, 500))
    assert not any(step and step.is_rebased for step in steps)


@given(
    ratio=st.decimals("0.0001", "6000", places=4),
    growth=st.lists(st.integers(0, 10**7), min_size=1, max_size=30),
    begin=st.integers(0, 10**9),
)
def test_ratios_do_not_lose_or_invent_energy_over_many_spans(ratio: Decimal, growth: list[int], begin: int):
    values = [begin]
    for delta in growth:
        values.append(values[-1] + delta)
    spans = [Span(0, 1, before, after - before) for before, after in pairwise(values)]
    whole = Span(0, 1, begin, sum(growth))
    assert sum(span.scaled_wh(ratio) for span in spans) == whole.scaled_wh(ratio)
    assert abs(whole.scaled_wh(ratio) - ratio * sum(growth)) < 1


def test_limits_come_from_the_map_or_are_those_of_a_household():
    known = known_maps()[0]
    register = known.registers[0]
    assert limits_of(known.name, register.quantity, register.zone) == Limits(
        register.capacity_wh, known.max_power_w
    )
    assert limits_of("no-such-map", Quantity.A_PLUS, 0) == Limits()
