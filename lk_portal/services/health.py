"""Whether the portal is well, for /healthz and `lk doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from lk_portal.services.context import Portal

DATABASE_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """What does not work; nothing, when all is well."""

    failing: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """True when nothing fails."""
        return not self.failing


_checks: dict[str, Callable[[], bool]] = {}


def watch(name: str, is_alive: Callable[[], bool]) -> None:
    """Add a part of this process to what is checked, e.g. the polling worker."""
    _checks[name] = is_alive


def unwatch(name: str) -> None:
    """Stop checking a part that was ended on purpose."""
    _checks.pop(name, None)


def _says_yes(is_alive: Callable[[], bool]) -> bool:
    try:
        return is_alive()
    except Exception:
        return False


async def check_health(portal: Portal) -> Health:
    """Ask the database and every watched part; never raises, never takes longer than a few seconds."""
    failing = [name for name, is_alive in _checks.items() if not _says_yes(is_alive)]
    try:
        async with asyncio.timeout(DATABASE_PATIENCE_S), portal.database.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception:
        failing.insert(0, "database")
    return Health(tuple(failing))
