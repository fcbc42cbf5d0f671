"""What a person owes before the cabinet opens: a new password, agreement to documents; on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from lk_portal.errors import AccessDeniedError, BadCredentialsError, InputError
from lk_portal.models import DocumentKind
from lk_portal.security.tokens import hash_of
from lk_portal.services import access, audit, documents, duties, temporary_passwords
from lk_portal.services.access import Duty, Role, SignedIn
from lk_portal.services.duties import Done
from tests import factories
from tests.integration.services.people import NOW, OTHER_PASSWORD, PASSWORD, Portal, visit


async def subscriber(portal: Portal) -> int:
    owner = await factories.subscriber(portal.database)
    return await portal.add(role=Role.SUBSCRIBER, subscriber_id=owner)


async def with_temporary(portal: Portal, user_id: int) -> SignedIn:
    mailed = await temporary_passwords.renew(portal.database, portal.settings, user_id=user_id, now=NOW)
    assert mailed is not None
    return await portal.sign_in(password=mailed)


async def set_password(
    portal: Portal, signed_in: SignedIn, role: Role = Role.OPERATOR, **changes: str
) -> Done:
    return await duties.set_new_password(
        portal.database,
        portal.settings,
        user_id=signed_in.user_id,
        role=role,
        session_hash=hash_of(signed_in.token),
        visit=visit(),
        **{"password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD, **changes},
    )


async def accept(portal: Portal, user_id: int, token: str, ticked: list[int]) -> Done:
    return await duties.accept_documents(
        portal.database, user_id=user_id, session_hash=hash_of(token), ticked=ticked, visit=visit()
    )


async def in_force(portal: Portal) -> list[int]:
    return [document.id for document in await documents.current(portal.database)]


async def duty_of(portal: Portal, token: str) -> Duty | None:
    identity = await portal.identity(token)
    return identity.duty if identity else None


async def test_a_new_password_opens_the_cabinet_under_a_new_token(portal: Portal) -> None:
    user_id = await portal.add()
    signed_in = await with_temporary(portal, user_id)
    assert await duty_of(portal, signed_in.token) is Duty.NEW_PASSWORD

    done = await set_password(portal, signed_in)

    assert done.duty is Duty.NONE
    assert await duty_of(portal, done.token) is Duty.NONE
    assert await portal.identity(signed_in.token) is None
    assert await portal.sign_in(password=OTHER_PASSWORD)
    with pytest.raises(BadCredentialsError):
        await portal.sign_in(password=PASSWORD)
    assert audit.PASSWORD_SET in await portal.actions(user_id)
    assert ("password_changed", "ivanov@example.com") not in await portal.letters()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"repeat": "x"}, "password2"),
        ({"password": "short", "repeat": "short"}, "password"),
        ({"password": "qwertyqwerty", "repeat": "qwertyqwerty"}, "password"),
        ({"password": "", "repeat": ""}, "password"),
    ],
)
async def test_a_refused_one_changes_nothing(portal: Portal, changes: dict[str, str], field: str) -> None:
    signed_in = await with_temporary(portal, await portal.add())

    with pytest.raises(InputError) as refused:
        await set_password(portal, signed_in, **changes)

    assert refused.value.field == field
    assert await duty_of(portal, signed_in.token) is Duty.NEW_PASSWORD


async def test_a_form_sent_twice_sets_it_once(portal: Portal) -> None:
    signed_in = await with_temporary(portal, await portal.add())

    answers = await asyncio.gather(
        *(set_password(portal, signed_in) for _ in range(4)), return_exceptions=True
    )

    done = [one for one in answers if isinstance(one, Done)]
    assert [type(one) for one in answers if one not in done] == [AccessDeniedError] * 3
    assert await duty_of(portal, done[0].token) is Duty.NONE


async def test_a_subscriber_accepts_what_is_in_force(portal: Portal) -> None:
    user_id = await subscriber(portal)
    signed_in = await portal.sign_in()
    assert signed_in.duty is Duty.CONSENT

    done = await accept(portal, user_id, signed_in.token, await in_force(portal))

    assert await duty_of(portal, done.token) is Duty.NONE
    assert await portal.identity(signed_in.token) is None
    assert (await portal.sign_in()).duty is Duty.NONE
    assert await portal.count("acceptance") == 2
    assert audit.DOCUMENTS_ACCEPTED in await portal.actions(user_id)


async def test_a_new_version_asks_at_the_next_sign_in(portal: Portal) -> None:
    user_id = await subscriber(portal)
    await factories.documents_accepted(portal.database, user_id=user_id)
    assert (await portal.sign_in()).duty is Duty.NONE

    await documents.publish(
        portal.database,
        kind=DocumentKind.AGREEMENT,
        title="Соглашение",
        text="Новое.",
        visit=visit(),
    )

    signed_in = await portal.sign_in()
    assert signed_in.duty is Duty.CONSENT
    agreement, _consent = await in_force(portal)
    assert (await accept(portal, user_id, signed_in.token, [agreement])).duty is Duty.NONE


async def test_both_boxes_are_needed(portal: Portal) -> None:
    user_id = await subscriber(portal)
    signed_in = await portal.sign_in()
    agreement, consent = await in_force(portal)

    for ticked, field in (
        ([], "agreement"),
        ([agreement], "consent"),
        ([consent], "agreement"),
        ([0], "agreement"),
    ):
        with pytest.raises(InputError) as refused:
            await accept(portal, user_id, signed_in.token, ticked)
        assert refused.value.field == field
    assert await portal.count("acceptance") == 0
    assert await duty_of(portal, signed_in.token) is Duty.CONSENT


async def test_what_was_not_shown_is_not_accepted(portal: Portal) -> None:
    """A newer version came into force while the page was open."""
    user_id = await subscriber(portal)
    signed_in = await portal.sign_in()
    shown = await in_force(portal)
    await documents.publish(
        portal.database,
        kind=DocumentKind.CONSENT,
        title="Согласие",
        text="Новое.",
        visit=visit(),
    )

    with pytest.raises(InputError):
        await accept(portal, user_id, signed_in.token, shown)

    assert await portal.count("acceptance") == 0


async def test_the_password_comes_first_and_the_documents_after_it(portal: Portal) -> None:
    signed_in = await with_temporary(portal, await subscriber(portal))

    done = await set_password(portal, signed_in, Role.SUBSCRIBER)

    assert done.duty is Duty.CONSENT
    assert await duty_of(portal, done.token) is Duty.CONSENT


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMIN])
async def test_staff_have_nothing_to_accept(portal: Portal, role: Role) -> None:
    await portal.add(role=role)

    assert (await portal.sign_in()).duty is Duty.NONE


async def test_a_session_that_was_ended_does_nothing(portal: Portal) -> None:
    user_id = await subscriber(portal)
    signed_in = await portal.sign_in()
    await access.sign_out(portal.database, token=signed_in.token, visit=visit(after=timedelta(minutes=1)))

    with pytest.raises(AccessDeniedError):
        await accept(portal, user_id, signed_in.token, await in_force(portal))
    with pytest.raises(AccessDeniedError):
        await set_password(portal, signed_in)
    assert await portal.count("acceptance") == 0
    assert await portal.sign_in()
