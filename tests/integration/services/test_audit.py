"""Who did what from where, and the letter about a browser nobody knows; on both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from lk_portal.errors import BadCredentialsError
from lk_portal.models import AuditEntry, Channel, NotificationChoice, NotificationKind
from lk_portal.services import access, audit, temporary_passwords, users
from lk_portal.services.tables import table_of
from tests.integration.services.people import EMAIL, ENEMY, NOW, PHONE, Portal, visit

MINUTE = timedelta(minutes=1)


async def test_a_person_sees_what_was_done_to_hers(portal: Portal) -> None:
    user_id = await portal.add()
    await portal.add(email="other@example.com", phone=None)
    with pytest.raises(BadCredentialsError):
        await portal.sign_in(password="wrong", address=ENEMY, after=MINUTE)
    signed_in = await portal.sign_in(after=2 * MINUTE)
    await access.sign_out(portal.database, token=signed_in.token, visit=visit(after=3 * MINUTE))
    await portal.sign_in("other@example.com", after=4 * MINUTE)

    found = await audit.own_entries(portal.database, user_id=user_id)

    assert [(entry.at, entry.action, entry.address) for entry in found] == [
        (NOW + 3 * MINUTE, audit.SIGNED_OUT, "192.0.2.1"),
        (NOW + 2 * MINUTE, audit.SIGNED_IN, "192.0.2.1"),
        (NOW + MINUTE, audit.SIGN_IN_FAILED, ENEMY),
        (NOW, audit.USER_CREATED, ""),
    ]
    assert [entry.text for entry in found][:2] == ["Signed out", "Signed in"]
    assert len(await audit.own_entries(portal.database, user_id=user_id, limit=2)) == 2


async def test_what_a_stranger_typed_is_kept_nowhere(portal: Portal) -> None:
    typed = ("canary-login@example.com", "Canary-password-9431")
    with pytest.raises(BadCredentialsError):
        await portal.sign_in(*typed)

    entry = table_of(AuditEntry)
    async with portal.database.reading() as connection:
        [row] = (await connection.execute(select(entry))).all()
    assert (row.action, row.actor_user_id, row.subject_user_id) == (audit.SIGN_IN_FAILED, None, None)
    assert "anary" not in str(row)


async def test_a_failure_for_a_known_login_is_its_owners(portal: Portal) -> None:
    user_id = await portal.add()
    for login in (EMAIL, PHONE):
        with pytest.raises(BadCredentialsError):
            await portal.sign_in(login, "wrong")

    assert (await portal.actions(user_id)).count(audit.SIGN_IN_FAILED) == 2


async def test_commands_are_audited(portal: Portal) -> None:
    user_id = await portal.add()
    await users.reset_password(
        portal.database, portal.settings, login=EMAIL, password="Another-horse-2026", now=NOW
    )
    await users.disable_user(portal.database, login=EMAIL, now=NOW)

    assert await portal.actions(user_id) == [audit.USER_CREATED, audit.USER_RESET, audit.USER_DISABLED]
    assert await portal.letters() == [("password_changed", EMAIL)]


async def test_any_facts_can_be_kept(portal: Portal) -> None:
    user_id = await portal.add()
    async with portal.database.writing() as connection:
        await audit.record(
            connection,
            action="web:thing:change",
            visit=access.Visit(address="x\0" * 99, agent="\ud800я" * 300, at=NOW),
            actor=user_id,
            subject=user_id,
            number=7,
            text="a\0\ud800" + "я" * 500,
        )

    [newest, *_others] = await audit.own_entries(portal.database, user_id=user_id)
    assert (newest.text, len(newest.address), len(newest.agent)) == ("Something was changed", 45, 200)
    entry = table_of(AuditEntry)
    async with portal.database.reading() as connection:
        detail = await connection.scalar(select(entry.c.detail).where(entry.c.action == "web:thing:change"))
    assert detail == {"number": 7, "text": "a" + "я" * 199}
    assert json.dumps(detail)


def test_every_action_has_words_and_a_form() -> None:
    actions = {
        name: value
        for name, value in vars(audit).items()
        if name.isupper() and isinstance(value, str) and not value.endswith(":")
    }

    assert set(actions.values()) <= set(audit.TEXTS)
    assert all(action.count(":") == 2 and len(action) <= 64 for action in audit.TEXTS)


# Browsers


async def test_an_unknown_browser_is_told_of(portal: Portal) -> None:
    user_id = await portal.add()
    first = await portal.sign_in()
    assert await portal.letters() == [], "her first sign-in ever"

    await portal.sign_in(devices={user_id: first.device})
    assert await portal.letters() == [], "the same browser"

    await portal.sign_in()
    assert await portal.letters() == [("new_device", EMAIL)]


async def test_another_persons_browser_is_unknown(portal: Portal) -> None:
    await portal.add()
    other = await portal.add(email="other@example.com", phone=None)
    mark = (await portal.sign_in("other@example.com")).device
    await portal.sign_in()

    await portal.sign_in(devices={other: mark})

    assert await portal.letters() == [("new_device", EMAIL)]


async def test_a_mailed_password_says_enough_by_itself(portal: Portal) -> None:
    user_id = await portal.add()
    await portal.sign_in()
    mailed = await temporary_passwords.renew(portal.database, portal.settings, user_id=user_id, now=NOW)
    assert mailed is not None

    await portal.sign_in(password=mailed)

    assert await portal.letters() == []


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_who_does_not_want_the_letter_gets_none(portal: Portal, *, is_wanted: bool) -> None:
    user_id = await portal.add()
    await portal.sign_in()
    async with portal.database.writing() as connection:
        await connection.execute(
            insert(table_of(NotificationChoice)).values(
                user_id=user_id, kind=NotificationKind.NEW_DEVICE, channel=Channel.LETTER, is_wanted=is_wanted
            )
        )

    await portal.sign_in()

    assert await portal.letters() == ([("new_device", EMAIL)] if is_wanted else [])


async def test_a_failed_sign_in_is_no_sign_in(portal: Portal) -> None:
    await portal.add()
    await portal.sign_in()

    with pytest.raises(BadCredentialsError):
        await portal.sign_in(password="wrong")

    assert await portal.letters() == []
