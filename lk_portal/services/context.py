"""What a running portal consists of, made once by the composition root, the CLI or a test.

Services take what they need as arguments; only the outermost layers (state handlers, routes, jobs) ask for
`current()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from lk_portal.services.database import Database
from lk_portal.settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Portal:
    """The settings, the database and the clock of one portal process."""

    settings: Settings
    database: Database
    clock: Clock = utc_now

    @classmethod
    def from_settings(cls, settings: Settings) -> Portal:
        """A portal on the database the settings name; nothing is opened yet."""
        return cls(settings=settings, database=Database(settings.database_address))

    async def close(self) -> None:
        """Close the database's connections."""
        await self.database.close()


class _Installed:
    portal: Portal | None = None


def install(portal: Portal) -> Portal:
    """Make `portal` the one `current()` gives; returns it."""
    _Installed.portal = portal
    return portal


def current() -> Portal:
    """The process's portal.

    Raises:
        RuntimeError: Nothing was installed: a programming error.
    """
    if _Installed.portal is None:
        raise RuntimeError("no portal is installed in this process")
    return _Installed.portal
