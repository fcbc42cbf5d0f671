"""What a person is told of, and how: her choices, and her own thresholds of consumption.

For /settings, and for `services.notifications`, which asks before it tells. Who never chose is told calmly:
letters are for what needs her, a telephone she has subscribed is told of all but warnings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, InputError, NotFoundError
from lk_portal.models import (
    Account,
    Channel,
    ConsumptionLimit,
    Installation,
    Meter,
    MeteringPoint,
    NotificationChoice,
    NotificationKind,
    Premises,
    User,
)
from lk_portal.models.address_text import one_line
from lk_portal.services import audit, throttling
from lk_portal.services.database import Database
from lk_portal.services.owned import is_owned
from lk_portal.services.profile import settings_gates
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

__all__ = [
    "Channel",
    "Choice",
    "Limit",
    "NotificationKind",
    "choices_of",
    "choose",
    "limits_of",
    "set_limit",
    "wanted",
]

MOST_KWH = 1_000_000
_CALM = {Channel.LETTER: True, Channel.PUSH: True}
DEFAULTS: Mapping[NotificationKind, Mapping[Channel, bool]] = MappingProxyType(
    {
        NotificationKind.NEW_DEVICE: {Channel.LETTER: True},
        NotificationKind.ANSWER: _CALM,
        NotificationKind.CRITICAL_EVENT: _CALM,
        NotificationKind.WARNING_EVENT: {Channel.LETTER: False, Channel.PUSH: False},
        # Nobody is told of it who has not set a threshold.
        NotificationKind.UNUSUAL_CONSUMPTION: _CALM,
        NotificationKind.VERIFICATION_DUE: _CALM,
    }
)
"""The ways each kind may be told in, and whether it is unless the person chose otherwise."""
FOR_ANYBODY = (NotificationKind.NEW_DEVICE,)
"""What staff may be told of too; the rest is about a subscriber's things."""

_choice, _limit, _user = table_of(NotificationChoice), table_of(ConsumptionLimit), table_of(User)
_point, _account, _premises = table_of(MeteringPoint), table_of(Account), table_of(Premises)
_placed, _meter = table_of(Installation), table_of(Meter)


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of notification in one way, and whether the person gets it."""

    kind: NotificationKind
    channel: Channel
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A metering point in a person's cabinet, and her threshold for a month.

    Attributes:
        point_id: The key.
        serial: Of the meter that stands there; "" when none does.
        name: The subscriber's own; "" when there is none.
        address: One line.
        month_wh: Wh; None when she set none.
    """

    point_id: int
    serial: str
    name: str
    address: str
    month_wh: int | None


async def choices_of(database: Database, *, user_id: int, is_subscriber: bool) -> tuple[Choice, ...]:
    """Every kind there is for her in every way it has, with the person's choice or the default."""
    query = select(_choice.c.kind, _choice.c.channel, _choice.c.is_wanted).where(_choice.c.user_id == user_id)
    async with database.reading() as connection:
        chosen = {(row.kind, row.channel): row.is_wanted for row in await connection.execute(query)}
    return tuple(
        Choice(kind, channel, chosen.get((kind, channel), default))
        for kind, ways in DEFAULTS.items()
        for channel, default in ways.items()
        if is_subscriber or kind in FOR_ANYBODY
    )


async def choose(
    database: Database,
    *,
    user_id: int,
    kind: NotificationKind,
    channel: Channel,
    is_wanted: bool,
    visit: Visit,
) -> None:
    """Be told of a kind in a way from now on, or not.

    Raises:
        InputError: It is never told in this way.
        ThrottledError: Changed too often.
    """
    if channel not in DEFAULTS[kind]:
        raise InputError(field="channel")
    gates = settings_gates(user_id)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        await _lock(connection, user_id)
        if ((user_id, channel) in await wanted(connection, (user_id,), kind)) == is_wanted:
            return
        key = {"user_id": user_id, "kind": kind, "channel": channel}
        await connection.execute(delete(_choice).where(*(_choice.c[name] == key[name] for name in key)))
        await connection.execute(insert(_choice).values(**key, is_wanted=is_wanted))
        await throttling.count_in(connection, gates, now=visit.at)
        await _record(
            connection,
            audit.NOTIFICATIONS_CHOSEN,
            user_id,
            visit,
            kind=kind.value,
            channel=channel.value,
            wanted=int(is_wanted),
        )


