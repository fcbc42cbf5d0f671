"""The frame's state: what is new by section until it is opened, in all tabs of a person and in no other's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio
import reflex as rx
from sqlalchemy import func, insert, select, update

from lk_portal.i18n import active_locale
from lk_portal.models import MeterEvent, SeenMarker, Severity, Ticket, TicketCategory, TicketStatus
from lk_portal.services import badges
from lk_portal.services.access import Identity, Role, identity_of
from lk_portal.services.badges import Asking, Badge, declare
from lk_portal.services.database import Database
from lk_portal.services.seen import MOST, Section
from lk_portal.services.tables import table_of
from lk_portal.state import live, sections
from lk_portal.state.guard import BindingState, acting_as
from lk_portal.state.live import Broadcaster, followers
from lk_portal.state.sections import section_of
from lk_portal.state.shell import NOTHING_NEW, ShellState
from tests import factories
from tests.unit.state.people import People, come_from

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@dataclass
class Tab:
    """An open tab of a person; `goes` opens a page in it."""

    broadcaster: Broadcaster
    token: str
    identity: Identity

    async def goes(self, path: str) -> None:
        token = rx.BaseStateToken(ident=self.token, cls=ShellState)
        with acting_as(self.identity):
            async with self.broadcaster.app.modify_state(token) as state:
                root = state._get_root_state()
                come_from(root, self.identity.session_hash, path)
                root.router = type(root.router).from_router_data({**root.router_data, "token": self.token})
                binding = await state.get_state(BindingState)
                binding._owner, binding._locale = self.identity.session_hash, active_locale()
                await ShellState.event_handlers["enter"].fn(await state.get_state(ShellState))

    async def news(self) -> dict[str, str]:
        token = rx.BaseStateToken(ident=self.token, cls=ShellState)
        async with self.broadcaster.app.modify_state(token) as state:
            shell = await state.get_state(ShellState)
            return {section: text for section, text in shell.news.items() if text} | (
                {"all": shell.all_news} if shell.all_news else {}
            )


@pytest.fixture(autouse=True)
def nobody_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_followers", {})


@pytest_asyncio.fixture
async def broadcaster(application: rx.App, people: People) -> AsyncIterator[Broadcaster]:
    tokens = ("one", "two", "three")
    manager = application.event_namespace._token_manager
    for token in tokens:
        await manager.link_token_to_sid(token, f"sid-{token}")
    yield Broadcaster(application, people.portal)
    for token in tokens:
        await manager.disconnect_token(token, f"sid-{token}")
    await application.state_manager.close()
    application.state_manager.states.clear()


async def tab(broadcaster: Broadcaster, session: str, in_tab: str = "one") -> Tab:
    portal = broadcaster.portal
    identity = await identity_of(portal.database, portal.settings, session_hash=session, now=portal.clock())
    assert identity is not None
    opened = Tab(broadcaster, in_tab, identity)
    await opened.goes("/")
    return opened


async def happens(people: People, placed: factories.MeteredPoint, count: int = 1) -> None:
    people.wait(SECOND)
    now = people.portal.clock()
    values = {"meter_id": placed.meter_id, "journal": 0, "severity": Severity.WARNING, "received_at": now}
    rows = [{**values, "code": code, "occurred_at": now - HOUR} for code in range(count)]
    async with people.database.writing() as connection:
        await connection.execute(insert(table_of(MeterEvent)), rows)


def test_pages_below_a_section_are_of_it() -> None:
    assert section_of("/diagnostics") == Section.EVENTS
    assert section_of("/support/15") == Section.SUPPORT
    assert section_of("/info/agreement") == Section.INFO
    assert section_of("/supporters") is None
    assert section_of("/") is None


async def test_news_come_by_themselves_and_go_when_seen(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    page = await tab(broadcaster, session)
    assert await page.news() == {}

    await happens(people, placed, 2)
    await broadcaster.turn()
    assert await page.news() == {"events": "2", "all": "2"}

    people.wait(SECOND)
    await page.goes("/readings")
    assert await page.news() == {"events": "2", "all": "2"}
    await page.goes("/diagnostics")
    assert await page.news() == {}
    await page.goes("/")
    assert await page.news() == {}


async def test_a_badge_of_a_package_comes_by_itself_and_goes_when_seen(
    people: People, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((badges, "_badges"), (badges, "_stamps"), (sections, "_sections")):
        monkeypatch.setattr(module, name, dict(getattr(module, name)))
    for badge, route in ((Badge("acme_new", new_tickets, **TICKETS), "/advice"), (STANDING, "/debts")):
        declare(badge)
        sections.lead_to(route, badge.name)
    session, placed = await people.subscriber("ivanov")
    stranger, _theirs = await people.subscriber("petrov")
    page, other = await tab(broadcaster, session), await tab(broadcaster, stranger, "two")

    await asks(people, placed)
    await broadcaster.turn()
    assert await page.news() == {"acme_new": "1", "acme_debts": "1", "all": "2"}
    assert await other.news() == {}

    people.wait(SECOND)
    await page.goes("/debts")
    assert await page.news() == {"acme_new": "1", "acme_debts": "1", "all": "2"}
    await page.goes("/advice/7")
    assert await page.news() == {"acme_debts": "1", "all": "1"}
    await asks(people, placed)
    await broadcaster.turn()
    assert await page.news() == {"acme_debts": "2", "all": "2"}, "what comes to the open page is seen"
    people.wait(SECOND)
    await page.goes("/")
    assert await page.news() == {"acme_debts": "2", "all": "2"}


async def new_tickets(asking: Asking) -> int:
    query = select(func.count()).select_from(table_of(Ticket))
    query = query.where(Ticket.subscriber_id == asking.subscriber_id, Ticket.updated_at > asking.seen_at)
    async with asking.database.reading() as connection:
        return int((await connection.execute(query)).scalar_one())


TICKETS = {"changed_at": Ticket.updated_at, "whose": Ticket.subscriber_id}
STANDING = Badge("acme_debts", new_tickets, **TICKETS, is_seen_by_opening=False)


async def asks(people: People, placed: factories.MeteredPoint) -> None:
    people.wait(SECOND)
    now = people.portal.clock()
    whose = {"subscriber_id": placed.subscriber_id, "account_id": placed.account_id}
    values = {"category": TicketCategory.OTHER, "subject": "?", "status": TicketStatus.NEW}
    async with people.database.writing() as connection:
        await connection.execute(
            insert(table_of(Ticket)).values(**whose, **values, created_at=now, updated_at=now)
        )


async def test_a_section_opened_in_one_tab_is_seen_in_all_of_the_person(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    page, other = await tab(broadcaster, session), await tab(broadcaster, session, "two")
    await happens(people, placed)
    await broadcaster.turn()
    assert (await page.news(), await other.news()) == ({"events": "1", "all": "1"},) * 2

    people.wait(SECOND)
    await page.goes("/diagnostics")
    await broadcaster.turn()

    assert (await page.news(), await other.news()) == ({}, {})


async def test_a_section_opened_on_one_node_is_seen_on_the_others(
    people: People, broadcaster: Broadcaster, sqlite_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two broadcasters, each with the pages of its own process, over one database."""
    here, there = live._followers, {}  # type: ignore[var-annotated]
    other_node = Broadcaster(broadcaster.app, replace(people.portal, database=Database(sqlite_address)))
    session, placed = await people.subscriber("ivanov")
    page = await tab(broadcaster, session)
    monkeypatch.setattr(live, "_followers", there)
    other = await tab(other_node, session, "two")
    await happens(people, placed)
    await other_node.turn()
    monkeypatch.setattr(live, "_followers", here)
    await broadcaster.turn()
    assert (await page.news(), await other.news()) == ({"events": "1", "all": "1"},) * 2

    people.wait(SECOND)
    await page.goes("/diagnostics")
    assert (len(here), len(there)) == (1, 1)
    monkeypatch.setattr(live, "_followers", there)
    await other_node.turn()

    assert (await page.news(), await other.news()) == ({}, {})
    await other_node.portal.close()


