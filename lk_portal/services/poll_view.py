"""How the polling goes: what is due, what waits longest, what goes wrong, and where. For staff's pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from lk_portal.errors import NotFoundError
from lk_portal.models import Gateway, Meter, MeterConnection
from lk_portal.services.connections import is_polled, is_suspended
from lk_portal.services.database import Database
from lk_portal.services.poll_batches import Queue, queue_at
from lk_portal.services.tables import table_of

MOST_METERS = 100
"""Of a gateway; the worst ones."""

_link, _gate, _meter = table_of(MeterConnection), table_of(Gateway), table_of(Meter)


@dataclass(frozen=True, slots=True)
class PollView:
    """The polling at a moment.

    Attributes:
        polled: Meters that are read.
        suspended: Connections that are switched off, or whose gateway is.
        due: Meters whose time has come.
        queue: The batches.
        oldest: Serial number of the meter that was not read for the longest time; "" of none.
        oldest_at: When it was read last, aware UTC; None: never.
        errors: Meters that fail now, by the code of the error, most first.
    """

    polled: int
    suspended: int
    due: int
    queue: Queue
    oldest: str
    oldest_at: datetime | None
    errors: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LineMeter:
    """A meter behind a gateway, and how reading it goes."""

    serial: str
    device_id: int
    is_enabled: bool
    last_success_at: datetime | None
    last_error_at: datetime | None
    error_code: str
    failures_in_row: int
    attempts: int
    successes: int


@dataclass(frozen=True, slots=True)
class Line:
    """A gateway with the meters behind it, those that fail first.

    Attributes:
        meters: At most `MOST_METERS`.
        count: How many there are.
    """

    gateway_id: int
    name: str
    protocol: str
    endpoint: str
    timeout_s: float
    is_enabled: bool
    meters: tuple[LineMeter, ...]
    count: int


async def poll_view(database: Database, *, now: datetime) -> PollView:
    """How the polling goes at `now` (aware UTC)."""
    is_due = _link.c.next_poll_at.is_(None) | (_link.c.next_poll_at <= now)
    failing = (
        select(_link.c.last_error_code, func.count())
        .where(_link.c.failures_in_row > 0, is_polled())
        .group_by(_link.c.last_error_code)
        .order_by(func.count().desc(), _link.c.last_error_code)
    )
    async with database.reading() as connection:
        polled = await connection.scalar(select(func.count()).select_from(_link).where(is_polled()))
        suspended = await connection.scalar(select(func.count()).select_from(_link).where(is_suspended()))
        due = await connection.scalar(select(func.count()).select_from(_link).where(is_due, is_polled()))
        oldest = (await connection.execute(_NEVER)).first() or (await connection.execute(_OLDEST)).first()
        errors = (await connection.execute(failing)).all()
    return PollView(
        int(polled or 0),
        int(suspended or 0),
        int(due or 0),
        await queue_at(database, now=now),
        oldest.serial if oldest else "",
        oldest.last_success_at if oldest else None,
        tuple((code, count) for code, count in errors),
    )


async def line_of(database: Database, gateway_id: int) -> Line:
    """A gateway and its meters.

    Raises:
        NotFoundError: There is none of this id.
    """
    async with database.reading() as connection:
        row = (await connection.execute(select(_gate).where(_gate.c.id == gateway_id))).one_or_none()
        if row is None:
            raise NotFoundError
        of_it = _link.c.gateway_id == gateway_id
        meters = (await connection.execute(_METERS.where(of_it).limit(MOST_METERS))).mappings().all()
        count = await connection.scalar(select(func.count()).select_from(_link).where(of_it))
    return Line(
        row.id,
        row.name,
        row.protocol,
        f"{row.host}:{row.port}",
        row.timeout_s,
        row.is_enabled,
        tuple(LineMeter(**one) for one in meters),
        int(count or 0),
    )


def _oldest(is_never: bool) -> Any:
    last = _link.c.last_success_at
    query = select(_meter.c.serial, last).join(_link, _link.c.meter_id == _meter.c.id).where(is_polled())
    query = query.where(last.is_(None)) if is_never else query.where(last.is_not(None)).order_by(last)
    return query.limit(1)


_NEVER, _OLDEST = _oldest(True), _oldest(False)
_METERS = (
    select(
        _meter.c.serial,
        *(_link.c[name] for name in ("device_id", "is_enabled", "last_success_at", "last_error_at")),
        case((_link.c.failures_in_row > 0, _link.c.last_error_code), else_="").label("error_code"),
        *(_link.c[name] for name in ("failures_in_row", "attempts", "successes")),
    )
    .join(_link, _link.c.meter_id == _meter.c.id)
    .order_by(_link.c.failures_in_row.desc(), _link.c.device_id)
)
