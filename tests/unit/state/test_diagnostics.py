"""The handlers of /diagnostics, asked directly for a person who is signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from lk_portal.services.access import Role, identity_of
from lk_portal.services.changes import subscriber_topic
from lk_portal.services.database import Database
from lk_portal.services.events import event_row, store_events
from lk_portal.state import live
from lk_portal.state.diagnostics import DiagnosticsState
from lk_portal.state.guard import acting_as, declared_access
from tests import factories
from tests.unit.state.people import NOW, People, client_state, come_from

GARBAGE: list[Any] = [None, "", "x", 0, [], ["critical"], {}, {"critical": ["x"]}, {"meter": {"$gt": ""}},
                      {"interval": "x" * 9999, "critical": 1}, {"info": "on", "interval": None}]  # fmt: skip


class Page:
    """A subscriber's open page."""

    def __init__(self, people: People, session: str, placed: factories.MeteredPoint) -> None:
        self.people, self.session, self.placed = people, session, placed
        self.root = client_state(session, "/diagnostics")

    async def _acting(self) -> Any:
        identity = await identity_of(
            self.people.database, self.people.portal.settings, session_hash=self.session, now=NOW
        )
        assert identity is not None
        return acting_as(identity)

    async def open(self, query: str = "") -> tuple[Any, Any]:
        """The state after the page was opened, and what the handler answered."""
        come_from(self.root, self.session, f"/diagnostics{query}")
        state = await self.root.get_state(DiagnosticsState)
        with await self._acting():
            return state, await DiagnosticsState.load.fn(state)

    async def send(self, form: Any) -> Any:
        state = await self.root.get_state(DiagnosticsState)
        with await self._acting():
            return await DiagnosticsState.show.fn(state, form)


@pytest.fixture
async def page(people: People) -> Page:
    return Page(people, *await people.subscriber("ivanov"))


async def happen(database: Database, meter_id: int, journal: int, code: int, *, hours_ago: int = 1) -> None:
    at = NOW - timedelta(hours=hours_ago)
    async with database.writing() as connection:
        row = event_row(meter_id=meter_id, occurred_at=at, journal=journal, code=code)
        await store_events(connection, [row], now=NOW)


def address(answer: Any) -> str:
    """Where a handler leads to."""
    return str(answer.args[0][1])


def test_its_handlers_are_for_subscribers(application: rx.App) -> None:
    names = [name for name in RegistrationContext.get().event_handlers if "diagnostics_state" in name]

    own = [name for name in names if not name.endswith("setvar")]
    assert {name.rpartition(".")[2] for name in own} == {"load", "show"}
    for name in own:
        access = declared_access(name)
        assert access is not None
        assert access.roles == {Role.SUBSCRIBER}


async def test_it_opens_on_this_month_of_the_first_meter(application: rx.App, page: Page) -> None:
    await happen(page.people.database, page.placed.meter_id, 4, 3)

    state, answer = await page.open()

    assert answer is None
    assert (state.serial, state.grain, state.layout) == (page.placed.serial, "month", "list")
    assert state.groups == ["critical", "warning", "info"]
    assert len(state.critical) == 1
    assert state.error == ""
    topics = live._followers["tab", live.Slot.PAGE].topics
    assert topics == {subscriber_topic(page.placed.subscriber_id)}


async def test_a_new_event_is_shown_when_the_page_is_told(application: rx.App, page: Page) -> None:
    state, _answer = await page.open("?groups=critical&view=table")
    assert state.empty_title
    await happen(page.people.database, page.placed.meter_id, 2, 8)

    with await page._acting():
        await state._show()

    assert [len(rows) for rows in (state.critical, state.warning, state.info)] == [1, 0, 0]
    assert state.empty_title == ""
    assert state.layout == "table"


@pytest.mark.parametrize("query", ["?interval=week", "?period=2026-13", "?groups=all", "?view=x", "?page=0"])
async def test_a_wrong_address_gets_a_sentence_and_no_old_events(
    application: rx.App, page: Page, query: str
) -> None:
    state, _answer = await page.open()
    assert state.heading

    _state, answer = await page.open(query)

    assert answer is None
    assert state.error
    assert state.heading == ""
    with await page._acting():
        await state._show()
    assert state.error, "a push does not bring back what was there before"


async def test_a_foreign_meter_leads_where_an_unknown_one_does(
    application: rx.App, page: Page, people: People
) -> None:
    _session, other = await people.subscriber("petrov")
    await happen(people.database, other.meter_id, 4, 3)

    state, foreign = await page.open(f"?meter={other.serial}")
    _state, unknown = await page.open("?meter=nothing")

    assert address(foreign) == address(unknown)
    assert "/not-found" in address(foreign)
    assert not state.critical
    assert other.serial not in str(state.meters)


async def test_the_form_leads_to_the_address_of_what_was_chosen(application: rx.App, page: Page) -> None:
    await page.open("?period=2026-10&view=table&page=2")

    answer = await page.send(
        {"meter": page.placed.serial, "interval": "month", "warning": "on", "info": "on"}
    )

    assert f"meter={page.placed.serial}&interval=month&period=2026-10&groups=warning,info&view=table" in (
        address(answer)
    )
    assert "page=" not in address(answer)


async def test_no_group_at_all_gets_a_sentence_and_keeps_what_is_shown(
    application: rx.App, page: Page
) -> None:
    state, _answer = await page.open()

    answer = await page.send({"meter": page.placed.serial, "interval": "month"})

    assert answer is None
    assert state.error
    assert state.heading


@pytest.mark.parametrize("form", GARBAGE)
async def test_a_form_that_means_nothing_does_nothing(application: rx.App, page: Page, form: Any) -> None:
    state, _answer = await page.open()
    heading = state.heading

    assert await page.send(form) is None
    assert state.heading == heading
    assert state.error


async def test_somebody_without_a_meter_sees_that(application: rx.App, people: People) -> None:
    subscriber_id = await factories.subscriber(people.database)
    session = await people.add("new", Role.SUBSCRIBER, subscriber_id)
    bare = Page(people, session, None)  # type: ignore[arg-type]

    state, answer = await bare.open("?meter=nothing")

    assert (answer, state.meters, state.is_loaded) == (None, [], True)
    answer = await bare.send({"interval": "month", "info": "on"})
    assert answer is not None, "the address of nothing; the page says that there is no meter"
