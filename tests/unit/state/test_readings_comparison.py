"""What /readings says of a comparison, and how it draws it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lk_portal import i18n
from lk_portal.services.comparison import Against, Comparison, compare, slot_key
from lk_portal.services.consumption import Basis, Consumption, Grain, Period
from lk_portal.services.periods import ReadingDays
from lk_portal.state.readings_comparison import ComparisonView, comparison_view_of
from lk_portal.state.readings_texts import percent, signed
from lk_portal.state.readings_view import view_of
from tests.unit.state.test_readings_texts import NO_DATA, made

OCTOBER = Period(Grain.MONTH, date(2026, 10, 1))
SEPTEMBER = OCTOBER.previous()
HOLE = {**NO_DATA}


@pytest.fixture(autouse=True)
def russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n._Active, "locale", "ru")


def compared(found: Consumption, other: Consumption) -> Comparison:
    """Over the slots that have data on both sides."""
    ours, theirs = (
        {slot_key(bar, of): bar.total_wh for bar in of.bars if bar.covered_s} for of in (found, other)
    )
    return compare(found, other, ours, theirs)


def test_the_difference_is_over_what_both_have() -> None:
    found, other = made(OCTOBER, rest={"total_wh": 1200}), made(SEPTEMBER, HOLE)
    shown = comparison_view_of(found, compared(found, other))

    assert shown.other_heading == "Сентябрь 2026"
    assert (shown.now_total, shown.then_total) == ("34,80", "29,00")
    assert (shown.difference, shown.difference_unit) == ("+5,80", "кВт·ч · +20,0\xa0%")
    assert shown.comparison_notes == [
        "Дней с полными данными в обоих периодах: 29 из 31. Сравниваются только они.",
        "В прежнем периоде есть пропуски.",
    ]
    assert "за то же время: +5,80" in shown.comparison_summary


def test_less_is_told_with_a_minus_and_nothing_in_common_with_a_sentence() -> None:
    found, other = made(OCTOBER), made(SEPTEMBER, rest={"total_wh": 2000})
    empty = made(SEPTEMBER, rest={**NO_DATA, "expected_s": 0})

    assert comparison_view_of(found, compared(found, other)).difference == "−30,00"
    shown = comparison_view_of(found, compared(found, empty))
    assert not shown.is_comparable
    assert shown.comparison_notes[0].startswith("Сравнить эти периоды нельзя")
    assert shown.comparison_notes[1] == "В прежнем периоде прибора учета еще не было."


def test_hours_are_called_hours() -> None:
    day = Period(Grain.DAY, date(2026, 10, 5))
    found, other = made(day, HOLE), made(day.previous())

    notes = comparison_view_of(found, compared(found, other)).comparison_notes
    assert notes[0].startswith("Часов с полными данными в обоих периодах: 23 из 24.")
    assert notes[1] == "В этом периоде есть пропуски."


def test_nothing_is_compared_unless_asked() -> None:
    assert comparison_view_of(made(OCTOBER), None) == ComparisonView()
    assert [row[4] for row in view_of(made(OCTOBER)).rows] == ["—"] * 31
    assert "y3" not in {trace.get("yaxis") for trace in view_of(made(OCTOBER)).figure["data"]}


def test_the_earlier_period_is_an_outline_over_the_same_days() -> None:
    found, other = made(OCTOBER), made(SEPTEMBER, HOLE, {"total_wh": 3000})
    shown = view_of(found, compared(found, other), Against.PREVIOUS)
    [outline] = [trace for trace in shown.figure["data"] if trace.get("yaxis") == "y3"]

    assert outline["y"] == [None, 3.0, *[1.0] * 28, None]
    assert [row[4] for row in shown.rows[:2]] == ["—", "3,00"]
    assert shown.rows[30][4] == "—"
    assert shown.figure["data"][-1]["hovertext"][1] == "2: 1,00 кВт·ч<br>тогда 3,00 кВт·ч"
    for address in (shown.earlier, shown.later, shown.back, *shown.targets):
        assert address.endswith("&compare=previous")


def test_a_billing_period_is_named_by_its_days_everywhere() -> None:
    period = Period.containing(
        Grain.MONTH, date(2026, 11, 1), basis=Basis.BILLING, reading_days=ReadingDays(25)
    )
    shown = view_of(made(period))
    year = view_of(made(period.parent()))

    assert shown.heading == "25 октября — 24 ноября 2026\u202fг."
    assert year.heading == "25 января 2026\u202fг. — 24 января 2027\u202fг."
    assert [row[0] for row in shown.rows][:8] == [f"{n} окт." for n in range(25, 32)] + ["1 нояб."]
    assert [row[0] for row in year.rows][:2] == ["25 янв.", "25 февр."]
    assert year.targets[9].endswith("interval=month&period=2026-10&energy=A_PLUS&basis=billing")
    assert shown.back.endswith("interval=year&period=2026&energy=A_PLUS&basis=billing")


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({**NO_DATA, "expected_s": 0}, "Этот период еще не наступил"),
        ({**NO_DATA, "expected_s": 0, "is_open": True}, "Прибор учета еще не передавал показаний"),
        (NO_DATA, "Прибор учета еще не передавал показаний"),
    ],
)
def test_why_there_is_nothing(changes: dict[str, object], title: str) -> None:
    assert view_of(made(OCTOBER, rest=changes)).empty_title == title


def test_before_the_meter_and_in_a_hole_there_is_another_reason() -> None:
    nothing = made(OCTOBER, rest={**NO_DATA, "expected_s": 0})
    later = replace(nothing.point, since=nothing.bars[-1].end)
    hole = made(OCTOBER, rest=NO_DATA)
    known = replace(hole.point, data_until=hole.bars[0].start)

    assert view_of(replace(nothing, point=later)).empty_title == (
        "Прибор учета установлен 1 ноября 2026\u202fг."
    )
    assert view_of(replace(hole, point=known)).empty_title == "За этот период данных нет"


def test_a_day_that_never_was_shows_nothing_and_does_not_fail() -> None:
    """Samoa had no 30 December 2011."""
    period = Period(Grain.DAY, date(2011, 12, 30))
    found = replace(made(OCTOBER), period=period, bars=())
    shown = view_of(found)

    assert shown.is_empty
    assert shown.rows == []


@pytest.mark.parametrize(
    ("value", "text"), [(12_500, "+12,50"), (-3_000, "−3,00"), (0, "0,00"), (4, "0,00"), (-4, "0,00")]
)
def test_a_difference_has_its_sign(value: int, text: str) -> None:
    assert signed(value) == text


@pytest.mark.parametrize(
    ("difference", "of", "text"),
    [(50, 1000, "+5,0\xa0%"), (-1000, 1000, "−100,0\xa0%"), (5, 0, ""), (1, 10**9, "0,0\xa0%")],
)
def test_a_share_of_nothing_is_none(difference: int, of: int, text: str) -> None:
    assert percent(difference, of) == text
