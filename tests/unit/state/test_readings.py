"""The handlers of /readings, asked directly for a person who is signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
import reflex as rx
from sqlalchemy import insert

from lk_portal.metering.types import Quantity
from lk_portal.models import BillingDay, RegisterReading
from lk_portal.models.types import to_milliseconds
from lk_portal.services.access import Identity, identity_of
from lk_portal.services.consumption import Grain
from lk_portal.services.context import current
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.tables import table_of
from lk_portal.state import live
from lk_portal.state.guard import acting_as
from lk_portal.state.readings import ReadingsState
from lk_portal.state.readings_table import ReadingsTableState
from tests import factories
from tests.unit.state.people import NOW, People, client_state, come_from

HOUR = timedelta(hours=1)
GARBAGE: list[Any] = [None, "", "x", 0, -1, True, [], ["day"], {}, {"a": {}}, "x" * 100_000]


class Tab:
    """One tab of a person, on /readings."""

    def __init__(self, root: rx.State, identity: Identity, placed: factories.MeteredPoint) -> None:
        self.root, self.identity, self.placed = root, identity, placed

    async def state(self, kind: type[Any] = ReadingsState) -> Any:
        return await self.root.get_state(kind)

    async def fire(self, handler: str, *arguments: object, kind: type[Any] = ReadingsState) -> Any:
        state = await self.state(kind)
        with acting_as(self.identity):
            return await getattr(kind, handler).fn(state, *arguments)

    async def go(self, query: str, kind: type[Any] = ReadingsState) -> Any:
        come_from(self.root, self.identity.session_hash, f"/readings{query}")
        return await self.fire("load", kind=kind)


@pytest.fixture
async def tab(people: People, monkeypatch: pytest.MonkeyPatch) -> Tab:
    monkeypatch.setattr(live, "_followers", {})
    session, placed = await people.subscriber("ivanov")
    identity = await identity_of(people.database, people.portal.settings, session_hash=session, now=NOW)
    assert identity is not None
    rows = [
        IntervalRow(placed.point_id, 1, to_milliseconds(NOW - hour * HOUR), 3600, 100, 3600, 1, 0)
        for hour in range(24 * 60, 0, -1)
    ]
    await import_intervals(people.database, rows, clock=people.portal.clock)
    return Tab(client_state(session), identity, placed)


def address(event: Any) -> str:
    """Where a redirect leads."""
    return str(event.args[0][1]).strip('"')


async def test_a_billing_day_that_changes_while_the_tab_is_open_counts(tab: Tab) -> None:
    await tab.go("")
    async with current().database.writing() as connection:
        await connection.execute(
            insert(table_of(BillingDay)).values(since=NOW.date().replace(day=1, month=1), day=3)
        )

    await tab.go("?basis=billing&interval=month&period=2026-10")

    state = await tab.state()
    assert state.heading.startswith("3 окт")
    assert state.basis_hint.startswith("Расчетный период начинается 3-го числа")


async def test_it_opens_on_the_calendar_month_without_a_comparison(tab: Tab) -> None:
    await tab.go("")
    state = await tab.state()

    assert (state.tab, state.grain, state.basis, state.compare) == ("chart", "month", "calendar", "")
    assert state.heading == "Ноябрь 2026"
    assert state.other_heading == ""
    assert state.table_tab.endswith(f"meter={tab.placed.serial}&energy=A_PLUS&date=2026-11-24")
    assert state.years[0] == "2026"
    assert state.years[-1] == "2020", "since when the meter stands there"
    assert len(live._followers) == 1


async def test_a_billing_month_is_the_utility_s(tab: Tab) -> None:
    await tab.go("?basis=billing&compare=previous")
    state = await tab.state()

    assert state.heading.startswith("25 октября — 24 ноября 2026")
    assert state.other_heading.startswith("25 сентября — 24 октября 2026")
    assert state.basis_hint.startswith("Расчетный период начинается 25-го числа")
    assert state.is_comparable
    assert state.difference == "0,00"


async def test_the_form_keeps_the_comparison_and_the_kind_of_period(tab: Tab) -> None:
    await tab.go("?compare=year")
    form = {"meter": "1&2", "interval": "month", "year": "2026", "month": "9", "energy": "R_PLUS"}

    there = address(await tab.fire("show", {**form, "basis": "billing"}))
    assert there == (
        "/readings?meter=1%262&interval=month&period=2026-09&energy=R_PLUS&basis=billing&compare=year"
    )
    assert await tab.fire("show", {**form, "year": "99999"}) is None
    assert (await tab.state()).error == "Такой даты нет."


async def test_a_switch_changes_nothing_but_the_comparison(tab: Tab) -> None:
    await tab.go("?interval=day&period=2026-11-03")
    turned_on = address(await tab.fire("compare_with", "previous", True))
    assert turned_on.endswith("&interval=day&period=2026-11-03&energy=A_PLUS&compare=previous")

    await tab.go(turned_on.removeprefix("/readings"))
    assert (await tab.state()).other_heading.startswith("2 ноября 2026")
    assert "compare" not in address(await tab.fire("compare_with", "previous", False))


async def test_a_wrong_address_shows_a_sentence_and_not_the_old_chart(tab: Tab) -> None:
    await tab.go("")
    assert (await tab.state()).heading
    await tab.go("?period=2026-13")

    state = await tab.state()
    assert state.error == "Такой даты нет."
    assert state.heading == ""


async def test_the_table_opens_in_its_own_tab_and_leads_back_to_the_same_chart(tab: Tab) -> None:
    await tab.go("?interval=year&period=2025")
    chart = (await tab.state()).chart_tab
    there = (await tab.state()).table_tab.removeprefix("/readings")
    assert await tab.go(there) is ReadingsTableState.load
    await tab.go(there, kind=ReadingsTableState)

    assert (await tab.state()).tab == "table"
    assert (await tab.state()).chart_tab == chart
    table = await tab.state(ReadingsTableState)
    assert (table.serial, table.empty_title) == (tab.placed.serial, "Показаний еще нет")
    assert table.day == "2025-12-31"
    assert "period" not in await _chart_tab_after(tab, "?tab=table&meter=other&energy=A_PLUS")


async def _chart_tab_after(tab: Tab, query: str) -> str:
    await tab.go(query)
    return str((await tab.state()).chart_tab)


async def test_a_table_without_a_meter_gets_the_first(tab: Tab) -> None:
    there = address(await tab.go("?tab=table&date=2026-11-01"))

    assert dict(parse_qsl(there.partition("?")[2])) == {
        "tab": "table",
        "date": "2026-11-01",
        "meter": tab.placed.serial,
    }


async def test_the_form_of_the_table_leads_to_its_address(tab: Tab) -> None:
    await tab.go("?tab=table&meter=x")
    form = {"meter": tab.placed.serial, "energy": Quantity.R_PLUS.name, "date": "2026-11-01"}

    there = address(await tab.fire("show", form, kind=ReadingsTableState))
    assert there == f"/readings?tab=table&meter={tab.placed.serial}&energy=R_PLUS&date=2026-11-01"
    assert await tab.fire("show", {**form, "date": "1 мая"}, kind=ReadingsTableState) is None
    assert (await tab.state(ReadingsTableState)).error == "Такой даты нет."


async def test_a_wrong_address_of_the_table_shows_a_sentence_and_no_empty_head(tab: Tab) -> None:
    row = {"meter_id": tab.placed.meter_id, "quantity": Quantity.A_PLUS, "zone": 0}
    async with current().database.writing() as connection:
        await connection.execute(insert(RegisterReading), [{**row, "taken_at": NOW - HOUR, "value_wh": 1000}])
    there = f"?tab=table&meter={tab.placed.serial}"
    await tab.go(there, kind=ReadingsTableState)
    table = await tab.state(ReadingsTableState)
    assert len(table.rows) == len(table.columns) == 1

    await tab.go(f"{there}&before=-1", kind=ReadingsTableState)
    assert table.error == "Такой даты нет."
    assert (table.columns, table.rows, table.empty_title) == ([], [], "")

    await tab.go(there, kind=ReadingsTableState)
    assert (table.error, len(table.rows)) == ("", 1)


async def test_a_foreign_meter_leads_to_not_found_in_both_tabs(people: People, tab: Tab) -> None:
    _session, stranger = await people.subscriber("petrov")

    for serial in (stranger.serial, "nothing"):
        assert address(await tab.go(f"?meter={serial}")) == "/not-found"
        event = await tab.go(f"?tab=table&meter={serial}", kind=ReadingsTableState)
        assert address(event) == "/not-found"


@pytest.mark.parametrize("value", GARBAGE, ids=lambda value: repr(value)[:20])
async def test_any_payload_is_borne(tab: Tab, value: Any) -> None:
    await tab.go("")
    before = (await tab.state()).heading
    for handler in ("pick_grain", "open_bar"):
        assert await tab.fire(handler, value) is None
    assert await tab.fire("compare_with", value, value) is None
    form = dict.fromkeys(("meter", "interval", "day", "month", "year", "energy", "basis", "date"), value)
    for payload in (form, value):
        assert await tab.fire("show", payload) is None
    assert await tab.fire("show", form, kind=ReadingsTableState) is None or not value
    await tab.fire("show", value, kind=ReadingsTableState)
    assert (await tab.state()).heading == before


async def test_picking_an_interval_changes_the_form_only(tab: Tab) -> None:
    await tab.go("")
    await tab.fire("pick_grain", "day")
    state = await tab.state()

    assert state.grain == Grain.DAY.value
    assert state.heading == "Ноябрь 2026"
