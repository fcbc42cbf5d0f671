"""The handlers of the part "Notifications" of /settings, asked directly for a person who is signed in."""

from __future__ import annotations

from typing import Any

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext
from sqlalchemy import text

from lk_portal.security.push import own_public_key
from lk_portal.services.access import Duty, Identity, Role, identity_of
from lk_portal.services.notification_choices import DEFAULTS, NotificationKind
from lk_portal.state.guard import acting_as, declared_access
from lk_portal.state.notifications import CHOICES, DEVICES, NotificationsState
from lk_portal.state.notifications_view import KINDS
from tests.factories import MeteredPoint
from tests.push_service import Browser
from tests.unit.state.people import People, client_state

GARBAGE: list[Any] = [
    None,
    "",
    "x",
    0,
    True,
    [],
    ["1"],
    {},
    {"point": ["1"], "limit": "5"},
    {"point": "-1", "limit": "5"},
    {"point": "9" * 5000, "limit": "5"},
    {"endpoint": {"$gt": ""}, "p256dh": 1, "auth": None},
    {"endpoint": "https://127.0.0.1/x", "p256dh": "A" * 9999, "auth": "\0"},
]
TABLES = ("notification_setting", "consumption_limit", "push_subscription", "audit_entry")


class Page:
    """One open page of a person."""

    def __init__(self, people: People, identity: Identity, state: Any) -> None:
        self.people, self.identity, self.state = people, identity, state

    async def fire(self, handler: str, *arguments: object) -> Any:
        with acting_as(self.identity):
            await getattr(NotificationsState, handler).fn(self.state, *arguments)
        return self.state

    async def rows(self) -> dict[str, list[Any]]:
        async with self.people.database.reading() as connection:
            return {
                name: list((await connection.execute(text(f"SELECT * FROM {name}"))).all()) for name in TABLES
            }


async def opened(people: People, session: str) -> Page:
    identity = await identity_of(
        people.database, people.portal.settings, session_hash=session, now=people.moments[-1]
    )
    assert identity is not None
    state = await client_state(session, "/settings").get_state(NotificationsState)
    page = Page(people, identity, state)
    await page.fire("load")
    return page


@pytest.fixture
async def owned(people: People) -> tuple[Page, MeteredPoint]:
    session, placed = await people.subscriber("ivanov")
    return await opened(people, session), placed


@pytest.fixture
def page(owned: tuple[Page, MeteredPoint]) -> Page:
    return owned[0]


def device_form(browser: Browser | None = None) -> dict[str, str]:
    given = (browser or Browser()).subscription
    return {"endpoint": given.endpoint, "p256dh": given.p256dh, "auth": given.auth}


def test_handlers_are_for_the_signed_in_and_those_of_meters_for_subscribers(application: rx.App) -> None:
    found = {}
    for name in RegistrationContext.get().event_handlers:
        if "notifications____notifications_state" in name and not name.endswith(".setvar"):
            access = declared_access(name)
            assert access is not None, name
            assert (access.duty, access.is_public) == (Duty.NONE, False)
            found[name.rpartition(".")[2]] = access.roles
    own, anybody = frozenset({Role.SUBSCRIBER}), frozenset(Role)
    assert found == {
        "load": anybody,
        "choose": anybody,
        "save_limit": own,
        "save_device": own,
        "remove_device": own,
    }


async def test_a_subscriber_sees_boxes_thresholds_and_the_key(page: Page) -> None:
    state = page.state

    assert [row["kind"] for row in state.choices] == [str(kind) for kind in NotificationKind]
    assert state.choices[0] | {"label": ""} == {
        "kind": "new_device",
        "label": "",
        "letter": "yes",
        "push": "never",
    }
    assert [row["kwh"] for row in state.limits] == [""]
    assert "г. Омск, ул. Ленина" in state.limits[0]["label"]
    assert (state.devices, state.is_device_on) == ([], False)
    assert state.push_key == own_public_key(page.people.portal.settings.secret())


async def test_staff_sees_one_box_and_nothing_of_meters(people: People) -> None:
    state = (await opened(people, await people.add("operator", Role.OPERATOR))).state

    assert [row["kind"] for row in state.choices] == ["new_device"]
    assert (state.is_subscriber, state.limits, state.push_key) == (False, [], "")


async def test_a_box_is_kept_and_the_page_says_so(page: Page) -> None:
    state = await page.fire("choose", "warning_event", "push", True)

    row = next(row for row in state.choices if row["kind"] == "warning_event")
    assert (row["letter"], row["push"]) == ("", "yes")
    assert (state.done_at, state.wrong) == (CHOICES, "")
    assert len((await page.rows())["notification_setting"]) == 1


async def test_a_threshold_is_kept_beside_its_meter(owned: tuple[Page, MeteredPoint]) -> None:
    page, placed = owned
    point = str(placed.point_id)

    state = await page.fire("save_limit", {"point": point, "limit": " 1 000"})
    assert (state.limits[0]["kwh"], state.done_at) == ("1000", point)

    state = await page.fire("save_limit", {"point": point, "limit": "many"})
    assert (state.wrong_at, state.done_at) == (point, "")
    assert state.wrong
    assert state.limits[0]["kwh"] == "1000"

    state = await page.fire("save_limit", {"point": point, "limit": ""})
    assert (state.limits[0]["kwh"], state.wrong) == ("", "")


async def test_another_ones_meter_has_no_threshold_here(page: Page) -> None:
    _session, foreign = await page.people.subscriber("petrov")
    before = await page.rows()

    state = await page.fire("save_limit", {"point": str(foreign.point_id), "limit": "5"})
    missing = await page.fire("save_limit", {"point": "99999", "limit": "5"})

    assert (state.done, state.wrong) == (missing.done, missing.wrong) == ("", "")
    assert await page.rows() == before


async def test_a_device_is_turned_on_and_off_again(page: Page) -> None:
    state = await page.fire("save_device", device_form())

    [device] = state.devices
    assert (device["is_current"], state.is_device_on, state.done_at) == ("yes", True, DEVICES)
    assert "push.example" not in str(state.dict())

    state = await page.fire("remove_device", device["reference"])
    assert (state.devices, state.is_device_on) == ([], False)
    state = await page.fire("remove_device", device["reference"])
    assert (state.done, state.wrong) == ("", "")


async def test_a_device_of_somebody_else_stays(page: Page) -> None:
    session, _placed = await page.people.subscriber("petrov")
    stranger = await opened(page.people, session)
    [device] = (await stranger.fire("save_device", device_form())).devices

    await page.fire("remove_device", device["reference"])

    await stranger.fire("load")
    assert stranger.state.is_device_on


@pytest.mark.parametrize("payload", GARBAGE)
async def test_garbage_changes_nothing(page: Page, payload: Any) -> None:
    before = await page.rows()

    await page.fire("choose", payload, payload, payload)
    await page.fire("choose", "answer", "letter", payload if payload is not True else 1)
    await page.fire("choose", "new_device", "push", True)
    for handler in ("save_limit", "save_device", "remove_device"):
        await page.fire(handler, payload)

    assert await page.rows() == before


def test_every_kind_has_words_and_ways() -> None:
    assert KINDS.keys() == DEFAULTS.keys() == set(NotificationKind)
