"""The second factor of staff; on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pyotp
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from lk_portal.errors import AccessDeniedError, InputError, ThrottledError
from lk_portal.models import Duty, Letter, LetterKind, Role
from lk_portal.security.tokens import hash_of
from lk_portal.services import duties, second_factor, temporary_passwords, users
from lk_portal.services.second_factor import Enrolment, Status
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings
from tests.integration.services.people import EMAIL, NOW, OTHER_PASSWORD, Portal, visit

STEP = timedelta(seconds=30)


class Owner:
    """Somebody with a telephone."""

    def __init__(self, portal: Portal, user_id: int) -> None:
        self.portal, self.id = portal, user_id
        self.settings = portal.settings
        self.kept: Enrolment | None = None

    async def begin(self) -> Enrolment:
        self.kept = await second_factor.begin(self.portal.database, self.settings, user_id=self.id, now=NOW)
        return self.kept

    def code(self, *, after: timedelta = timedelta()) -> str:
        assert self.kept is not None
        return pyotp.TOTP(self.kept.key).at(NOW + after)

    async def turn_on(self) -> str:
        token = (await self.portal.sign_in()).token
        await self.begin()
        return await second_factor.turn_on(
            self.portal.database,
            self.settings,
            user_id=self.id,
            session_hash=hash_of(token),
            code=self.code(),
            visit=visit(),
        )

    async def enter(self, token: str, code: str, *, after: timedelta = STEP) -> str:
        return await second_factor.enter(
            self.portal.database,
            self.settings,
            user_id=self.id,
            session_hash=hash_of(token),
            code=code,
            visit=visit(after=after),
        )

    async def duty(self, token: str, *, after: timedelta = STEP) -> Duty | None:
        identity = await self.portal.identity(token, after=after)
        return identity.duty if identity else None

    async def status(self) -> Status:
        return await second_factor.status_of(self.portal.database, user_id=self.id)


@pytest.fixture
async def owner(portal: Portal) -> Owner:
    return Owner(portal, await portal.add(role=Role.ADMIN))


def required(settings: Settings) -> Settings:
    return settings.model_copy(update={"require_second_factor": True})


async def test_a_code_is_asked_for_after_the_password(owner: Owner) -> None:
    own = await owner.turn_on()
    assert await owner.duty(own) is Duty.NONE
    assert await owner.status() == Status(is_on=True, codes_left=10)

    signed_in = await owner.portal.sign_in(after=STEP)
    assert signed_in.duty is Duty.SECOND_FACTOR
    token = await owner.enter(signed_in.token, owner.code(after=STEP))

    assert await owner.duty(token) is Duty.NONE
    assert await owner.duty(signed_in.token) is None, "the token from before is worth nothing"
    assert (await owner.portal.actions(owner.id))[-2:] == ["web:session:begin", second_factor.PASSED]


async def test_turning_it_on_ends_other_sessions(owner: Owner) -> None:
    other = (await owner.portal.sign_in()).token
    await owner.turn_on()
    assert await owner.duty(other) is None


async def test_a_code_opens_one_session(owner: Owner) -> None:
    await owner.turn_on()
    first, second = [(await owner.portal.sign_in(after=STEP)).token for _each in range(2)]
    code = owner.code(after=STEP)

    tried = await asyncio.gather(owner.enter(first, code), owner.enter(second, code), return_exceptions=True)

    assert sorted(type(one).__name__ for one in tried) == ["InputError", "str"]
    with pytest.raises(InputError):
        await owner.enter(second, owner.code())  # the one it was turned on with
    assert await owner.enter(second, owner.code(after=2 * STEP), after=2 * STEP)


@pytest.mark.parametrize(
    "typed", ["", "000000", "12345", "1234567", "x" * 900, "\ud800", "١٢٣٤٥٦", "aaaaa-aaaaa"]
)
async def test_what_is_no_code_opens_nothing(owner: Owner, typed: str) -> None:
    await owner.turn_on()
    token = (await owner.portal.sign_in(after=STEP)).token
    with pytest.raises(InputError):
        await owner.enter(token, typed)
    assert await owner.duty(token) is Duty.SECOND_FACTOR
    assert (await owner.portal.actions(owner.id))[-1] == second_factor.FAILED


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_telephones_clock_may_be_a_little_off(owner: Owner, steps: int, *, is_taken: bool) -> None:
    await owner.turn_on()
    later = 10 * STEP
    token = (await owner.portal.sign_in(after=later)).token
    code = owner.code(after=later + steps * STEP)
    if is_taken:
        assert await owner.enter(token, f" {code[:3]} {code[3:]} ", after=later)
    else:
        with pytest.raises(InputError):
            await owner.enter(token, code, after=later)


async def test_wrong_codes_are_slowed_down_wherever_they_come_from(owner: Owner) -> None:
    await owner.turn_on()
    token = (await owner.portal.sign_in(after=STEP)).token
    for number in range(5):
        with pytest.raises(InputError):
            await owner.enter(token, f"00000{number}")
    with pytest.raises(ThrottledError):
        await owner.enter(token, owner.code(after=STEP))
    assert await owner.enter(token, owner.code(after=3 * STEP), after=3 * STEP)


async def test_a_recovery_code_works_once_however_it_is_typed(owner: Owner) -> None:
    await owner.turn_on()
    assert owner.kept is not None
    first, second = [(await owner.portal.sign_in(after=STEP)).token for _each in range(2)]
    code = owner.kept.codes[3]

    assert await owner.enter(first, f" {code.upper().replace('-', ' ')}")
    with pytest.raises(InputError):
        await owner.enter(second, code)

    assert (await owner.status()).codes_left == 9
    assert second_factor.RECOVERED in await owner.portal.actions(owner.id)


async def test_new_recovery_codes_replace_the_old(owner: Owner) -> None:
    await owner.turn_on()
    assert owner.kept is not None
    codes = await second_factor.renew_codes(
        owner.portal.database,
        owner.settings,
        user_id=owner.id,
        code=owner.code(after=STEP),
        visit=visit(after=STEP),
    )
    token = (await owner.portal.sign_in(after=STEP)).token
    with pytest.raises(InputError):
        await owner.enter(token, owner.kept.codes[0])
    assert len(set(codes)) == 10
    assert await owner.enter(token, codes[0])


async def test_nothing_in_the_database_is_the_key_or_a_code(owner: Owner) -> None:
    kept = await owner.begin()
    for _stage in range(2):
        async with owner.portal.database.reading() as connection:
            rows = [
                str(row)
                for table in ("second_factor", "recovery_code", "audit_entry")
                for row in await connection.execute(text(f"SELECT * FROM {table}"))
            ]
        assert not any(word in " ".join(rows) for word in (kept.key, *kept.codes))
        if not (await owner.status()).is_on:
            await owner.turn_on()


async def test_the_key_stays_the_same_until_it_is_confirmed_and_is_not_shown_afterwards(owner: Owner) -> None:
    assert await owner.begin() == await owner.begin()
    await owner.turn_on()
    with pytest.raises(AccessDeniedError):
        await owner.begin()


async def test_it_works_after_the_secret_was_changed(owner: Owner) -> None:
    await owner.turn_on()
    assert owner.kept is not None
    old = owner.settings.secret().decode()
    token, other = [(await owner.portal.sign_in(after=STEP)).token for _each in range(2)]
    new = {"secret_key": SecretStr("n3w-s3cret-" * 5), "old_secret_keys": SecretStr(old)}
    owner.settings = owner.settings.model_copy(update=new)

    assert await owner.enter(token, owner.code(after=STEP))
    assert await owner.enter(other, owner.kept.codes[0])


async def test_turning_it_off_takes_a_code(owner: Owner) -> None:
    await owner.turn_on()

    async def off(code: str, settings: Settings) -> None:
        await second_factor.turn_off(
            owner.portal.database,
            settings,
            user_id=owner.id,
            role=Role.ADMIN,
            code=code,
            visit=visit(after=STEP),
        )

    with pytest.raises(InputError, match="must have"):
        await off(owner.code(after=STEP), required(owner.settings))
    with pytest.raises(InputError):
        await off("000000", owner.settings)
    assert (await owner.status()).is_on
    await off(owner.code(after=STEP), owner.settings)
    assert await owner.status() == Status(is_on=False, codes_left=0)
    assert (await owner.portal.sign_in(after=STEP)).duty is Duty.NONE


async def test_where_it_is_required_administrators_set_it_up_at_sign_in(owner: Owner) -> None:
    owner.portal.settings = owner.settings = required(owner.settings)
    await owner.portal.add(email="operator@example.com", phone=None, role=Role.OPERATOR)

    assert (await owner.portal.sign_in("operator@example.com")).duty is Duty.NONE
    signed_in = await owner.portal.sign_in()
    assert signed_in.duty is Duty.ENROL
    await owner.begin()
    token = await second_factor.turn_on(
        owner.portal.database,
        owner.settings,
        user_id=owner.id,
        session_hash=hash_of(signed_in.token),
        code=owner.code(),
        visit=visit(),
    )
    assert await owner.duty(token) is Duty.NONE


async def test_a_mailed_password_does_not_go_round_it(owner: Owner) -> None:
    await owner.turn_on()
    mailed = await temporary_passwords.renew(owner.portal.database, owner.settings, user_id=owner.id, now=NOW)
    signed_in = await owner.portal.sign_in(password=mailed or "", after=STEP)
    assert signed_in.duty is Duty.NEW_PASSWORD

    done = await duties.set_new_password(
        owner.portal.database,
        owner.settings,
        user_id=owner.id,
        role=Role.ADMIN,
        session_hash=hash_of(signed_in.token),
        password=OTHER_PASSWORD,
        repeat=OTHER_PASSWORD,
        visit=visit(after=STEP),
    )

    assert done.duty is Duty.SECOND_FACTOR


async def test_subscribers_have_none(portal: Portal) -> None:
    user_id = await portal.add(role=Role.SUBSCRIBER)
    with pytest.raises(AccessDeniedError):
        await second_factor.begin(portal.database, portal.settings, user_id=user_id, now=NOW)


@pytest.mark.parametrize("is_dropped", [True, False])
async def test_the_command_takes_a_lost_one_away_only_when_it_is_told_to(
    owner: Owner, *, is_dropped: bool
) -> None:
    await owner.turn_on()
    await users.reset_password(
        owner.portal.database,
        owner.settings,
        login=EMAIL,
        password=OTHER_PASSWORD,
        now=NOW,
        is_factor_dropped=is_dropped,
    )
    signed_in = await owner.portal.sign_in(password=OTHER_PASSWORD, after=STEP)
    assert signed_in.duty is (Duty.NONE if is_dropped else Duty.SECOND_FACTOR)
    written = await kinds_written(owner)
    assert (LetterKind.SECOND_FACTOR_DROPPED in written) is is_dropped


async def test_who_has_none_gets_no_letter_that_it_was_taken_away(owner: Owner) -> None:
    await users.reset_password(
        owner.portal.database,
        owner.settings,
        login=EMAIL,
        password=OTHER_PASSWORD,
        now=NOW,
        is_factor_dropped=True,
    )
    assert LetterKind.SECOND_FACTOR_DROPPED not in await kinds_written(owner)


async def kinds_written(owner: Owner) -> list[LetterKind]:
    async with owner.portal.database.reading() as connection:
        return list(await connection.scalars(select(table_of(Letter).c.kind)))
