"""What the broadcaster tells to which open page; nobody is told of another's meters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
import reflex as rx
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from lk_portal.i18n import active_locale, using_locale
from lk_portal.models import UserSession
from lk_portal.models.types import to_milliseconds
from lk_portal.services import access
from lk_portal.services.access import Duty, Identity, Role, identity_of
from lk_portal.services.changes import INFO, point_topic, subscriber_topic
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.tables import table_of
from lk_portal.state import live
from lk_portal.state.guard import BindingState, acting_as
from lk_portal.state.home import HomeState
from lk_portal.state.info import InfoState
from lk_portal.state.live import Broadcaster, Slot, follow, followers, once
from tests import factories
from tests.unit.state.people import NOW, People, come_from

TAB, OTHER_TAB = "a-tab-of-a-browser", "another-tab"


@pytest.fixture(autouse=True)
def nobody_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_followers", {})


async def close_tab(application: rx.App) -> None:
    manager = application.event_namespace._token_manager
    await manager.disconnect_token(TAB, "sid")
    await manager.disconnect_token(OTHER_TAB, "another-sid")


@pytest_asyncio.fixture
async def broadcaster(application: rx.App, people: People) -> AsyncIterator[Broadcaster]:
    """The loop's turns, one at a time, while the tab has a socket."""
    await application.event_namespace._token_manager.link_token_to_sid(TAB, "sid")
    yield Broadcaster(application, people.portal)
    await close_tab(application)
    await application.state_manager.close()
    application.state_manager.states.clear()


async def open_home(broadcaster: Broadcaster, session: str, placed: factories.MeteredPoint) -> None:
    """A tab shows the home page under a session and follows a point."""
    await belongs_to(broadcaster, session)
    portal = broadcaster.portal
    identity = await identity_of(portal.database, portal.settings, session_hash=session, now=portal.clock())
    assert identity is not None
    with acting_as(identity):
        follow(TAB, HomeState, frozenset({point_topic(placed.point_id)}))


async def belongs_to(broadcaster: Broadcaster, session: str) -> None:
    async with broadcaster.app.modify_state(rx.BaseStateToken(ident=TAB, cls=BindingState)) as state:
        # So that what follows in a turn follows as this tab.
        root = state._get_root_state()
        come_from(root, session, "/")
        root.router = type(root.router).from_router_data({**root.router_data, "token": TAB})
        binding = await state.get_state(BindingState)
        binding._owner, binding._locale = session, active_locale()


async def shown(broadcaster: Broadcaster) -> list[dict[str, str]]:
    async with broadcaster.app.modify_state(rx.BaseStateToken(ident=TAB, cls=HomeState)) as state:
        return list((await state.get_state(HomeState)).accounts)


async def new_value(people: People, placed: factories.MeteredPoint, hour: int, value_wh: int = 5000) -> None:
    start = to_milliseconds(NOW - timedelta(hours=hour))
    row = IntervalRow(placed.point_id, 1, start, 3600, value_wh, 3600, 1, 0)
    await import_intervals(people.database, [row], clock=people.portal.clock)


async def test_a_new_value_comes_to_the_page_that_shows_it(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)

    await broadcaster.turn()
    assert await shown(broadcaster) == []

    await new_value(people, placed, 3)
    await broadcaster.turn()
    [row] = await shown(broadcaster)
    assert (row["figure"], row["link"].split("&")[0]) == ("5", f"/readings?meter={placed.serial}")

    people.wait(timedelta(seconds=2))
    await new_value(people, placed, 2)
    await broadcaster.turn()
    assert [row["figure"] for row in await shown(broadcaster)] == ["10"]


