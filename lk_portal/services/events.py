"""Keeps what meters report about themselves, and finds one event of a subscriber's meter.

For imports, adapters' sinks and whoever quotes an event. `services.event_history` shows a period of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.metering.events import EventEntry, lookup
from lk_portal.models import Account, Installation, Meter, MeterEvent, MeteringPoint, Premises, Severity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.owned import is_owned
from lk_portal.services.staging import Row, StageTable, run, stage
from lk_portal.services.tables import table_of

MAX_JOURNAL = 255
MAX_CODE = 65535
MAX_ID = 2**31 - 1
SEVERITIES = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
"""In the order people want to see them; their places stand for them in the staging table."""


class EventRow(NamedTuple):
    """One entry of a meter's journal. Any tuple of this shape will do; `event_row` makes a checked one.

    Attributes:
        meter_id: The meter, which must exist.
        occurred_ms: Milliseconds since 1970, UTC.
        journal: Number of the journal.
        code: As the meter stores it.
    """

    meter_id: int
    occurred_ms: int
    journal: int
    code: int


def event_row(*, meter_id: int, occurred_at: datetime, journal: int, code: int) -> EventRow:
    """A checked row of an import; the time is aware.

    Raises:
        InputError: Journal or code is no number a meter can have.
    """
    if not 0 <= journal <= MAX_JOURNAL:
        raise InputError(
            N_("The journal must be a number from 0 to {most}"), field="journal", most=MAX_JOURNAL
        )
    if not 0 <= code <= MAX_CODE:
        raise InputError(N_("The code must be a number from 0 to {most}"), field="code", most=MAX_CODE)
    return EventRow(meter_id, to_milliseconds(occurred_at), journal, code)


async def store_events(connection: AsyncConnection, rows: Sequence[Row], *, now: datetime) -> int:
    """Keep events that are not known yet, in the caller's transaction; gives how many were new.

    The same event twice is no error and changes nothing, so its severity and time of arrival stay what they
    were. Severities are those of the dictionary. Open pages and the menu's badges go by `now`.

    Args:
        connection: In the caller's transaction.
        rows: `EventRow`s or tuples of that shape; any number, in any order.
        now: When they arrived, aware UTC.

    Raises:
        StorageError: The database could not take them.
    """
    if not rows:
        return 0
    received_ms = to_milliseconds(now)
    await stage(connection, _STAGE, [(*row, _place_of(row[2], row[3]), received_ms) for row in rows])
    return await run(connection, _INSERT)


def _place_of(journal: int, code: int) -> int:
    return SEVERITIES.index(lookup(journal, code).severity)


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event of a subscriber's meter, to be quoted.

    Attributes:
        event_id: The key.
        entry: Its names and the rest of the dictionary.
        severity: As stored.
        occurred_at: Aware UTC.
        serial: Of the meter.
        account_id: Whose event it is.
        timezone: IANA zone of the premises.
    """

    event_id: int
    entry: EventEntry
    severity: Severity
    occurred_at: datetime
    serial: str
    account_id: int
    timezone: str


async def find_event(database: Database, *, subscriber_id: int, event_id: int) -> OwnEvent:
    """An event of a meter while it stood at one of the subscriber's points.

    Raises:
        NotFoundError: She has no such event.
    """
    if not 0 < event_id <= MAX_ID:
        raise NotFoundError
    wanted = {"subscriber_id": subscriber_id, "event_id": event_id}
    async with database.reading() as connection:
        row = (await connection.execute(_ONE, wanted)).first()
    if row is None:
        raise NotFoundError
    entry = lookup(row.journal, row.code)
    return OwnEvent(row.id, entry, row.severity, row.occurred_at, row.serial, row.account_id, row.timezone)


_event, _place, _meter = table_of(MeterEvent), table_of(Installation), table_of(Meter)
_point, _account, _premises = table_of(MeteringPoint), table_of(Account), table_of(Premises)
OWN_EVENTS = (
    select(
        _event.c.id,
        _event.c.meter_id,
        _event.c.occurred_at,
        _event.c.journal,
        _event.c.code,
        _event.c.severity,
        _meter.c.serial,
        _account.c.id.label("account_id"),
    )
    .select_from(_account)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_place, _place.c.point_id == _point.c.id)
    .join(_meter, _meter.c.id == _place.c.meter_id)
    .join(_event, _event.c.meter_id == _place.c.meter_id)
    .where(
        is_owned(),
        _event.c.occurred_at >= _place.c.installed_at,
        or_(_place.c.removed_at.is_(None), _event.c.occurred_at < _place.c.removed_at),
    )
)
"""Events of a subscriber's meters while they stood at her points: what came before or after is not hers."""
_ONE = (
    OWN_EVENTS.add_columns(_premises.c.timezone)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .where(_event.c.id == bindparam("event_id"))
    .limit(1)
)
_STAGE = StageTable(
    "stage_event",
    (
        ("meter_id", "INTEGER NOT NULL"),
        ("at_ms", "BIGINT NOT NULL"),
        ("journal", "INTEGER NOT NULL"),
        ("code", "INTEGER NOT NULL"),
        ("severity", "SMALLINT NOT NULL"),
        ("received_ms", "BIGINT NOT NULL"),
    ),
)
_CASES = " ".join(f"WHEN {place} THEN '{severity}'" for place, severity in enumerate(SEVERITIES))
_INSERT = f"""
INSERT INTO meter_event (meter_id, occurred_at, journal, code, severity, received_at)
SELECT meter_id, MS(at_ms), journal, code, CASE severity {_CASES} END, MS(received_ms)
FROM stage_event WHERE true ORDER BY seq
ON CONFLICT (meter_id, occurred_at, journal, code) DO NOTHING
"""  # noqa: S608 - constants of ours
