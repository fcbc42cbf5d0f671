"""Hashes of passwords: every letter counts, the secret may change, and a check always costs the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import bcrypt
import pytest

from lk_portal.security import passwords
from lk_portal.security.passwords import Peppers

SECRET = b"a secret that is long enough for a test"
OTHER = b"another secret that is long enough, too"
PEPPERS = Peppers.of(SECRET)
LONG = "п" * 100


async def hashed(password: str, *, secret: bytes = SECRET, rounds: int = 4) -> str:
    return await passwords.hash_password(password, pepper=passwords.pepper_of(secret), rounds=rounds)


async def fits(password: str, stored: str, peppers: Peppers = PEPPERS, rounds: int = 4) -> bool:
    return await passwords.is_password(password, stored, peppers=peppers, rounds=rounds)


@pytest.mark.parametrize(
    "password", ["Correct-horse-2026", LONG, "a\0b" * 6, "😀" * 12, "\ud800" * 12, "ёлка" * 4]
)
async def test_a_password_is_recognised(password: str) -> None:
    stored = await hashed(password)

    assert await fits(password, stored)
    assert not await fits(password + "x", stored)
    assert not await fits(password, stored, Peppers.of(OTHER))


async def test_the_last_of_a_hundred_cyrillic_letters_counts() -> None:
    assert not await fits(LONG[:-1] + "р", await hashed(LONG))


async def test_a_letter_typed_in_two_parts_is_the_same_letter() -> None:
    assert await fits("\u0438\u0306\u0435\u0308 twelve letters", await hashed("йё twelve letters"))


async def test_the_pepper_is_not_the_secret_and_the_salt_is_new() -> None:
    one, other = await hashed("Correct-horse-2026"), await hashed("Correct-horse-2026")

    assert SECRET not in PEPPERS.current
    assert one != other
    assert one.startswith(passwords.pepper_id(PEPPERS.current) + "$2b$04$")
    assert not await fits("Correct-horse-2026", one, Peppers(SECRET))


async def test_a_changed_secret_keeps_the_old_passwords() -> None:
    old = await hashed("Correct-horse-2026", secret=OTHER)
    both = Peppers.of(SECRET, (OTHER,))

    assert await fits("Correct-horse-2026", old, both)
    assert not await fits("Correct-horse-2027", old, both)
    assert not await fits("Correct-horse-2026", old, Peppers.of(SECRET)), "the old secret was not given"
    assert passwords.is_outdated(old, peppers=both, rounds=4)
    assert not passwords.is_outdated(await hashed("Correct-horse-2026"), peppers=both, rounds=4)


async def test_a_hash_without_an_id_is_of_the_oldest_secret() -> None:
    bare = (await hashed("Correct-horse-2026")).removeprefix(passwords.pepper_id(PEPPERS.current))
    later = Peppers.of(OTHER, (b"one that was in force between the two", SECRET))

    assert bare.startswith("$2b$")
    for peppers in (PEPPERS, later):
        assert await fits("Correct-horse-2026", bare, peppers)
        assert passwords.is_outdated(bare, peppers=peppers, rounds=4)
    assert not await fits("Correct-horse-2026", bare, Peppers.of(OTHER))


@pytest.mark.parametrize("rounds", range(4, 13))
def test_the_decoy_is_built_like_a_hash_of_this_cost(rounds: int) -> None:
    decoy = passwords.decoy_hash(rounds)

    assert decoy.split("$")[1:3] == bcrypt.gensalt(rounds).decode().split("$")[1:3]
    assert len(decoy) == 60


@pytest.mark.parametrize(
    "stored", ["", passwords.UNUSABLE, "$2b$04$short", "p00000000" + passwords.decoy_hash(4), "ё"]
)
async def test_nothing_fits_what_is_no_hash(stored: str) -> None:
    for password in ("", "Correct-horse-2026", stored):
        assert not await fits(password, stored)
    assert passwords.is_outdated(stored, peppers=PEPPERS, rounds=4)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[int]]:
    """How much bcrypt was asked to do: the costs of its checks, each twice the one before."""
    counted: Counter[int] = Counter()
    real = bcrypt.checkpw

    def counting(password: bytes, stored: bytes) -> bool:
        counted[int(stored.split(b"$")[2])] += 1
        return real(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    yield counted


async def test_every_check_costs_the_same(work: Counter[int]) -> None:
    today = 8
    stored = [
        "",
        passwords.UNUSABLE,
        await hashed("Correct-horse-2026", rounds=today),
        await hashed("Correct-horse-2026", rounds=5),
        await hashed("Correct-horse-2026", secret=OTHER, rounds=today),
    ]
    for one in stored:
        for password in ("Correct-horse-2026", "wrong"):
            work.clear()
            await fits(password, one, rounds=today)
            assert sum(2**cost * times for cost, times in work.items()) == 2**today


def test_temporary_passwords_are_random_and_easy_to_type() -> None:
    made = {passwords.new_temporary() for _ in range(200)}

    assert len(made) == 200
    assert all(len(one.replace("-", "")) >= 16 and one.count("-") == 3 for one in made)
    assert not set("".join(made)) & set("ilo01ABCDEFGHIJKLMNOPQRSTUVWXYZ_ ")


def test_a_temporary_password_is_typed_in_any_grouping() -> None:
    password = passwords.new_temporary()
    stored = passwords.hash_temporary(password, pepper=PEPPERS.current)
    plain = password.replace("-", "")

    for typed in (password, plain, password.replace("-", " "), f"  {plain}\n", password.replace("-", " — ")):
        assert passwords.is_temporary(typed, stored, peppers=PEPPERS)
    for wrong in (plain[:-1], plain.upper(), plain + "a", "", passwords.new_temporary(), "\ud800"):
        assert not passwords.is_temporary(wrong, stored, peppers=PEPPERS)
    assert plain not in stored


@pytest.mark.parametrize("typed", ["", "x", "-", "\ud800"])
def test_nothing_fits_a_temporary_password_that_was_not_made(typed: str) -> None:
    for stored in ("", "t", "ё", "p00000000t"):
        assert not passwords.is_temporary(typed, stored, peppers=PEPPERS)


def test_a_temporary_password_outlives_a_change_of_the_secret() -> None:
    password = passwords.new_temporary()
    stored = passwords.hash_temporary(password, pepper=passwords.pepper_of(OTHER))

    assert passwords.is_temporary(password, stored, peppers=Peppers.of(SECRET, (OTHER,)))
    assert not passwords.is_temporary(password, stored, peppers=Peppers.of(SECRET))


def test_a_mailed_password_is_told_from_a_chosen_one() -> None:
    assert passwords.looks_temporary(passwords.new_temporary())
    for chosen in ("Correct-horse-2026", "the brave sunny camera tree", "correct-horse-battery"):
        assert not passwords.looks_temporary(chosen)