async def wanted(
    connection: AsyncConnection, user_ids: Collection[int], kind: NotificationKind
) -> set[tuple[int, Channel]]:
    """Which of some persons want a kind, and in which ways, as (user id, channel)."""
    ways = DEFAULTS[kind]
    found = {(user_id, channel) for user_id in user_ids for channel in ways if ways[channel]}
    query = select(_choice.c.user_id, _choice.c.channel, _choice.c.is_wanted).where(
        _choice.c.user_id.in_(user_ids), _choice.c.kind == kind
    )
    for row in await connection.execute(query):
        (found.add if row.is_wanted else found.discard)((row.user_id, row.channel))
    return found


async def limits_of(database: Database, *, user_id: int, subscriber_id: int) -> tuple[Limit, ...]:
    """Every metering point in the subscriber's cabinet, with the person's threshold, by account."""
    own_limit = and_(_limit.c.point_id == _point.c.id, _limit.c.user_id == user_id)
    stands_there = and_(_placed.c.point_id == _point.c.id, _placed.c.removed_at.is_(None))
    query = (
        select(
            _point.c.id,
            _point.c.name,
            _meter.c.serial,
            _limit.c.month_wh,
            *(_premises.c[part] for part in ("settlement", "street", "house", "flat")),
        )
        .join(_account, _account.c.id == _point.c.account_id)
        .join(_premises, _premises.c.id == _account.c.premises_id)
        .outerjoin(_placed, stands_there)
        .outerjoin(_meter, _meter.c.id == _placed.c.meter_id)
        .outerjoin(_limit, own_limit)
        .where(is_owned(subscriber_id))
        .order_by(_account.c.number, _point.c.id)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(
        Limit(
            point_id=row.id,
            serial=row.serial or "",
            name=row.name,
            address=one_line(row.settlement, row.street, row.house, row.flat),
            month_wh=row.month_wh,
        )
        for row in rows
    )


async def set_limit(
    database: Database, *, user_id: int, subscriber_id: int, point_id: int, typed: str, visit: Visit
) -> None:
    """Be told when a metering point of one's own used more than so many kWh in a month; "" for never.

    Raises:
        InputError: It is no whole number of kWh, or none a household could use.
        NotFoundError: The point is nobody's, or somebody else's.
        ThrottledError: Changed too often.
    """
    month_wh = _wh(typed)
    gates = settings_gates(user_id)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        await _lock(connection, user_id)
        await _require_own(connection, subscriber_id, point_id)
        where = (_limit.c.user_id == user_id, _limit.c.point_id == point_id)
        if await connection.scalar(select(_limit.c.month_wh).where(*where)) == month_wh:
            return
        await connection.execute(delete(_limit).where(*where))
        if month_wh is not None:
            row = {"user_id": user_id, "point_id": point_id, "month_wh": month_wh}
            await connection.execute(insert(_limit).values(row))
        await throttling.count_in(connection, gates, now=visit.at)
        await _record(connection, audit.LIMIT_CHOSEN, user_id, visit, point=point_id)


def _wh(typed: str) -> int | None:
    """Wh of the whole kWh a person typed, with spaces between thousands or not; None of an empty field."""
    digits = "".join(typed.split())
    if not digits:
        return None
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 9
    if not is_number or not 1 <= int(digits) <= MOST_KWH:
        raise InputError(
            N_("Type a whole number of kWh from 1 to a million, or leave the field empty."), field="limit"
        )
    return int(digits) * 1000


async def _require_own(connection: AsyncConnection, subscriber_id: int, point_id: int) -> None:
    query = (
        select(_point.c.id)
        .join(_account, _account.c.id == _point.c.account_id)
        .where(is_owned(subscriber_id), _point.c.id == point_id)
    )
    if await connection.scalar(query) is None:
        raise NotFoundError


async def _lock(connection: AsyncConnection, user_id: int) -> None:
    """The person's row is taken, so that her changes happen one after the other."""
    query = select(_user.c.id).where(_user.c.id == user_id, _user.c.is_active).with_for_update()
    if await connection.scalar(query) is None:
        raise AccessDeniedError


async def _record(
    connection: AsyncConnection, action: str, user_id: int, visit: Visit, **detail: str | int
) -> None:
    await audit.record(connection, action=action, visit=visit, actor=user_id, subject=user_id, **detail)
