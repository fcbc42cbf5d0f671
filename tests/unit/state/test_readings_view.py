"""What /readings shows of a period: pure, so every case can be tried."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal import i18n
from lk_portal.errors import InputError
from lk_portal.metering.types import Quantity
from lk_portal.services.comparison import Against
from lk_portal.services.consumption import Bar, Basis, Consumption, Grain, Period, PointView
from lk_portal.services.periods import ReadingDays
from lk_portal.state.readings_texts import note
from lk_portal.state.readings_url import ROUTE, Choice, choice_of, query_of, readings_url
from lk_portal.state.readings_view import ReadingsView, view_of

DAY = timedelta(days=1)
POINT = PointView(1, "44/1&x", "", "1", "г.Омск", "Asia/Omsk", datetime(2020, 1, 1, tzinfo=UTC), None)


@pytest.fixture(autouse=True)
def russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n._Active, "locale", "ru")


def bars(period: Period, tz: ZoneInfo, **changes: object) -> tuple[Bar, ...]:
    edges = [*period.slot_starts(tz), period.bounds(tz)[1]]
    made = []
    for start, end in pairwise(edges):
        seconds = int((end - start).total_seconds())
        made.append(Bar(start, end, 1500, (1000, 500, 0, 0), seconds, seconds, 0, is_open=False))
    return tuple(replace(bar, **changes) for bar in made)  # type: ignore[arg-type]


def view(period: Period, found: tuple[Bar, ...], quantity: Quantity = Quantity.A_PLUS) -> ReadingsView:
    return view_of(Consumption(POINT, quantity, period, found))


JUNE = Period(Grain.MONTH, date(2026, 6, 1))
OMSK = ZoneInfo("Asia/Omsk")


def test_a_whole_month() -> None:
    shown = view(JUNE, bars(JUNE, OMSK))

    assert shown.heading == "Июнь 2026"
    assert shown.total == "45,00"
    assert shown.unit == "кВт·ч"
    assert [row[0] for row in shown.rows] == [str(day) for day in range(1, 31)]
    assert [entry[1] for entry in shown.legend] == ["T1", "T2"]
    assert not shown.is_incomplete
    assert not shown.has_estimates
    *zones, slots = shown.figure["data"]
    assert len(zones) == 2
    assert set(slots["marker"]["pattern"]["shape"]) == {""}, "no holes"


def test_a_hole_is_a_hatched_column_and_no_zero() -> None:
    found = list(bars(JUNE, OMSK))
    found[4] = replace(found[4], total_wh=0, zones_wh=(0, 0, 0, 0), covered_s=0)
    shown = view(JUNE, tuple(found))

    *zones, hole = shown.figure["data"]
    assert all(trace["y"][4] is None for trace in zones)
    assert [index for index, shape in enumerate(hole["marker"]["pattern"]["shape"]) if shape] == [4]
    assert shown.rows[4][1:3] == ["—", "нет данных"]
    assert shown.is_incomplete
    assert shown.coverage == "данные за 696 из 720 часов"


def test_a_slot_that_is_still_open_is_no_hole() -> None:
    found = list(bars(JUNE, OMSK))
    found[4] = replace(found[4], total_wh=0, zones_wh=(0, 0, 0, 0), covered_s=0, is_open=True)

    assert not found[4].is_hole
    assert set(view(JUNE, tuple(found)).figure["data"][-1]["marker"]["pattern"]["shape"]) == {""}


def test_an_estimate_is_dotted_and_said() -> None:
    found = list(bars(JUNE, OMSK))
    found[0] = replace(found[0], estimated_s=3600)
    shown = view(JUNE, tuple(found))

    assert shown.has_estimates
    assert shown.figure["data"][0]["marker"]["pattern"]["shape"][:2] == [".", ""]
    assert note(found[0]) == "расчетное"
    assert note(found[1]) == ""


def test_the_future_is_empty_and_not_missing() -> None:
    shown = view(JUNE, bars(JUNE, OMSK, total_wh=0, zones_wh=(0, 0, 0, 0), covered_s=0, expected_s=0))

    assert shown.is_empty
    assert not shown.is_incomplete
    assert shown.total == "—"
    assert not any(shown.targets)


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    period = Period(Grain.DAY, date(2026, 10, 25))
    tz = ZoneInfo("Europe/Berlin")
    consumption = Consumption(
        replace(POINT, timezone="Europe/Berlin"), Quantity.A_PLUS, period, bars(period, tz)
    )
    labels = [row[0] for row in view_of(consumption).rows]

    assert len(labels) == len(set(labels)) == 25
    assert {"02:00 +0200", "02:00 +0100"} <= set(labels)


@pytest.mark.parametrize(
    ("period", "finer"), [(JUNE, "day"), (Period(Grain.YEAR, date(2026, 1, 1)), "month")]
)
def test_a_column_leads_into_itself(period: Period, finer: str) -> None:
    shown = view(period, bars(period, OMSK))

    assert all(f"interval={finer}&" in target for target in shown.targets)
    assert "meter=44%2F1%26x" in shown.targets[0]


def test_up_and_down() -> None:
    day = Period(Grain.DAY, date(2026, 6, 1))
    shown = view(day, bars(day, OMSK))

    assert "interval=month&period=2026-06" in shown.back
    assert "period=2026-05-31" in shown.earlier
    assert "period=2026-06-02" in shown.later
    assert not any(shown.targets)
    assert view(Period(Grain.YEAR, date(2026, 1, 1)), ()).back == ""


def test_reactive_energy_has_its_unit() -> None:
    assert view(JUNE, bars(JUNE, OMSK), Quantity.R_PLUS).unit == "квар·ч"


def test_the_figure_is_plain_json() -> None:
    shown = view(JUNE, bars(JUNE, OMSK))

    assert json.loads(json.dumps(shown.figure)) == shown.figure


CHOICES = st.builds(
    Choice,
    serial=st.text(max_size=40),
    period=st.builds(
        lambda grain, day, basis: Period.containing(grain, day, basis=basis, reading_days=ReadingDays(25)),
        st.sampled_from(Grain),
        st.dates(date(1991, 1, 1), date(2100, 12, 31)),
        st.sampled_from(Basis),
    ),
    quantity=st.sampled_from(Quantity),
    against=st.sampled_from([None, *Against]),
)


@given(CHOICES)
def test_an_address_is_read_back(choice: Choice) -> None:
    url = readings_url(
        serial=choice.serial, period=choice.period, quantity=choice.quantity, against=choice.against
    )
    query = dict(parse_qsl(url.removeprefix(f"{ROUTE}?"), keep_blank_values=True))
    again = choice_of(query, today=date(2000, 1, 1), reading_days=ReadingDays(25))

    assert again == choice
    assert query_of(again) == url.removeprefix(f"{ROUTE}?")


def test_an_empty_address_is_this_month() -> None:
    choice = choice_of({}, today=date(2026, 6, 17), reading_days=ReadingDays(25))

    assert choice == Choice("", JUNE, Quantity.A_PLUS)


@pytest.mark.parametrize(
    "query",
    [
        {"interval": "week"},
        {"energy": "X"},
        {"period": "2026-13"},
        {"period": "июнь"},
        {"period": "9999-01"},
        {"period": "1899-12"},
        {"basis": "lunar"},
        {"compare": "neighbour"},
    ],
)
def test_an_address_that_means_nothing_is_said(query: dict[str, str]) -> None:
    with pytest.raises(InputError):
        choice_of(query, today=date(2026, 6, 17), reading_days=ReadingDays(25))