async def test_nobody_else_is_told_or_cleared(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    stranger, theirs = await people.subscriber("petrov")
    page, other = await tab(broadcaster, session), await tab(broadcaster, stranger, "two")
    await happens(people, placed)
    await broadcaster.turn()
    assert (await page.news(), await other.news()) == ({"events": "1", "all": "1"}, {})

    await happens(people, theirs)
    people.wait(SECOND)
    await page.goes("/diagnostics")
    await broadcaster.turn()

    assert (await page.news(), await other.news()) == ({}, {"events": "1", "all": "1"})


async def test_what_comes_while_the_section_is_open_is_seen_there(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    page, other = await tab(broadcaster, session), await tab(broadcaster, session, "two")
    await page.goes("/diagnostics")

    await happens(people, placed)
    await broadcaster.turn()
    assert (await page.news(), await other.news()) == ({}, {"events": "1", "all": "1"})

    people.wait(SECOND)
    await page.goes("/")
    await broadcaster.turn()
    assert (await page.news(), await other.news()) == ({}, {})


async def test_many_are_told_as_more_than_99(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    page = await tab(broadcaster, session)

    await happens(people, placed, MOST)
    await broadcaster.turn()
    assert await page.news() == {"events": "99", "all": "99"}
    await happens(people, placed, 1)
    await broadcaster.turn()
    assert await page.news() == {"events": "99+", "all": "99+"}


async def test_opening_a_page_without_news_writes_nothing(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    page = await tab(broadcaster, session)
    async with people.database.writing() as connection:
        await connection.execute(update(table_of(SeenMarker)).values(seen_at=factories.LONG_AGO))

    people.wait(SECOND)
    await page.goes("/diagnostics")
    assert await marks(people) == {factories.LONG_AGO}
    await happens(people, placed)
    await page.goes("/diagnostics")
    assert await marks(people) == {factories.LONG_AGO, people.portal.clock()}


async def marks(people: People) -> set[object]:
    async with people.database.reading() as connection:
        return set(
            await connection.scalars(
                table_of(SeenMarker).select().with_only_columns(table_of(SeenMarker).c.seen_at)
            )
        )


async def test_staff_have_no_badges_and_follow_nothing(people: People, broadcaster: Broadcaster) -> None:
    page = await tab(broadcaster, await people.add("operator", Role.OPERATOR))

    assert (await page.news(), followers()) == ({}, 0)
    assert set(NOTHING_NEW) == {section.value for section in Section}


async def test_all_tabs_of_a_person_share_one_answer(
    people: People, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, placed = await people.subscriber("ivanov")
    tabs = [await tab(broadcaster, session, token) for token in ("one", "two", "three")]
    asked: list[int] = []
    counted = live.once

    async def once(key, ask):  # type: ignore[no-untyped-def]
        async def noted():  # type: ignore[no-untyped-def]
            asked.append(1)
            return await ask()

        return await counted(key, noted)

    monkeypatch.setattr("lk_portal.state.shell.once", once)
    await happens(people, placed)
    await broadcaster.turn()

    assert [await one.news() for one in tabs] == [{"events": "1", "all": "1"}] * 3
    assert len(asked) == 1
