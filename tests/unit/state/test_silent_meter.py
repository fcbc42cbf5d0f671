"""What somebody sees whose meter has never sent anything: sentences instead of zeros, on every page of it."""

from __future__ import annotations

from typing import Any

import pytest

from lk_portal.metering.types import LoadState
from lk_portal.services.access import Identity, identity_of
from lk_portal.state.diagnostics import DiagnosticsState
from lk_portal.state.guard import acting_as
from lk_portal.state.home import HomeState
from lk_portal.state.readings import ReadingsState
from lk_portal.state.readings_table import ReadingsTableState
from tests import factories
from tests.unit.state.people import NOW, People, client_state, come_from


class Owner:
    """A subscriber with one meter that is silent."""

    def __init__(self, session: str, identity: Identity, placed: factories.MeteredPoint) -> None:
        self.session, self.identity, self.placed = session, identity, placed

    async def open(self, kind: type[Any], path: str) -> Any:
        root = client_state(self.session)
        come_from(root, self.session, path)
        state = await root.get_state(kind)
        with acting_as(self.identity):
            assert await kind.load.fn(state) is None
        return state


@pytest.fixture
async def owner(people: People) -> Owner:
    session, placed = await people.subscriber("ivanov")
    identity = await identity_of(people.database, people.portal.settings, session_hash=session, now=NOW)
    assert identity is not None
    return Owner(session, identity, placed)


async def test_home(owner: Owner) -> None:
    home = await owner.open(HomeState, "/")

    (account,) = home.accounts
    (meter,) = home.meters[account["number"]]
    assert (account["figure"], meter["figure"], meter["reading"]) == ("", "", "")
    assert account["fresh"] == meter["fresh"] == "Данных пока нет"
    assert meter["load_kind"] == LoadState.UNKNOWN
    assert account["left_out"] == "Сравнить с прошлым месяцем пока не с чем."
    assert account["chart_text"] == "За этот месяц данных пока нет."
    assert (account["whole"], account["partial"]) == ("", "")
    assert home.events == []


@pytest.mark.parametrize("interval", ["day", "month", "year"])
@pytest.mark.parametrize("basis", ["calendar", "billing"])
async def test_the_chart(owner: Owner, interval: str, basis: str) -> None:
    chart = await owner.open(ReadingsState, f"/readings?interval={interval}&basis={basis}&compare=previous")

    assert (chart.error, chart.is_empty) == ("", True)
    assert chart.empty_title
    assert chart.empty_advice
    assert (chart.total, chart.peak) == ("—", "—")


@pytest.mark.parametrize("query", ["", "&date=2026-11-01", "&energy=R_MINUS"])
async def test_the_table(owner: Owner, query: str) -> None:
    table = await owner.open(ReadingsTableState, f"/readings?tab=table&meter={owner.placed.serial}{query}")

    assert (table.error, table.rows, table.columns) == ("", [], [])
    assert table.empty_title == "Показаний еще нет"
    assert table.empty_advice
    assert (table.earlier, table.later) == ("", "")


async def test_diagnostics(owner: Owner) -> None:
    shown = await owner.open(DiagnosticsState, "/diagnostics")

    assert (shown.error, shown.critical, shown.warning, shown.info) == ("", [], [], [])
    assert shown.empty_title
    assert shown.empty_advice
