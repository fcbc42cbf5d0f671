"""Periods of a chart: texts for addresses, neighbours, slots."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.errors import InputError
from lk_portal.services.periods import Grain, Period

DATES = st.dates(date(1990, 1, 1), date(2100, 12, 31))
GRAINS = st.sampled_from(list(Grain))


@given(GRAINS, DATES)
def test_a_period_reads_back_from_its_text(grain: Grain, day: date):
    period = Period.containing(grain, day)
    assert Period.parse(grain, str(period)) == period


@given(GRAINS, st.dates(date(1992, 1, 1), date(2099, 12, 31)))
def test_neighbours_touch(grain: Grain, day: date):
    period = Period.containing(grain, day)
    assert period.start <= day < period.end
    assert period.next().start == period.end
    assert period.next().previous() == period


@pytest.mark.parametrize(
    ("grain", "text"),
    [
        (Grain.DAY, "2026-02-30"),
        (Grain.DAY, "2026-11"),
        (Grain.MONTH, "2026-13"),
        (Grain.MONTH, "2026-1"),
        (Grain.YEAR, "1989"),
        (Grain.YEAR, "2101"),
        (Grain.YEAR, "٢٠٢٦"),
        (Grain.YEAR, ""),
        (Grain.DAY, "2026-11-24'--"),
    ],
)
def test_what_is_no_period_is_refused_beside_its_field(grain: Grain, text: str):
    with pytest.raises(InputError) as caught:
        Period.parse(grain, text)
    assert caught.value.field == "period"


@pytest.mark.parametrize(
    ("grain", "day", "slots"),
    [
        (Grain.DAY, date(2026, 3, 29), 23),
        (Grain.DAY, date(2026, 10, 25), 25),
        (Grain.MONTH, date(2028, 2, 1), 29),
        (Grain.YEAR, date(2026, 1, 1), 12),
    ],
)
def test_slots_by_the_local_calendar(grain: Grain, day: date, slots: int):
    starts = Period(grain, day).slot_starts(ZoneInfo("Europe/Berlin"))
    assert len(starts) == slots
    assert starts == sorted(set(starts))
