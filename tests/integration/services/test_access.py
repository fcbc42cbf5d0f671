"""Signing in, sessions and users, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from lk_portal.errors import BadCredentialsError, InputError, NotFoundError, ThrottledError
from lk_portal.models import User
from lk_portal.security import passwords
from lk_portal.security.tokens import hash_of
from lk_portal.services import access
from lk_portal.services.access import Identity, Role, Visit
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings, load_settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "Correct-horse-2026"
EMAIL = "ivanov@example.com"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


def visit(*, after: timedelta = timedelta(), address: str = "192.0.2.1") -> Visit:
    return Visit(address=address, agent="test", at=NOW + after)


async def add_user(database: Database, settings: Settings, **changes: object) -> int:
    values: dict[str, object] = {
        "email": EMAIL,
        "phone": "+7 913 123-45-67",
        "role": Role.OPERATOR,
        "display_name": "Иванов",
        "password": PASSWORD,
        "subscriber_id": None,
        "now": NOW,
        **changes,
    }
    return await access.create_user(database, settings, **values)  # type: ignore[arg-type]


async def sign_in(
    database: Database, settings: Settings, login: str = EMAIL, password: str = PASSWORD, **where: object
) -> str:
    signed_in = await access.sign_in(
        database,
        settings,
        login=login,
        password=password,
        visit=visit(**where),  # type: ignore[arg-type]
    )
    return signed_in.token


async def identity(
    database: Database, settings: Settings, token: str, *, after: timedelta, is_activity: bool = True
) -> Identity | None:
    return await access.identity_of(
        database, settings, session_hash=hash_of(token), now=NOW + after, is_activity=is_activity
    )


@pytest.mark.parametrize("login", [EMAIL, "IVANOV@example.com", "8 913 123-45-67"])
async def test_the_right_password_opens_a_session(database: Database, settings: Settings, login: str) -> None:
    user_id = await add_user(database, settings)

    token = await sign_in(database, settings, login)
    found = await identity(database, settings, token, after=timedelta(minutes=1))

    assert found is not None
    assert (found.user_id, found.role, found.display_name) == (user_id, Role.OPERATOR, "Иванов")
    assert await identity(database, settings, token + "x", after=timedelta()) is None


@pytest.mark.parametrize(
    ("login", "password"), [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD), ("", "")]
)
async def test_refusals_are_all_alike(
    database: Database, settings: Settings, login: str, password: str
) -> None:
    await add_user(database, settings)

    with pytest.raises(BadCredentialsError) as refused:
        await sign_in(database, settings, login, password)

    assert str(refused.value) == "Wrong login or password"


async def test_a_disabled_person_is_out_at_once(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    token = await sign_in(database, settings)

    await access.disable_user(database, login=EMAIL, now=NOW)

    assert await identity(database, settings, token, after=timedelta()) is None
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings)


async def test_a_new_password_ends_the_old_sessions(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    token = await sign_in(database, settings)

    await access.reset_password(database, settings, login=EMAIL, password="Another-horse-2026", now=NOW)

    assert await identity(database, settings, token, after=timedelta()) is None
    assert await sign_in(database, settings, password="Another-horse-2026")
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings, password=PASSWORD)


async def test_an_unused_session_ends_and_a_used_one_lives(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    token = await sign_in(database, settings)
    step = timedelta(minutes=29)

    assert await identity(database, settings, token, after=step)
    assert await identity(database, settings, token, after=2 * step)
    assert await identity(database, settings, token, after=3 * step, is_activity=False)
    assert await identity(database, settings, token, after=3 * step + timedelta(minutes=2)) is None


async def test_no_session_outlives_half_a_day(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    token = await sign_in(database, settings)
    for minutes in range(20, 12 * 60, 20):
        assert await identity(database, settings, token, after=timedelta(minutes=minutes))

    assert await identity(database, settings, token, after=timedelta(hours=12)) is None


async def test_sign_out_ends_this_session_only(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    one, other = await sign_in(database, settings), await sign_in(database, settings)

    await access.sign_out(database, token=one, visit=visit())
    await access.sign_out(database, token=one, visit=visit())

    assert await identity(database, settings, one, after=timedelta()) is None
    assert await identity(database, settings, other, after=timedelta())


async def test_guessing_grows_slow_but_locks_nobody_out(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    for _ in range(5):
        with pytest.raises(BadCredentialsError):
            await sign_in(database, settings, password="wrong")

    with pytest.raises(ThrottledError):
        await sign_in(database, settings)
    assert await sign_in(database, settings, after=timedelta(seconds=2))
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings, password="wrong", after=timedelta(seconds=3))


async def test_an_address_that_guesses_many_logins_is_slowed(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    for number in range(30):
        with pytest.raises(BadCredentialsError):
            await sign_in(database, settings, f"nobody{number}@example.com")

    with pytest.raises(ThrottledError):
        await sign_in(database, settings)
    assert await sign_in(database, settings, address="192.0.2.2")


@pytest.mark.parametrize(
    "changes",
    [
        {"phone": None},
        {"email": "other@example.com"},
        {"email": "no e-mail", "phone": None},
        {"email": "x@example.com", "phone": "12"},
        {"email": "y@example.com", "phone": None, "password": "short"},
        {"email": "z@example.com", "phone": None, "password": "x" * 129},
    ],
)
async def test_a_user_that_cannot_be_added(
    database: Database, settings: Settings, changes: dict[str, object]
) -> None:
    await add_user(database, settings)

    with pytest.raises(InputError):
        await add_user(database, settings, **changes)
    assert await sign_in(database, settings)


async def test_nobody_is_no_user(database: Database, settings: Settings) -> None:
    with pytest.raises(NotFoundError):
        await access.disable_user(database, login="nobody@example.com", now=NOW)
    with pytest.raises(NotFoundError):
        await access.reset_password(database, settings, login="", password=PASSWORD, now=NOW)


async def test_what_is_over_is_forgotten(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    token = await sign_in(database, settings)

    await access.forget_expired(database, now=NOW + timedelta(hours=1))
    assert await identity(database, settings, token, after=timedelta(minutes=5))
    await access.forget_expired(database, now=NOW + timedelta(hours=13))
    assert await identity(database, settings, token, after=timedelta(minutes=5)) is None


async def test_what_no_database_can_hold_is_only_a_wrong_login(
    database: Database, settings: Settings
) -> None:
    await add_user(database, settings)

    for login in ("a\0b@example.com", "a\ud800@example.com", "x" * 300, "+7" + "9" * 300):
        with pytest.raises(BadCredentialsError):
            await sign_in(database, settings, login, after=timedelta(minutes=len(login)))
    assert await sign_in(database, settings)


async def test_success_forgets_the_failures_before_it(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(BadCredentialsError):
                await sign_in(database, settings, password="wrong")
        assert await sign_in(database, settings)


async def test_one_login_is_slowed_by_its_own_failures_only(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    await add_user(database, settings, email="other@example.com", phone=None)
    for _ in range(5):
        with pytest.raises(BadCredentialsError):
            await sign_in(database, settings, password="wrong")

    with pytest.raises(ThrottledError) as waiting:
        await sign_in(database, settings)
    assert waiting.value.seconds == 1
    with pytest.raises(ThrottledError):
        await sign_in(database, settings, "8 913 123-45-67")
    assert await sign_in(database, settings, "other@example.com")
    assert await sign_in(database, settings, after=timedelta(hours=1))


async def test_idle_is_from_the_last_act_to_the_minute(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    token = await sign_in(database, settings)
    minute, idle = timedelta(minutes=1), timedelta(minutes=settings.session_idle_minutes)

    assert await identity(database, settings, token, after=idle - minute / 60, is_activity=False)
    assert await identity(database, settings, token, after=idle, is_activity=False) is None
    assert await identity(database, settings, token, after=5 * minute)
    assert await identity(database, settings, token, after=idle + 4 * minute, is_activity=False)
    assert await identity(database, settings, token, after=idle + 5 * minute) is None


async def test_the_token_itself_is_stored_nowhere(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    token = await sign_in(database, settings)

    assert await identity(database, settings, token, after=timedelta())
    stolen = await access.identity_of(database, settings, session_hash=token, now=NOW)
    twice = await access.identity_of(database, settings, session_hash=hash_of(hash_of(token)), now=NOW)
    assert (stolen, twice) == (None, None)
    async with database.reading() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM user_session")).all()
    assert len(rows) == 1
    assert hash_of(token) in map(str, rows[0])
    assert token not in str(rows)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": " IVANOV@Example.com", "phone": None}, "email"),
        ({"email": "other@example.com", "phone": "8(913)1234567"}, "email"),
        ({"email": "a b@example.com", "phone": None}, "email"),
        ({"email": "@example.com", "phone": None}, "email"),
        ({"email": "a@example", "phone": None}, "email"),
        ({"email": "a\0@example.com", "phone": None}, "email"),
        ({"email": "+7 913 000-00-00", "phone": None}, "email"),
        ({"email": "other@example.com", "phone": "other@example.com"}, "phone"),
        ({"email": "other@example.com", "phone": None, "password": "п" * 11}, "password"),
        ({"email": "other@example.com", "phone": None, "password": "п" * 129}, "password"),
    ],
)
async def test_a_refusal_names_the_field(
    sqlite_database: Database, settings: Settings, changes: dict[str, object], field: str
) -> None:
    await add_user(sqlite_database, settings)

    with pytest.raises(InputError) as refused:
        await add_user(sqlite_database, settings, **changes)

    assert refused.value.field == field
    with pytest.raises(BadCredentialsError):
        await sign_in(sqlite_database, settings, "other@example.com", "п" * 11)


@pytest.mark.parametrize("password", ["съешьещёэтих", "п" * 128, "пароль с пробелом"])
async def test_a_password_of_any_letters_signs_in(
    sqlite_database: Database, settings: Settings, password: str
) -> None:
    await add_user(sqlite_database, settings, password=password)

    assert await sign_in(sqlite_database, settings, password=password)
    for wrong in (password[:-1] + "р", password + "п", password[:-1]):
        with pytest.raises(BadCredentialsError):
            await sign_in(sqlite_database, settings, password=wrong)


async def test_a_reset_lets_a_disabled_person_in_again(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    await access.disable_user(database, login="8 913 123-45-67", now=NOW)
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings)
    with pytest.raises(InputError):
        await access.reset_password(database, settings, login=EMAIL, password="short", now=NOW)
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings)

    await access.reset_password(
        database, settings, login="+79131234567", password="Another-horse-2026", now=NOW
    )

    assert await sign_in(database, settings, password="Another-horse-2026")


async def test_old_failures_are_forgotten_and_new_ones_kept(database: Database, settings: Settings) -> None:
    await add_user(database, settings)
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings, password="wrong")
    kept = await _failures(database)
    for _ in range(4):
        with pytest.raises(BadCredentialsError):
            await sign_in(database, settings, password="wrong", after=timedelta(minutes=59))

    await access.forget_expired(database, now=NOW + timedelta(minutes=61))

    assert await _failures(database) == 4 * kept
    assert await sign_in(database, settings, after=timedelta(minutes=59))


async def _failures(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.exec_driver_sql("SELECT count(*) FROM attempt")).scalar_one())


@pytest.mark.parametrize("change", [{"is_active": False}, {"password_hash": passwords.UNUSABLE}])
async def test_what_is_taken_away_while_a_password_is_checked_opens_nothing(
    database: Database, settings: Settings, change: dict[str, object]
) -> None:
    await add_user(database, settings)

    async with database.writing() as connection:
        await connection.execute(update(table_of(User)).values(change))
        signing_in = asyncio.create_task(sign_in(database, settings))
        await asyncio.sleep(0.5)
        assert not signing_in.done(), "it found the password right, and waits to open the session"

    with pytest.raises(BadCredentialsError):
        await signing_in


@pytest.mark.parametrize("login", ["", " ", "' OR 1=1 --", "x" * 300, "@", "\0"])
async def test_what_is_no_login_is_nobodys(database: Database, settings: Settings, login: str) -> None:
    """Also where somebody has no telephone: nothing is not the same as nothing."""
    await add_user(database, settings, phone=None)
    for number in range(2):
        with pytest.raises(BadCredentialsError):
            await sign_in(database, settings, login)
        await add_user(database, settings, email=f"{number}@example.com", phone=None)
