"""Signing in: whether the time of a refusal tells if a login exists, is disabled, or was mailed a password.

Wrong passwords for every kind of login, in turn and in random order, so that whatever else the machine does
meets all kinds alike. Timed is the server's work for one POST of the form, without a network.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
from starlette.applications import Starlette

from lk_portal.services import temporary_passwords, users
from lk_portal.services.access import Role
from lk_portal.services.context import Portal, install
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.settings import Settings, load_settings
from lk_portal.web.routes import make_routes
from tests.bench.options import Options
from tests.bench.report import figure, spread

TRIES = 200
PEOPLE = 20
WARM_UP = 5
PASSWORD = "Correct-horse-2026"
UNKNOWN = "unknown"
Logins = Callable[[int], str]
KINDS: dict[str, Logins] = {
    UNKNOWN: lambda number: f"unknown{number}@example.com",
    "known": lambda number: f"known{number}@example.com",
    "mailed a temporary password": lambda number: f"mailed{number}@example.com",
    "disabled": lambda number: f"disabled{number}@example.com",
}


def run(_options: Options) -> None:
    """Measure on SQLite, with the cost of a real portal's hashes."""
    with tempfile.TemporaryDirectory() as directory:
        times = asyncio.run(_measure(Path(directory)))
    for kind, taken in times.items():
        figure(f"sign-in refused: {kind}", spread(taken))
    base = statistics.median(times[UNKNOWN])
    for kind, taken in times.items():
        if kind != UNKNOWN:
            value = statistics.median(taken) / base
            verdict = 0.9 <= value <= 1.1
            figure(f"sign-in refused: {kind} / unknown", f"{value:.3f}", target="0.9 to 1.1", is_met=verdict)


async def _measure(folder: Path) -> dict[str, list[float]]:
    settings = load_settings(data_dir=folder, public_url="http://127.0.0.1:8000")
    migrate(settings.database_address)
    portal = install(Portal(settings, Database(settings.database_address)))
    try:
        await _people(portal.database, settings)
        return await _timed(make_routes())
    finally:
        await portal.close()


async def _people(database: Database, settings: Settings) -> None:
    cheap = settings.model_copy(update={"bcrypt_rounds": 4})
    for kind in ("known", "mailed a temporary password", "disabled"):
        for number in range(PEOPLE):
            await _person(database, settings if kind == "known" else cheap, kind, KINDS[kind](number))


async def _person(database: Database, settings: Settings, kind: str, login: str) -> None:
    now = datetime.now(UTC)
    user_id = await users.create_user(
        database,
        settings,
        email=login,
        phone=None,
        role=Role.OPERATOR,
        display_name="Измеритель",
        password=PASSWORD,
        subscriber_id=None,
        now=now,
    )
    if kind == "disabled":
        await users.disable_user(database, login=login, now=now)
    elif kind != "known":
        await temporary_passwords.renew(database, settings, user_id=user_id, now=now)


async def _timed(routes: Starlette) -> dict[str, list[float]]:
    """Seconds of every try but the first few, by kind."""
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(WARM_UP + TRIES):
        kinds = list(KINDS)
        random.shuffle(kinds)
        for kind in kinds:
            taken = await _one(routes, KINDS[kind](number % PEOPLE))
            if number >= WARM_UP:
                times[kind].append(taken)
    return times


async def _one(routes: Starlette, login: str) -> float:
    """Every try from a network of its own, so that none is slowed as a guess."""
    address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
    transport = httpx.ASGITransport(routes, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        began = time.perf_counter()
        answer = await http.post("/auth/login", data={"login": login, "password": "wrong"})
        taken = time.perf_counter() - began
    assert answer.headers["location"] == "/login"
    assert "retry-after" not in answer.headers
    return taken
