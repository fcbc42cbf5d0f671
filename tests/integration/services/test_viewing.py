"""Looking through a subscriber's eyes; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from lk_portal.errors import AccessDeniedError, NotFoundError
from lk_portal.models import Duty, Role
from lk_portal.security.tokens import hash_of
from lk_portal.services import access, audit, sessions, viewing
from lk_portal.services.database import read_only
from tests import factories
from tests.integration.services.people import NOW, Portal, visit

WATCHED = "watched@example.com"
MINUTE = timedelta(minutes=1)


class Scene:
    """An operator, and a subscriber with a login."""

    def __init__(self, portal: Portal, operator: int, watched: int, subscriber: int) -> None:
        self.portal, self.operator, self.watched, self.subscriber = portal, operator, watched, subscriber

    async def begin(self, *, subscriber: int | None = None) -> str:
        token = (await self.portal.sign_in()).token
        return await viewing.begin(
            self.portal.database,
            actor=self.operator,
            session_hash=hash_of(token),
            subscriber_id=subscriber or self.subscriber,
            back_to="/admin/subscribers",
            visit=visit(),
        )

    async def seen(self) -> list[tuple[str, bool]]:
        entries = await audit.own_entries(self.portal.database, user_id=self.watched)
        return [(one.action, one.is_utilitys) for one in entries if one.action.startswith("desk:")]


@pytest.fixture
async def scene(portal: Portal) -> Scene:
    placed = await factories.a_metered_point(portal.database)
    operator = await portal.add()
    watched = await portal.add(
        email=WATCHED, phone=None, role=Role.SUBSCRIBER, subscriber_id=placed.subscriber_id
    )
    return Scene(portal, operator, watched, placed.subscriber_id)


async def test_the_session_is_the_subscribers_until_it_is_ended(scene: Scene) -> None:
    token = await scene.begin()
    identity = await scene.portal.identity(token)
    assert identity is not None
    assert (identity.user_id, identity.subscriber_id, identity.role) == (
        scene.watched,
        scene.subscriber,
        Role.SUBSCRIBER,
    )
    assert (identity.duty, identity.viewing_until) == (Duty.VIEWING, NOW + viewing.LASTS)

    after, back_to = await viewing.end(
        scene.portal.database, session_hash=hash_of(token), visit=visit(after=MINUTE)
    )

    identity = await scene.portal.identity(after)
    assert identity is not None
    assert (identity.user_id, identity.role, identity.duty) == (scene.operator, Role.OPERATOR, Duty.NONE)
    assert back_to == "/admin/subscribers"
    assert await scene.portal.identity(token) is None
    assert await scene.seen() == [(viewing.ENDED, True), (viewing.BEGUN, True)]
    with pytest.raises(AccessDeniedError):
        await viewing.end(scene.portal.database, session_hash=hash_of(after), visit=visit())


async def test_it_ends_by_itself_and_says_so(scene: Scene) -> None:
    token = await scene.begin()
    just_before = await scene.portal.identity(token, after=viewing.LASTS - MINUTE)
    assert just_before is not None
    assert just_before.is_viewing

    for _again in range(2):
        identity = await scene.portal.identity(token, after=viewing.LASTS)
        assert identity is not None
        assert (identity.user_id, identity.duty, identity.viewing_until) == (scene.operator, Duty.NONE, None)
    assert await scene.seen() == [(viewing.ENDED, True), (viewing.BEGUN, True)]


@pytest.mark.parametrize("is_signed_out", [True, False])
async def test_what_nobody_ended_is_ended_by_the_job(scene: Scene, *, is_signed_out: bool) -> None:
    token = await scene.begin()
    await viewing.end_overdue(scene.portal.database, now=NOW + MINUTE)
    assert await scene.seen() == [(viewing.BEGUN, True)]

    if is_signed_out:
        await access.sign_out(scene.portal.database, token=token, visit=visit(after=MINUTE))
    for _again in range(2):
        later = MINUTE if is_signed_out else viewing.LASTS
        await viewing.end_overdue(scene.portal.database, now=NOW + later)

    assert await scene.seen() == [(viewing.ENDED, True), (viewing.BEGUN, True)]


async def test_a_subscriber_that_does_not_exist_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFoundError):
        await scene.begin(subscriber=999)
    assert await scene.seen() == []


async def test_a_session_that_ended_opens_nothing(scene: Scene) -> None:
    token = (await scene.portal.sign_in()).token
    async with scene.portal.database.writing() as connection:
        await sessions.end_all(connection, user_id=scene.operator)
    with pytest.raises(AccessDeniedError):
        await viewing.begin(
            scene.portal.database,
            actor=scene.operator,
            session_hash=hash_of(token),
            subscriber_id=scene.subscriber,
            back_to="/",
            visit=visit(),
        )
    assert await scene.portal.count("viewing") == 0


async def test_a_role_taken_away_meanwhile_ends_it(scene: Scene) -> None:
    token = await scene.begin()
    async with scene.portal.database.writing() as connection:
        disable = text("UPDATE portal_user SET is_active = :no WHERE id = :id")
        await connection.execute(disable, {"no": False, "id": scene.operator})
    assert await scene.portal.identity(token) is None


async def test_the_database_refuses_whatever_a_viewers_event_would_write(scene: Scene) -> None:
    read_only(is_so=True)
    try:
        with pytest.raises(AccessDeniedError):
            async with scene.portal.database.writing():
                pass
        async with scene.portal.database.reading() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    finally:
        read_only(is_so=False)
    async with scene.portal.database.writing():
        pass
