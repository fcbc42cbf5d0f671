"""The sentences and the little chart of the home page: every figure honest, every hole said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.i18n import using_locale
from lk_portal.metering.events import lookup
from lk_portal.metering.types import LoadState, Severity
from lk_portal.services.load_state import Load
from lk_portal.services.month_days import DayUse, MonthDays
from lk_portal.services.overview import AccountNow, Answer, LastEvents, MeterNow, Overview, Tickets
from lk_portal.services.periods import Grain, Period
from lk_portal.state.home_view import HEIGHT, MOST_ACCOUNTS, HomeView, sparkline, view_of

OMSK = ZoneInfo("Asia/Omsk")
NOW = datetime(2026, 11, 5, 6, tzinfo=UTC)
TODAY = date(2026, 11, 5)
DAY_S = 86_400
NO_TICKETS = Tickets(0, 0, None)


@pytest.fixture(autouse=True)
def russian() -> Iterator[None]:
    with using_locale("ru"):
        yield


def days(first: date, *values: int | None) -> list[tuple[date, int, int]]:
    told = ((first + timedelta(days=step), value) for step, value in enumerate(values))
    return [(day, value, DAY_S) for day, value in told if value is not None]


def meter(*stored: list[tuple[date, int, int]], name: str = "", serial: str = "SN1") -> MeterNow:
    rows = [row for one in stored for row in one]
    return MeterNow(
        point_id=1,
        serial=serial,
        name=name,
        load=Load(LoadState.OFF, NOW),
        data_until=NOW if rows else None,
        reading_wh=1_234_560 if rows else None,
        reading_at=NOW if rows else None,
        month=MonthDays.of(rows, zone=OMSK, since=date(2020, 1, 1), today=TODAY),
    )


def shown(*meters: MeterNow, note: str = "") -> dict[str, str]:
    account = AccountNow(
        "5500", note, "г. Омск, д.1", OMSK, Period(Grain.MONTH, date(2026, 11, 1)), tuple(meters)
    )
    return view_of(Overview((account,), (), NO_TICKETS), now=NOW).accounts[0]


OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def test_less_than_last_month_is_said_with_both_figures() -> None:
    row = shown(meter(days(OCTOBER, *[10_000] * 31), days(NOVEMBER, *[9_000] * 4, 1_000)))

    assert (row["figure"], row["before"], row["change_kind"]) == ("37", "40", "less")
    assert row["before_label"] == "Те же дни прошлого месяца (1–4 окт.):"
    assert row["change"] == "сейчас на 10 % меньше: 36 кВт·ч за 1–4 нояб."
    assert row["left_out"] == ""


@pytest.mark.parametrize(
    ("now", "kind", "said"),
    [
        (10_000, "same", "столько же: 40 кВт·ч"),
        (15_000, "more", "на 50 % больше: 60 кВт·ч"),
        (10_010, "same", "столько же: 40 кВт·ч"),
    ],
)
def test_as_much_and_more_are_said_too(now: int, kind: str, said: str) -> None:
    row = shown(meter(days(OCTOBER, *[10_000] * 31), days(NOVEMBER, *[now] * 4)))

    assert row["change_kind"] == kind
    assert said in row["change"]


def test_after_a_month_of_nothing_everything_is_more() -> None:
    row = shown(meter(days(OCTOBER, *[0] * 31), days(NOVEMBER, *[1_000] * 4)))

    assert "на 100 % больше" in row["change"]


def test_what_was_left_out_of_the_comparison_is_said() -> None:
    row = shown(meter(days(OCTOBER, *[10_000] * 31), days(NOVEMBER, 9_000, None, 9_000, 9_000)))

    assert row["left_out"] == "Сравнены только дни, за которые есть данные в обоих месяцах: 3 из 4."
    assert row["holes_text"] == "Нет данных за 1 день: показан штриховкой."
    assert "сейчас на 10 % меньше: 27 кВт·ч" in row["change"]


def test_without_anything_to_compare_nothing_is_claimed() -> None:
    row = shown(meter(days(NOVEMBER, 9_000, 9_000)))

    assert (row["before"], row["change"], row["change_kind"]) == ("", "", "")
    assert row["left_out"] == "Сравнить с прошлым месяцем пока не с чем."


def test_a_meter_without_data_has_no_figure_rather_than_zero() -> None:
    row = shown(meter())

    assert (row["figure"], row["fresh"], row["reading"]) == ("", "Данных пока нет", "")
    assert row["chart_text"] == "За этот месяц данных пока нет."
    assert "0" not in row["figure"]


def test_a_month_of_which_nothing_is_known_yet_has_no_figure_either() -> None:
    """Neither in its first hour nor weeks after the meter fell silent is nothing known the same as zero."""
    silent = meter(days(OCTOBER, *[9_000] * 31))

    assert shown(silent)["figure"] == ""
    assert shown(silent, meter(days(NOVEMBER, 2_000), serial="SN2"))["figure"] == "2"
    view = view_of(
        Overview(
            (AccountNow("5500", "", "г. Омск", OMSK, Period(Grain.MONTH, NOVEMBER), (silent,)),),
            (),
            NO_TICKETS,
        ),
        now=NOW,
    )
    assert view.meters["5500"][0]["figure"] == ""
    assert shown(meter(days(NOVEMBER, 0)))["figure"] == "0"


def test_several_meters_make_one_sum_and_a_row_each() -> None:
    account = AccountNow(
        "5500",
        "Дача",
        "г. Омск, д.1",
        OMSK,
        Period(Grain.MONTH, NOVEMBER),
        (
            meter(days(NOVEMBER, 9_000), name="Дом"),
            meter(days(NOVEMBER, 1_000), serial="SN2"),
        ),
    )
    view = view_of(Overview((account,), (), NO_TICKETS), now=NOW)

    assert (view.accounts[0]["name"], view.accounts[0]["address"]) == ("Дача", "г. Омск, д.1")
    assert (view.accounts[0]["figure"], view.accounts[0]["is_shared"]) == ("10", "yes")
    assert (view.accounts[0]["link"], view.accounts[0]["reading"]) == ("", "")
    rows = view.meters["5500"]
    assert [(row["name"], row["figure"], row["load"]) for row in rows] == [
        ("Дом", "9", "ОТКЛЮЧЕНО"),
        ("SN2", "1", "ОТКЛЮЧЕНО"),
    ]
    assert rows[1]["link"].startswith("/readings?meter=SN2&interval=month&period=2026-11")


def test_the_last_reading_is_of_the_only_meter() -> None:
    row = shown(meter(days(NOVEMBER, 9_000)))

    assert row["reading"] == "Последнее показание: 1\u00a0234,56 кВт·ч, 05.11.2026, 12:00"
    assert (row["fresh"], row["month"]) == ("Данные на 05.11.2026, 12:00", "ноябрь 2026")


def use(value: int, **changes: bool) -> DayUse:
    told = {"has_data": True, "is_whole": True, "is_expected": True, "is_open": False, **changes}
    return DayUse(day=TODAY, total_wh=value, **told)


def test_columns_are_as_high_as_their_share_and_holes_are_hatched() -> None:
    drawn = sparkline(
        [use(50), use(100), use(0, has_data=False, is_whole=False), use(25, is_whole=False), use(0)]
    )

    assert re.findall(r"M(\d+) 60v-(\d+)h8", drawn["whole"]) == [("1", "30"), ("11", "60"), ("41", "1")]
    assert re.findall(r"M(\d+) 60v-(\d+)h8", drawn["partial"]) == [("31", "15")]
    assert drawn["holes"].startswith(f"M21 0v{HEIGHT}h8V0z")
    assert drawn["box"] == "0 0 50 60"


def test_a_day_to_come_is_no_hole_and_no_column() -> None:
    drawn = sparkline([use(0, has_data=False, is_whole=False, is_expected=False)])

    assert (drawn["whole"], drawn["partial"], drawn["holes"]) == ("", "", "")
    assert sparkline([])["box"] == "0 0 310 60"


def test_the_chart_is_said_in_words() -> None:
    row = shown(meter(days(NOVEMBER, 9_000, 12_340, 1_000)))

    assert row["chart_text"] == "По дням: 3 дня с данными, больше всего 2 ноября, 12,3 кВт·ч."


def test_whoever_has_many_accounts_is_told_that_there_are_more() -> None:
    def view(count: int) -> HomeView:
        month = Period(Grain.MONTH, NOVEMBER)
        accounts = tuple(AccountNow(str(n), "", "г. Омск", OMSK, month, ()) for n in range(count))
        return view_of(Overview(accounts, (), NO_TICKETS), now=NOW)

    assert (len(view(MOST_ACCOUNTS).accounts), view(MOST_ACCOUNTS).more) == (MOST_ACCOUNTS, "")
    many = view(MOST_ACCOUNTS + 2)
    assert (len(many.accounts), len(many.meters)) == (MOST_ACCOUNTS, MOST_ACCOUNTS)
    assert many.more == "Еще 2 лицевых счета здесь не показаны."


def test_events_stand_with_the_gravest_first_and_their_names() -> None:
    entry = lookup(0, 9)
    events = tuple(
        LastEvents(severity, 2, entry, at, OMSK)
        for severity, at in (
            (Severity.INFO, NOW - timedelta(days=1)),
            (Severity.CRITICAL, NOW - timedelta(hours=2)),
        )
    )
    rows = view_of(Overview((), events, NO_TICKETS), now=NOW).events

    assert [(row["word"], row["count"], row["when"]) for row in rows] == [
        ("Критические", "2", "сегодня, 10:00"),
        ("Информационные", "2", "04.11.2026, 12:00"),
    ]
    assert rows[0]["name"] == entry.name_ru


def test_open_tickets_and_the_last_answer_are_told() -> None:
    answer = Answer(7, "Пломба", "Мастер\n\nпридет завтра.", NOW)
    support = view_of(Overview((), (), Tickets(3, 1, answer)), now=NOW).support

    assert (support["open"], support["waiting"]) == ("3 открытых обращения", "1 ждет вашего ответа")
    assert (support["subject"], support["answer"]) == ("Пломба", "Мастер придет завтра.")
    assert support["link"] == "/support/7"
    assert set(view_of(Overview((), (), NO_TICKETS), now=NOW).support.values()) == {""}