@pytest.mark.parametrize(("locale", "text"), [("ru", "1\u00a0234"), ("en", "1,234")])
async def test_a_push_is_in_the_language_of_the_page(
    people: People, broadcaster: Broadcaster, locale: str, text: str
) -> None:
    session, placed = await people.subscriber("ivanov")
    with using_locale(locale):
        await open_home(broadcaster, session, placed)

    await new_value(people, placed, 3, 1_234_000)
    await broadcaster.turn()

    assert [row["figure"] for row in await shown(broadcaster)] == [text]
    assert active_locale() == "ru"


async def test_a_page_opened_anew_in_another_language_gets_no_push_in_the_old_one(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    with using_locale("en"):
        await belongs_to(broadcaster, session)

    await new_value(people, placed, 3)
    await broadcaster.turn()

    assert await shown(broadcaster) == []
    assert followers() == 0


async def test_somebody_elses_value_wakes_nobody(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    _stranger, theirs = await people.subscriber("petrov")
    await open_home(broadcaster, session, placed)

    await new_value(people, theirs, 3)
    await broadcaster.turn()

    assert await shown(broadcaster) == []
    assert followers() == 1


async def test_a_tab_under_another_session_is_told_nothing(people: People, broadcaster: Broadcaster) -> None:
    """Somebody else signed in in the same tab; what it followed before was not hers."""
    session, placed = await people.subscriber("ivanov")
    operator = await people.add("operator", Role.OPERATOR)
    await open_home(broadcaster, session, placed)
    await belongs_to(broadcaster, operator)

    await new_value(people, placed, 3)
    await broadcaster.turn()

    assert await shown(broadcaster) == []
    assert followers() == 0


@pytest.mark.parametrize("end", ["disabled", "idle"])
async def test_an_ended_session_is_told_nothing(people: People, broadcaster: Broadcaster, end: str) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    if end == "disabled":
        await access.disable_user(people.database, login="ivanov@example.com", now=people.portal.clock())
    else:
        people.wait(timedelta(minutes=30))

    await new_value(people, placed, 3)
    await broadcaster.turn()

    assert await shown(broadcaster) == []
    assert followers() == 0


async def test_a_session_that_owes_something_is_told_nothing(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    async with people.database.writing() as connection:
        await connection.execute(update(table_of(UserSession)).values(duty=Duty.CONSENT))

    await new_value(people, placed, 3)
    await broadcaster.turn()

    assert await shown(broadcaster) == []
    assert followers() == 0


async def test_a_push_is_no_sign_of_life(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    for hour in (4, 3):
        people.wait(timedelta(minutes=14))
        await new_value(people, placed, hour)
        await broadcaster.turn()
    assert [row["figure"] for row in await shown(broadcaster)] == ["10"]

    people.wait(timedelta(minutes=2))
    await new_value(people, placed, 2)
    await broadcaster.turn()

    assert [row["figure"] for row in await shown(broadcaster)] == ["10"]


async def test_a_frame_follows_beside_its_page(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    _stranger, theirs = await people.subscriber("petrov")
    await open_home(broadcaster, session, theirs)
    portal = broadcaster.portal
    identity = await identity_of(portal.database, portal.settings, session_hash=session, now=portal.clock())
    assert identity is not None
    with acting_as(identity):
        follow(TAB, HomeState, frozenset({point_topic(placed.point_id)}), slot=Slot.FRAME)
    assert followers() == 2

    await new_value(people, placed, 3)
    await broadcaster.turn()

    assert [row["figure"] for row in await shown(broadcaster)] == ["5"]


async def test_a_closed_tab_is_forgotten(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    await broadcaster.turn()
    assert followers() == 1

    await close_tab(broadcaster.app)
    await broadcaster.turn()

    assert followers() == 0


async def test_a_page_that_fails_keeps_no_other_waiting(
    people: People, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(live, "report", lambda error: reported.append(str(error)))
    manager = broadcaster.app.event_namespace._token_manager
    await manager.link_token_to_sid("another-tab", "another-sid")
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    live._followers["another-tab", Slot.PAGE] = live._followers[TAB, Slot.PAGE]
    live._followers[TAB, Slot.PAGE] = replace(live._followers[TAB, Slot.PAGE], state=BindingState)
    async with broadcaster.app.modify_state(
        rx.BaseStateToken(ident="another-tab", cls=BindingState)
    ) as state:
        binding = await state.get_state(BindingState)
        binding._owner, binding._locale = session, active_locale()

    await new_value(people, placed, 3)
    await broadcaster.turn()

    token = rx.BaseStateToken(ident="another-tab", cls=HomeState)
    async with broadcaster.app.modify_state(token) as state:
        assert [row["figure"] for row in (await state.get_state(HomeState)).accounts] == ["5"]
    assert len(reported) == 1
    await manager.disconnect_token("another-tab", "another-sid")


async def opens_another_tab(broadcaster: Broadcaster, topic: str) -> None:
    """Somebody else's page follows, so that turns take place and tell what happens."""
    manager = broadcaster.app.event_namespace._token_manager
    await manager.link_token_to_sid(OTHER_TAB, "another-sid")
    with acting_as(Identity(99, Role.SUBSCRIBER, None, "", "another-session")):
        follow(OTHER_TAB, HomeState, frozenset({topic}))


async def forgets_what_it_shows(broadcaster: Broadcaster) -> None:
    """So that another push would be seen."""
    async with broadcaster.app.modify_state(rx.BaseStateToken(ident=TAB, cls=HomeState)) as state:
        (await state.get_state(HomeState)).accounts = []


async def test_what_was_told_between_reading_and_following_is_told_once(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await opens_another_tab(broadcaster, "point:0")
    await broadcaster.turn()

    await new_value(people, placed, 3)
    await broadcaster.turn()
    await open_home(broadcaster, session, placed)
    await broadcaster.turn()
    assert len(await shown(broadcaster)) == 1

    await forgets_what_it_shows(broadcaster)
    for _ in range(3):
        people.wait(timedelta(seconds=1))
        await broadcaster.turn()
        assert await shown(broadcaster) == []
    await new_value(people, placed, 2)
    await broadcaster.turn()
    assert len(await shown(broadcaster)) == 1


async def test_a_page_that_nothing_concerned_is_not_new_for_ever(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    assert live._followers[TAB, Slot.PAGE].is_new

    await broadcaster.turn()

    assert not live._followers[TAB, Slot.PAGE].is_new


async def test_who_comes_while_a_turn_looks_stays_new_for_the_next(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await opens_another_tab(broadcaster, "point:0")
    await new_value(people, placed, 3)
    await broadcaster.turn()
    await open_home(broadcaster, session, placed)
    arriving = live._followers.pop((TAB, Slot.PAGE))

    turn = asyncio.create_task(broadcaster.turn())
    await asyncio.sleep(0)  # it waits for the database now
    live._followers[TAB, Slot.PAGE] = arriving
    await turn
    assert (await shown(broadcaster), live._followers[TAB, Slot.PAGE].is_new) == ([], True)

    await broadcaster.turn()
    assert len(await shown(broadcaster)) == 1


async def test_a_page_opened_while_a_push_waits_for_its_tab_goes_on_following(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    await broadcaster.turn()
    await new_value(people, placed, 3)
    manager = broadcaster.app.state_manager
    token = rx.BaseStateToken(ident=TAB, cls=HomeState)
    async with broadcaster.app.modify_state(token):
        turn = asyncio.create_task(broadcaster.turn())
        while not any(lock._waiters for lock in manager._states_locks.values()):  # noqa: ASYNC110 - Reflex's
            await asyncio.sleep(0.01)
        live._followers[TAB, Slot.PAGE] = replace(
            live._followers[TAB, Slot.PAGE], state=InfoState, topics=frozenset({INFO}), is_new=True
        )
    await turn

    assert live._followers[TAB, Slot.PAGE].state is InfoState
    assert await shown(broadcaster) == []


async def test_a_commit_long_after_its_time_stamp_is_told(people: People, broadcaster: Broadcaster) -> None:
    session, placed = await people.subscriber("ivanov")
    began = people.portal.clock()
    await open_home(broadcaster, session, placed)
    people.wait(timedelta(seconds=40))
    await broadcaster.turn()

    start = to_milliseconds(NOW - timedelta(hours=3))
    row = IntervalRow(placed.point_id, 1, start, 3600, 5000, 3600, 1, 0)
    await import_intervals(people.database, [row], clock=lambda: began)
    await broadcaster.turn()

    assert len(await shown(broadcaster)) == 1


async def test_an_earlier_stamp_is_told_after_a_later_one_of_the_same_topic(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    identity = live._followers[TAB, Slot.PAGE].identity
    with acting_as(identity):
        follow(TAB, HomeState, frozenset({subscriber_topic(placed.subscriber_id)}))
    people.wait(timedelta(seconds=10))
    await factories.switching(people.database, meter_id=placed.meter_id, code=3, at=people.portal.clock())
    await broadcaster.turn()
    await forgets_what_it_shows(broadcaster)

    await factories.switching(people.database, meter_id=placed.meter_id, code=4, at=NOW)
    await broadcaster.turn()

    assert len(await shown(broadcaster)) == 1


async def test_a_page_that_failed_is_told_again_and_then_no_more(
    people: People, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Exception] = []
    monkeypatch.setattr(live, "report", reported.append)
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    await broadcaster.turn()
    # A state that cannot show itself.
    live._followers[TAB, Slot.PAGE] = replace(live._followers[TAB, Slot.PAGE], state=BindingState)

    await new_value(people, placed, 3)
    for count in (1, 2, 2, 2):
        await broadcaster.turn()
        assert len(reported) == count


async def test_what_could_not_be_pushed_at_all_is_told_at_the_next_turn(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    await broadcaster.turn()
    await new_value(people, placed, 3)
    async with people.database.writing() as connection:
        await connection.execute(text("ALTER TABLE user_session RENAME TO user_session_away"))

    with pytest.raises(DBAPIError):
        await broadcaster.turn()
    async with people.database.writing() as connection:
        await connection.execute(text("ALTER TABLE user_session_away RENAME TO user_session"))
    await broadcaster.turn()

    assert len(await shown(broadcaster)) == 1


async def test_a_tab_that_came_back_to_another_node_is_followed_there(
    people: People, broadcaster: Broadcaster
) -> None:
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    sockets = broadcaster.app.event_namespace._token_manager.token_to_socket
    sockets[TAB] = replace(sockets[TAB], instance_id="another-node")

    await broadcaster.turn()

    assert followers() == 0


async def test_a_tab_whose_state_expired_has_to_connect_anew(
    people: People, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours in the background, while the session was kept alive elsewhere: loading it again fills it."""
    closed: list[tuple[str, str]] = []
    monkeypatch.setattr(
        live, "close_soon", lambda _app, token, *, session_hash: closed.append((token, session_hash))
    )
    session, placed = await people.subscriber("ivanov")
    await open_home(broadcaster, session, placed)
    broadcaster.app.state_manager.states.clear()

    await new_value(people, placed, 3)
    await broadcaster.turn()

    assert (closed, followers()) == ([(TAB, session)], 0)


async def test_outside_of_a_turn_everybody_asks_for_herself() -> None:
    asked: list[int] = []

    async def ask() -> int:
        asked.append(1)
        return len(asked)

    assert [await once("key", ask), await once("key", ask)] == [1, 2]
    with live._asking_once():
        assert [await once("key", ask), await once("key", ask), await once("other", ask)] == [3, 3, 4]


def test_a_visitor_follows_nothing() -> None:
    follow(TAB, HomeState, frozenset({"point:1"}))

    assert followers() == 0
