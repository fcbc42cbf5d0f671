"""What /readings says of a period, against hours and days made up here: sums, holes, labels, markup."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lk_portal import i18n
from lk_portal.errors import InputError
from lk_portal.i18n import kwh
from lk_portal.metering.types import Quantity
from lk_portal.services.consumption import Bar, Consumption, Grain, Period, PointView
from lk_portal.services.periods import ReadingDays
from lk_portal.state.meter_choice import meter_text
from lk_portal.state.readings import PRIVATE, ReadingsState, _period_of
from lk_portal.state.readings_comparison import ComparisonView
from lk_portal.state.readings_figure import HOLE_COLOR
from lk_portal.state.readings_texts import coverage_text, period_text
from lk_portal.state.readings_url import choice_of
from lk_portal.state.readings_view import ReadingsView, view_of

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
MARKUP = '<img src=x onerror="alert(1)">&amp;'
DAY = Period(Grain.DAY, date(2026, 6, 1))
MONTH = Period(Grain.MONTH, date(2026, 6, 1))
YEAR = Period(Grain.YEAR, date(2026, 1, 1))
NO_DATA = {"total_wh": 0, "zones_wh": (0, 0, 0, 0), "covered_s": 0}

BARS = st.builds(
    lambda zones, rest, covered, expected, estimated, is_open: {
        "zones_wh": zones if covered else (0, 0, 0, 0),
        "total_wh": sum(zones) + rest if covered else 0,
        "covered_s": covered,
        "expected_s": max(expected, covered),
        "estimated_s": min(estimated, covered),
        "is_open": is_open,
    },
    st.tuples(*[st.sampled_from([0, 0, 1, 1234, 10**7])] * 4),
    st.sampled_from([0, 0, 777]),
    st.sampled_from([0, 0, 900, 3600]),
    st.sampled_from([0, 3600]),
    st.sampled_from([0, 0, 600]),
    st.booleans(),
)


@pytest.fixture(autouse=True, scope="module")
def russian() -> object:
    patch = pytest.MonkeyPatch()
    patch.setattr(i18n._Active, "locale", "ru")
    yield
    patch.undo()


def point(timezone: str = "Asia/Omsk", serial: str = "1", name: str = "", **more: object) -> PointView:
    values = {"account": "1", "address": "г. Омск", "since": SINCE, "data_until": None, **more}
    return PointView(point_id=1, serial=serial, name=name, timezone=timezone, **values)  # type: ignore[arg-type]


def made(
    period: Period,
    *changes: dict[str, object],
    at: PointView | None = None,
    quantity: Quantity = Quantity.A_PLUS,
    rest: dict[str, object] | None = None,
) -> Consumption:
    """A period whose first bars are as told and the others like `rest`; 1 kWh each if nothing is said."""
    at = at or point()
    tz = ZoneInfo(at.timezone)
    bars = []
    for number, (start, end) in enumerate(pairwise([*period.slot_starts(tz), period.bounds(tz)[1]])):
        seconds = int((end - start).total_seconds())
        values: dict[str, object] = {
            "total_wh": 1000,
            "zones_wh": (0, 0, 0, 0),
            "covered_s": seconds,
            "expected_s": seconds,
            "estimated_s": 0,
            "is_open": False,
            **(changes[number] if number < len(changes) else rest or {}),
        }
        bars.append(Bar(start=start, end=end, **values))  # type: ignore[arg-type]
    return Consumption(at, quantity, period, tuple(bars))


def words(shown: ReadingsView) -> str:
    """Everything that is sent to the page, as one text."""
    sent = shown.__dataclass_fields__.keys() - PRIVATE.keys()
    return json.dumps({name: getattr(shown, name) for name in sent}, ensure_ascii=False)


@pytest.mark.parametrize("period", [DAY, MONTH, YEAR])
def test_a_period_without_data_is_never_zero(period: Period) -> None:
    shown = view_of(made(period, rest=NO_DATA))

    assert shown.is_empty
    assert shown.summary == f"{period_text(period)}: нет данных"
    assert {shown.total, shown.average, shown.peak, *(row[1] for row in shown.rows)} == {"—"}
    assert "0,00" not in words(shown)


@pytest.mark.parametrize("period", [DAY, MONTH, YEAR])
def test_a_measured_zero_is_a_zero(period: Period) -> None:
    shown = view_of(made(period, rest={"total_wh": 0}))

    assert not shown.is_empty
    assert shown.summary == f"{period_text(period)}: 0,00 кВт·ч"
    assert {shown.total, shown.average, shown.peak, *(row[1] for row in shown.rows)} == {"0,00"}
    assert all(value == 0 for value in shown.figure["data"][0]["y"])


@settings(max_examples=60)
@given(st.lists(BARS, min_size=24, max_size=24))
def test_table_figure_and_sums_tell_the_same(changes: list[dict[str, object]]) -> None:
    consumption = made(DAY, *changes)
    shown = view_of(consumption)
    *traces, slots = shown.figure["data"]
    hatched = [shape == "/" for shape in slots["marker"]["pattern"]["shape"]]

    assert json.loads(json.dumps(shown.figure, allow_nan=False)) == shown.figure
    assert len(shown.rows) == len(shown.targets) == 24
    assert slots["y"] == [1 if bar.expected_s else None for bar in consumption.bars]
    for index, (bar, row) in enumerate(zip(consumption.bars, shown.rows, strict=True)):
        drawn = [trace["y"][index] for trace in traces]
        if bar.covered_s:
            assert sum(drawn) * 1000 == pytest.approx(bar.total_wh)
            assert row[1] == kwh(bar.total_wh)
        else:
            assert set(drawn) == {None}
            assert row[1] == "—"
        assert hatched[index] == bar.is_hole
        assert ("нет данных" in slots["hovertext"][index]) == bar.is_hole
        assert ("нет данных" in row[2]) == bar.is_hole
        assert ("расчетное" in row[2]) == bool(bar.estimated_s)
        assert all(
            (trace["marker"]["pattern"]["shape"][index] == ".") == bool(bar.estimated_s) for trace in traces
        )
    assert shown.is_incomplete == any(bar.covered_s < bar.expected_s for bar in consumption.bars)


@pytest.mark.parametrize(
    ("zones", "total", "names"),
    [
        ((0, 0, 0, 0), 5, []),
        ((5, 0, 0, 0), 5, []),
        ((5, 1, 0, 0), 6, ["T1", "T2"]),
        ((5, 0, 3, 1), 9, ["T1", "T3", "T4"]),
        ((5, 0, 0, 0), 6, ["Без зоны", "T1"]),
    ],
)
def test_a_legend_is_there_for_several_zones_only(
    zones: tuple[int, ...], total: int, names: list[str]
) -> None:
    shown = view_of(made(DAY, {"zones_wh": zones, "total_wh": total}, rest=NO_DATA))
    colors = [trace["marker"]["color"] for trace in shown.figure["data"] if "yaxis" not in trace]

    assert [entry[1] for entry in shown.legend] == names
    assert [entry[0] for entry in shown.legend] == (colors if names else [])
    assert len(set(colors)) == len(colors) == max(1, len(names))
    assert HOLE_COLOR not in colors


@pytest.mark.parametrize(
    ("covered", "expected", "text"),
    [
        (24, 24, "данные за 24 из 24 часов"),
        (1.5, 24, "данные за 1,5 из 24 часов"),
        (0, 744, "данные за 0 из 744 часов"),
        (1234, 8760, "данные за 1\xa0234 из 8\xa0760 часов"),
    ],
)
def test_coverage_is_said_in_hours(covered: float, expected: int, text: str) -> None:
    bar = {"covered_s": int(covered * 3600), "expected_s": expected * 3600}
    nothing = {"covered_s": 0, "expected_s": 0}

    assert coverage_text(made(DAY, bar, rest=nothing)) == text


@pytest.mark.parametrize(
    ("is_open", "text"), [(True, "данные за 2 из 3 часов"), (False, "данные за 2 из 3,1 часов")]
)
def test_an_hour_that_still_runs_is_not_missed(is_open: bool, text: str) -> None:
    bar = {"covered_s": 2 * 3600, "expected_s": 3 * 3600 + 360, "is_open": is_open}

    assert coverage_text(made(DAY, bar, rest={"covered_s": 0, "expected_s": 0})) == text


@pytest.mark.parametrize(
    ("timezone", "day", "slots", "some"),
    [
        ("Asia/Omsk", date(2026, 6, 1), 24, {"00:00", "23:00"}),
        ("Asia/Kolkata", date(2026, 6, 1), 24, {"00:00", "23:00"}),
        ("Europe/Berlin", date(2026, 10, 25), 25, {"02:00 +0200", "02:00 +0100", "03:00"}),
        ("Europe/Berlin", date(2026, 3, 29), 23, {"01:00", "03:00"}),
        ("America/Havana", date(2026, 11, 1), 25, {"00:00 -0400", "00:00 -0500"}),
        ("America/Santiago", date(2026, 9, 6), 23, {"01:00"}),
        ("Australia/Lord_Howe", date(2026, 4, 5), 25, {"01:00", "01:30"}),
    ],
)
def test_every_hour_has_a_name_of_its_own(timezone: str, day: date, slots: int, some: set[str]) -> None:
    labels = [row[0] for row in view_of(made(Period(Grain.DAY, day), at=point(timezone))).rows]

    assert len(set(labels)) == len(labels) == slots
    assert some <= set(labels)


def test_months_and_days_are_named() -> None:
    year, month = view_of(made(YEAR)), view_of(made(MONTH))

    assert [row[0] for row in year.rows][:2] == ["янв.", "февр."]
    assert [row[0] for row in month.rows] == [str(day) for day in range(1, 31)]
    assert (year.heading, month.heading) == ("2026", "Июнь 2026")
    assert view_of(made(DAY)).heading == "1 июня 2026\u202fг."


def test_the_peak_is_the_largest_column_and_the_average_is_of_what_is_known() -> None:
    shown = view_of(made(DAY, NO_DATA, {"total_wh": 9000}, {"total_wh": 9000}, rest={"total_wh": 500}))

    assert (shown.peak, shown.peak_unit) == ("9,00", "кВт·ч · 01:00")
    month = view_of(made(MONTH, {}, {"total_wh": 9000}, rest={"total_wh": 500}))
    assert month.peak_unit == "кВт·ч · 2\u00a0июн."  # no axis beside it says of which month
    assert shown.total == "28,50"
    assert shown.average == kwh(round(28_500 * 24 / 23))


def test_columns_that_have_not_begun_lead_nowhere() -> None:
    nothing = {**NO_DATA, "expected_s": 0}
    shown = view_of(made(MONTH, {}, {**NO_DATA}, rest=nothing))

    assert [bool(target) for target in shown.targets] == [True, True] + [False] * 28
    assert shown.targets[1].endswith("&interval=day&period=2026-06-02&energy=A_PLUS")
    assert [row[3] for row in shown.rows] == shown.targets


def test_markup_in_names_stays_text() -> None:
    at = point(serial=MARKUP, name=MARKUP, address=MARKUP)
    shown = view_of(made(MONTH, at=at))

    assert "<img" not in words(shown)
    assert "<img" not in json.dumps(shown.targets)
    assert "meter=%3Cimg%20src%3Dx%20onerror%3D%22alert%281%29%22%3E%26amp%3B&" in shown.earlier
    assert meter_text(at) == f"{MARKUP} · {MARKUP}", "React writes it as text; nothing is lost or added"
    assert meter_text(point(serial="SN-1")) == "SN-1 · г. Омск"


def test_freshness_is_in_the_premises_time() -> None:
    until = datetime(2026, 6, 1, 18, 30, tzinfo=UTC)

    assert view_of(made(DAY, at=point(data_until=until))).fresh == "Данные на 02.06.2026, 00:30"
    assert view_of(made(DAY)).fresh == ""


@pytest.mark.parametrize(
    ("form", "period"),
    [
        ({"interval": "day", "day": "2026-06-01", "month": "7", "year": "2020"}, DAY),
        ({"interval": "month", "month": "6", "year": "2026"}, MONTH),
        ({"interval": "year", "year": "2026"}, YEAR),
    ],
)
def test_the_form_names_a_period(form: dict[str, str], period: Period) -> None:
    assert _period_of(form) == period


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"interval": "day"},
        {"interval": "month", "year": "2026"},
        {"interval": "month", "month": "13", "year": "2026"},
        {"interval": "year", "year": "<b>"},
        {"interval": "week", "year": "20"},
    ],
)
def test_a_form_that_names_none_is_told(form: dict[str, str]) -> None:
    with pytest.raises(InputError):
        _period_of(form)


def test_a_serial_from_an_address_is_cut() -> None:
    assert (
        choice_of({"meter": "x" * 1000}, today=date(2026, 6, 17), reading_days=ReadingDays(25)).serial
        == "x" * 64
    )
    assert (
        choice_of({"meter": MARKUP}, today=date(2026, 6, 17), reading_days=ReadingDays(25)).serial == MARKUP
    )


def test_every_part_of_the_view_has_its_place_in_the_state() -> None:
    """`_show` copies by name; a name that the state lacks would only fail on an open page."""
    for view in (ReadingsView, ComparisonView):
        assert view.__dataclass_fields__.keys() - PRIVATE.keys() <= ReadingsState.base_vars.keys()
    assert all(hasattr(ReadingsState, name) for name in PRIVATE.values())
    assert set(PRIVATE) <= ReadingsView.__dataclass_fields__.keys()
