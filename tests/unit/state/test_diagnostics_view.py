"""What /diagnostics shows of a period, and its addresses: pure, so every case can be tried."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal import i18n
from lk_portal.errors import InputError
from lk_portal.i18n import using_locale
from lk_portal.metering.event_meanings import meaning
from lk_portal.metering.events import Side, all_entries, lookup
from lk_portal.metering.types import Severity
from lk_portal.services.event_history import EventHistory, EventPlace
from lk_portal.services.event_pairs import StoredEvent, join_pairs
from lk_portal.services.periods import Grain, Period
from lk_portal.state.diagnostics_url import ROUTE, Choice, Layout, choice_of, groups_of, query_of, with_grain
from lk_portal.state.diagnostics_view import PAGE_ROWS, DiagnosticsView, view_of, when_text

NOVEMBER = Period(Grain.MONTH, date(2026, 11, 1))
BEGINS = datetime(2026, 10, 31, 18, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SERIAL = "44/1&x"
ALL = Choice(SERIAL, NOVEMBER)
CRITICAL, WARNING, INFO = Severity


@pytest.fixture(autouse=True, scope="module")
def russian() -> object:
    patch = pytest.MonkeyPatch()
    patch.setattr(i18n._Active, "locale", "ru")
    yield
    patch.undo()


def event(hour: int, journal: int, code: int, *, number: int = 0) -> StoredEvent:
    entry = lookup(journal, code)
    return StoredEvent(number or hour, 1, SERIAL, BEGINS + hour * HOUR, entry, entry.severity)


def history(
    *events: StoredEvent,
    period: Period = NOVEMBER,
    timezone: str = "Asia/Omsk",
    has_several_meters: bool = False,
    cut_at: datetime | None = None,
) -> EventHistory:
    place = EventPlace(
        1, SERIAL, timezone, datetime(2020, 1, 21, 4, tzinfo=UTC), has_several_meters, frozenset()
    )
    return EventHistory(place, period, tuple(reversed(join_pairs(events))), cut_at)


def view(*events: StoredEvent, choice: Choice = ALL, **more: object) -> DiagnosticsView:
    return view_of(history(*events, period=choice.period, **more), choice, now=NOW)  # type: ignore[arg-type]


FEW = (event(1, 2, 8), event(2, 2, 20), event(3, 0, 9), event(4, 7, 1), event(5, 4, 3))


def test_groups_have_their_own_newest_first() -> None:
    shown = view(*FEW)

    assert shown.heading == "Ноябрь 2026"
    assert [row["id"] for row in shown.critical] == ["5", "1"]
    assert [row["id"] for row in shown.warning] == ["3"]
    assert [row["id"] for row in shown.info] == ["4"]
    assert shown.counts == {"critical": "2", "warning": "1", "info": "1"}
    assert shown.summary == "Критические: 2, Предупреждения: 1, Информационные: 1"
    assert shown.empty_title == shown.note == shown.previous_page == shown.next_page == ""


def test_a_row_says_when_what_and_how_long() -> None:
    shown = view(*FEW)
    over, open_one = shown.critical[1], shown.warning[0]

    assert (over["when"], over["lasted"], over["is_open"]) == ("01.11.2026, 01:00", "1 ч", "")
    name, text, advice = shown.kinds[over["kind"]]
    assert name == "Выключение локальное по превышению лимита мощности"
    assert text.endswith("Перегрузка закончилась, и прибор снова включил дом.")
    assert advice == ""
    assert (open_one["lasted"], open_one["is_open"]) == ("", "yes")
    assert shown.kinds[open_one["kind"]][2].startswith("На это время лучше выключить технику с моторами")
    assert over["serial"] == "", "there has been one meter only"
    assert view(*FEW, has_several_meters=True).critical[0]["serial"] == SERIAL


def test_names_follow_the_readers_language() -> None:
    with using_locale("en"):
        shown = view(event(3, 0, 9))

    assert shown.kinds["0"][0] == "Voltage too low in any phase"
    assert shown.heading == "November 2026"


def test_only_chosen_groups_have_rows_but_all_are_counted() -> None:
    shown = view(*FEW, choice=Choice(SERIAL, NOVEMBER, (WARNING,)))

    assert not shown.critical
    assert not shown.info
    assert [row["id"] for row in shown.warning] == ["3"]
    assert shown.counts["critical"] == "2"


@pytest.mark.parametrize(
    ("choice", "events", "title", "advice"),
    [
        (ALL, (), "Событий за этот период нет", "Все хорошо: прибор учета не сообщал ни о чем необычном."),
        (
            Choice(SERIAL, NOVEMBER, (WARNING,)),
            (event(1, 4, 3),),
            "Событий выбранных групп нет",
            "Отметьте другие группы, чтобы увидеть остальные события.",
        ),
        (ALL.at(NOVEMBER.next()), (), "Этот период еще не наступил", "Выберите более ранний период."),
        (
            ALL.at(Period(Grain.YEAR, date(2019, 1, 1))),
            (),
            "Прибора учета тогда еще не было",
            "Он установлен 21 января 2020 г.",
        ),
    ],
)
def test_nothing_to_show_is_explained(
    choice: Choice, events: tuple[StoredEvent, ...], title: str, advice: str
) -> None:
    shown = view(*events, choice=choice)

    assert (shown.empty_title, shown.empty_advice.replace("\u202f", " ")) == (title, advice)


def test_the_month_of_installation_is_no_time_without_a_meter() -> None:
    shown = view(choice=ALL.at(Period(Grain.MONTH, date(2020, 1, 1))))

    assert shown.empty_title == "Событий за этот период нет"


def test_more_than_a_page_goes_on_the_next_one() -> None:
    many = [event(number, 4, 3, number=number) for number in range(1, PAGE_ROWS + 4)]
    first = view(*many)
    second = view(*many, choice=Choice(SERIAL, NOVEMBER, page=2))

    assert len(first.critical) == PAGE_ROWS
    assert [row["id"] for row in second.critical] == ["3", "2", "1"]
    assert (first.previous_page, second.next_page) == ("", "")
    assert first.next_page.endswith("&page=2")
    assert second.previous_page == first.as_list
    assert "page" not in first.earlier + second.later, "another period begins at its first page"
    beyond = view(*many, choice=Choice(SERIAL, NOVEMBER, page=9))
    assert beyond.empty_title, "a page that does not exist is not blank"


def test_too_many_to_read_is_said() -> None:
    shown = view(*FEW, cut_at=BEGINS + HOUR)

    assert (
        shown.note
        == "Событий очень много: показаны последние, начиная с 01.11.2026, 01:00. Выберите интервал короче."
    )


def test_a_page_weighs_little_even_if_all_its_events_differ() -> None:
    wordy = sorted(
        (one for one in all_entries() if one.side is not Side.END),
        key=lambda one: len(one.name_ru) + len(str(meaning(one, "ru"))),
    )[-PAGE_ROWS:]
    shown = view(
        *(event(number, one.journal, one.code, number=number) for number, one in enumerate(wordy, 1))
    )
    parts = [shown.critical, shown.warning, shown.info, shown.kinds, shown.counts, shown.summary]

    assert sum(len(part) for part in parts[:3]) == PAGE_ROWS
    assert len(json.dumps(parts, ensure_ascii=False).encode()) < 20_000


def test_an_hour_that_comes_twice_is_told_by_its_offset() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert when_text(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), berlin) == "25.10.2026, 02:30 +0200"
    assert when_text(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), berlin) == "25.10.2026, 02:30 +0100"
    assert when_text(datetime(2026, 10, 25, 3, 30, tzinfo=UTC), berlin) == "25.10.2026, 04:30"


CHOICES = st.builds(
    Choice,
    st.text(max_size=64).filter(lambda text: text == text.encode("utf-8", "ignore").decode()),
    st.builds(Period.containing, st.sampled_from(Grain), st.dates(date(1990, 1, 1), date(2100, 12, 31))),
    st.sampled_from([(CRITICAL,), (WARNING, INFO), (CRITICAL, WARNING, INFO)]),
    st.sampled_from(Layout),
    st.integers(1, 1000),
)


@given(CHOICES)
def test_an_address_says_everything(choice: Choice) -> None:
    assert choice_of(dict(parse_qsl(query_of(choice))), today=date(2000, 1, 1)) == choice


def test_an_empty_address_is_this_month_of_everything_as_a_list() -> None:
    assert choice_of({}, today=date(2026, 11, 24)) == Choice(
        "", NOVEMBER, (CRITICAL, WARNING, INFO), Layout.LIST
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("interval", "week"),
        ("interval", ""),
        ("period", "2026-13"),
        ("period", "9999-01"),
        ("period", "0001-01"),
        ("period", "2026-11-01/2126-11-01"),
        ("groups", "all"),
        ("groups", "critical,"),
        ("view", "picture"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "²"),
        ("page", "1001"),
        ("page", "9" * 5000),
    ],
)
def test_words_that_mean_nothing_are_refused(name: str, text: str) -> None:
    with pytest.raises(InputError) as refused:
        choice_of({name: text} if text or name == "interval" else {}, today=date(2026, 11, 24))

    assert refused.value.field == name


def test_groups_are_taken_once_and_in_order() -> None:
    assert groups_of(["info", "critical", "info"]) == (CRITICAL, INFO)
    with pytest.raises(InputError, match="at least one"):
        groups_of([])


@pytest.mark.parametrize(
    ("today", "grain", "expected"),
    [
        (date(2026, 11, 24), Grain.DAY, "2026-11-24"),
        (date(2027, 3, 1), Grain.DAY, "2026-11-30"),
        (date(2026, 11, 24), Grain.YEAR, "2026"),
        (date(2026, 11, 24), Grain.MONTH, "2026-11"),
    ],
)
def test_another_interval_stays_near(today: date, grain: Grain, expected: str) -> None:
    assert str(with_grain(NOVEMBER, grain, today=today)) == expected


def test_the_arrows_and_the_switch_keep_the_other_choices() -> None:
    shown = view(*FEW, choice=Choice(SERIAL, NOVEMBER, (CRITICAL, INFO), Layout.TABLE))

    for address in (shown.earlier, shown.later, shown.as_list, shown.as_table):
        assert urlsplit(address).path == ROUTE
        assert dict(parse_qsl(urlsplit(address).query))["groups"] == "critical,info"
        assert dict(parse_qsl(urlsplit(address).query))["meter"] == SERIAL
    assert "period=2026-10&" in shown.earlier
    assert "period=2026-12&" in shown.later
    assert "view=table" in shown.earlier
    assert "view=list" in shown.as_list
