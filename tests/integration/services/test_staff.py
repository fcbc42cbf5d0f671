"""What an administrator does to logins; on both databases."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from lk_portal.errors import BadCredentialsError, FormError, InputError, PortalError
from lk_portal.models import Role
from lk_portal.resources import users as declared
from lk_portal.security.passwords import UNUSABLE
from lk_portal.services import temporary_passwords
from lk_portal.services.resource import resource_named
from lk_portal.services.resource.reading import View, read_page
from lk_portal.services.resource.writing import Author, act, create
from tests.integration.services.people import EMAIL, NOW, Portal, visit

ROLES = declared.ROLES
SECOND, NEW = "second@example.com", "new@example.com"


class Office:
    """An administrator at work."""

    def __init__(self, portal: Portal, actor: int) -> None:
        self.portal, self.actor = portal, actor
        self.resource = resource_named("users")

    async def do(self, name: str, *ids: int, actor: int | None = None) -> None:
        assert self.resource is not None
        action = self.resource.action(name)
        assert action is not None
        await act(self.portal.database, self.resource, action, ids, self.author(actor))

    async def add(self, **form: str) -> int:
        assert self.resource is not None
        values = {"email": NEW, "display_name": "Новый", "phone": "", "role": "operator", **form}
        return await create(self.portal.database, self.resource, values, self.author())

    def author(self, actor: int | None = None) -> Author:
        return Author(actor or self.actor, ZoneInfo("Asia/Omsk"), visit())


@pytest.fixture
async def office(portal: Portal) -> Office:
    return Office(portal, await portal.add(role=Role.ADMIN))


async def second_admin(office: Office) -> int:
    return await office.portal.add(email=SECOND, phone=None, role=Role.ADMIN)


async def test_new_staff_sign_in_with_the_password_of_a_letter(office: Office) -> None:
    portal = office.portal
    user_id = await office.add(phone="8 913 765-43-21", role="admin", email="New@Example.com")

    person = await portal.user(user_id)
    assert (person.email, person.phone, person.role) == (NEW, "+79137654321", Role.ADMIN)
    assert (person.password_hash, person.display_name) == (UNUSABLE, "Новый")
    assert await portal.letters() == [("access_given", NEW)]
    assert await portal.actions(user_id) == ["registry:users:create"]
    mailed = await temporary_passwords.renew(portal.database, portal.settings, user_id=user_id, now=NOW)
    signed_in = await portal.sign_in(NEW, mailed or "")
    assert signed_in.duty.value == "new_password"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"email": "no"}, "email"),
        ({"email": EMAIL}, "email"),
        ({"email": EMAIL.upper()}, "email"),
        ({"phone": "12"}, "phone"),
        ({"role": "subscriber"}, "role"),
        ({"role": "owner"}, "role"),
        ({"display_name": " "}, "display_name"),
    ],
)
async def test_what_cannot_be_staff_is_said_at_its_field(
    office: Office, form: dict[str, str], field: str
) -> None:
    with pytest.raises(FormError) as caught:
        await office.add(**form)
    assert list(caught.value.errors) == [field]
    assert await office.portal.count("portal_user") == 1
    assert await office.portal.letters() == []


async def test_a_disabled_login_is_out_at_once_and_may_come_back(office: Office) -> None:
    portal, other = office.portal, await second_admin(office)
    token = (await portal.sign_in(SECOND)).token

    await office.do("disable", other)
    assert await portal.identity(token) is None
    with pytest.raises(BadCredentialsError):
        await portal.sign_in(SECOND)

    await office.do("enable", other)
    assert await portal.identity((await portal.sign_in(SECOND)).token) is not None
    assert (await portal.actions(other))[-3:-1] == ["registry:users:disable", "registry:users:enable"]


async def test_a_role_taken_away_ends_the_sessions(office: Office) -> None:
    portal, other = office.portal, await second_admin(office)
    token = (await portal.sign_in(SECOND)).token

    await office.do("operator", other)

    assert await portal.identity(token) is None
    assert (await portal.user(other)).role is Role.OPERATOR
    await office.do("admin", other)
    assert (await portal.user(other)).role is Role.ADMIN


async def test_a_new_password_makes_the_old_one_void(office: Office) -> None:
    portal, other = office.portal, await second_admin(office)
    token = (await portal.sign_in(SECOND)).token

    await office.do("password", other)

    assert await portal.identity(token) is None
    with pytest.raises(BadCredentialsError):
        await portal.sign_in(SECOND)
    assert await portal.letters() == [("access_given", SECOND)]


async def test_sessions_end(office: Office) -> None:
    portal, other = office.portal, await second_admin(office)
    own, token = (await portal.sign_in()).token, (await portal.sign_in(SECOND)).token
    await office.do("sessions", other)
    assert await portal.identity(token) is None
    assert await portal.identity(own) is not None


@pytest.mark.parametrize("name", ["disable", "operator", "admin", "sessions", "password"])
async def test_nobody_does_it_to_himself(office: Office, name: str) -> None:
    other = await second_admin(office)
    before = await office.portal.user(office.actor), await office.portal.user(other)
    with pytest.raises(InputError, match="yourself"):
        await office.do(name, other, office.actor)
    assert (await office.portal.user(office.actor), await office.portal.user(other)) == before


async def test_a_subscriber_does_not_become_staff(office: Office) -> None:
    other = await office.portal.add(email=SECOND, phone=None, role=Role.SUBSCRIBER)
    for name in ("operator", "admin"):
        with pytest.raises(InputError, match="subscriber"):
            await office.do(name, other)
    assert (await office.portal.user(other)).role is Role.SUBSCRIBER


@pytest.mark.parametrize("name", ["disable", "operator", "password"])
async def test_the_last_administrator_who_can_sign_in_stays(office: Office, name: str) -> None:
    invited = await office.add(role="admin")
    with pytest.raises(InputError, match="must be an administrator left"):
        await office.do(name, office.actor, actor=invited)
    assert (await office.portal.user(office.actor)).role is Role.ADMIN
    assert (await office.portal.user(office.actor)).is_active


@pytest.mark.parametrize("name", ["disable", "operator", "password"])
async def test_two_who_do_it_to_each_other_at_once_leave_one(office: Office, name: str) -> None:
    other = await second_admin(office)

    tried = await asyncio.gather(
        office.do(name, other), office.do(name, office.actor, actor=other), return_exceptions=True
    )

    assert [isinstance(one, PortalError) for one in tried].count(True) == 1
    people = [await office.portal.user(one) for one in (office.actor, other)]
    usable = [
        one for one in people if one.is_active and one.role is Role.ADMIN and one.password_hash != UNUSABLE
    ]
    assert len(usable) == 1


async def test_erased_logins_are_not_in_the_list(office: Office) -> None:
    await office.portal.add(email=SECOND, phone=None)
    async with office.portal.database.writing() as connection:
        erased = "UPDATE portal_user SET email = 'erased-2@erased.invalid' WHERE email = 'second@example.com'"
        await connection.execute(text(erased))
    assert office.resource is not None
    page = await read_page(office.portal.database, office.resource, View(), now=NOW)
    assert [row.values[0] for row in page.rows] == [EMAIL]
    with pytest.raises(PortalError):
        await office.do("enable", office.actor + 1)
