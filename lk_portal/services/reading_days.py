"""On which days the utility takes its readings: what its staff entered, and the setting before that."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.models import BillingDay
from lk_portal.services.database import Database
from lk_portal.services.periods import FIRST_YEAR, LAST_YEAR, ReadingDays
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings

_change = table_of(BillingDay)
_ALL = select(_change.c.since, _change.c.day).order_by(_change.c.since)


async def reading_days(database: Database, settings: Settings) -> ReadingDays:
    """The days, with all changes, also those to come; until the first change it is LK_READING_DAY."""
    async with database.reading() as connection:
        changes = (await connection.execute(_ALL)).all()
    return ReadingDays(settings.reading_day, tuple((row.since, row.day) for row in changes))


async def check_billing_day(_connection: AsyncConnection, values: dict[str, Any], _key: int | None) -> None:
    """A change is written for a whole calendar month; the check of `resource()`.

    Raises:
        InputError: It begins in the middle of one, or in another century.
    """
    since: date = values["since"]
    if since.day != 1:
        raise InputError(N_("A change holds from the first day of a month."), field="since")
    if not FIRST_YEAR <= since.year <= LAST_YEAR:
        raise InputError(
            N_("Choose a year from {first} to {last}."), field="since", first=FIRST_YEAR, last=LAST_YEAR
        )
