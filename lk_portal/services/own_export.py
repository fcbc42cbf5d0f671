"""Everything the portal keeps about one person, for her to take along (152-ФЗ, article 14).

Each query starts from the person, or from the subscriber she is: nothing of anybody else can come out. Hashes
of passwords, sessions and codes stay inside: they say nothing about her and could be attacked. What installed
packages keep about her is `services.personal`'s to read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import AccessDeniedError
from lk_portal.models import (
    Acceptance,
    Account,
    Attachment,
    AuditEntry,
    ConsumptionLimit,
    DocumentVersion,
    EmailChange,
    Installation,
    Letter,
    Meter,
    MeteringPoint,
    NotificationChoice,
    Notified,
    Premises,
    PushSubscription,
    SeenMarker,
    Subscriber,
    Tariff,
    Ticket,
    TicketMessage,
    User,
    UserSession,
)
from lk_portal.models.address_text import one_line
from lk_portal.security.throttle import Policy
from lk_portal.services import audit, personal, throttling
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

Json = dict[str, Any]
EXPORTS = Policy(free=10, cap_s=300)

_user, _subscriber, _account = table_of(User), table_of(Subscriber), table_of(Account)
_premises, _tariff, _point = table_of(Premises), table_of(Tariff), table_of(MeteringPoint)
_placed, _meter = table_of(Installation), table_of(Meter)
_acceptance, _document = table_of(Acceptance), table_of(DocumentVersion)
_session, _entry, _letter = table_of(UserSession), table_of(AuditEntry), table_of(Letter)
_ticket, _message, _file = table_of(Ticket), table_of(TicketMessage), table_of(Attachment)
_choice, _change = table_of(NotificationChoice), table_of(EmailChange)
_seen = table_of(SeenMarker)
_limit, _device, _notified = table_of(ConsumptionLimit), table_of(PushSubscription), table_of(Notified)


async def export(database: Database, settings: Settings, *, user_id: int, visit: Visit) -> Json:
    """All of a person's own data as JSON values; times are ISO 8601 in UTC.

    What installed packages keep is under `packages`; what of it could not be read, under `packages_not_read`.

    Raises:
        AccessDeniedError: She may not sign in any more.
        ThrottledError: Asked for too often.
    """
    gates = (Gate(f"own-export:{user_id}", EXPORTS),)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        await throttling.count_in(connection, gates, now=visit.at)
        await audit.record(
            connection, action=audit.DATA_EXPORTED, visit=visit, actor=user_id, subject=user_id
        )
    async with database.reading() as connection:
        own = await _Own.of(connection, user_id)
        found = {
            "portal": settings.utility_name,
            "written_at": visit.at.isoformat(),
            "login": own.login,
            "subscriber": await _subscriber_of(connection, own),
            "accounts": await _accounts(connection, own),
            "consumption": f"{settings.public_url}/readings",
            "requests": await _tickets(connection, own),
            "documents": await _list(connection, _documents(user_id)),
            "sessions": await _list(connection, _sessions(user_id)),
            "history": await _history(connection, user_id),
            "notifications": await _list(connection, _notifications(user_id)),
            "notified": await _list(connection, _told(user_id)),
            "consumption_limits": await _list(connection, _limits(user_id)),
            "notified_devices": await _list(connection, _devices(user_id)),
            "sections_opened": await _list(connection, _opened(user_id)),
            "new_email": await _list(connection, _new_email(user_id)),
            "letters": await _list(connection, _letters(user_id)),
        }
    kept = await personal.read(database, personal.Whose(user_id, own.subscriber_id))
    return {**found, "packages": kept.found, "packages_not_read": kept.not_read}


@dataclass(frozen=True, slots=True)
class _Own:
    """The person, and the subscriber she is; -1 is nobody's number."""

    login: Json
    subscriber_id: int

    @classmethod
    async def of(cls, connection: AsyncConnection, user_id: int) -> _Own:
        query = select(
            _user.c.email,
            _user.c.phone,
            _user.c.display_name.label("name"),
            _user.c.role,
            _user.c.locale.label("language"),
            _user.c.theme,
            _user.c.created_at,
        )
        row = (
            await connection.execute(
                query.add_columns(_user.c.subscriber_id).where(_user.c.id == user_id, _user.c.is_active)
            )
        ).one_or_none()
        if row is None:
            raise AccessDeniedError
        login = _json(row)
        login.pop("subscriber_id")
        return cls(login, -1 if row.subscriber_id is None else row.subscriber_id)


async def _subscriber_of(connection: AsyncConnection, own: _Own) -> Json | None:
    query = select(
        _subscriber.c.full_name, _subscriber.c.email, _subscriber.c.phone, _subscriber.c.created_at
    ).where(_subscriber.c.id == own.subscriber_id)
    row = (await connection.execute(query)).one_or_none()
    return _json(row) if row else None


async def _accounts(connection: AsyncConnection, own: _Own) -> list[Json]:
    """Those she has removed from her cabinet too: until somebody else takes them, they are kept as hers."""
    query = (
        select(_account, *(_premises.c[name] for name in ("settlement", "street", "house", "flat")))
        .join(_premises, _premises.c.id == _account.c.premises_id)
        .where(_account.c.subscriber_id == own.subscriber_id)
        .order_by(_account.c.number)
    )
    return [
        {
            "number": row.number,
            "address": one_line(row.settlement, row.street, row.house, row.flat),
            "note": row.note,
            "contract_number": row.contract_number,
            "amenities": row.amenities,
            "removed_from_the_cabinet_at": _plain(row.removed_at),
            "points": await _points(connection, row.id),
        }
        for row in (await connection.execute(query)).all()
    ]


async def _points(connection: AsyncConnection, account_id: int) -> list[Json]:
    query = (
        select(_point.c.id, _point.c.code, _point.c.name, _point.c.place, _tariff.c.name.label("tariff"))
        .outerjoin(_tariff, _tariff.c.id == _point.c.tariff_id)
        .where(_point.c.account_id == account_id)
        .order_by(_point.c.code)
    )
    found = []
    for row in (await connection.execute(query)).all():
        point = _json(row)
        meters = await _list(connection, _meters(point.pop("id")))
        found.append({**point, "meters": meters})
    return found


async def _tickets(connection: AsyncConnection, own: _Own) -> list[Json]:
    """The person's dialogues with the utility; what the staff noted for itself is not hers."""
    mine = _ticket.c.subscriber_id == own.subscriber_id
    messages = await connection.execute(_MESSAGES.where(mine, _message.c.is_internal.is_(False)))
    files = await connection.execute(_FILES.where(mine, _message.c.is_internal.is_(False)))
    attached, written = defaultdict(list), defaultdict(list)
    for one in files.all():
        attached[one.message_id].append({"name": one.name, "size": one.size, "sha256": one.sha256})
    for one in messages.all():
        written[one.ticket_id].append(
            {
                "at": one.created_at.isoformat(),
                "by_the_utility": one.is_staff,
                "text": one.text,
                "files": attached[one.id],
            }
        )
    found = (await connection.execute(_TICKETS.where(mine))).all()
    return [{**_json(row), "messages": written[row.number]} for row in found]


_TICKETS = (
    select(
        _ticket.c.id.label("number"),
        _account.c.number.label("account"),
        _ticket.c.category,
        _ticket.c.subject,
        _ticket.c.status,
        _ticket.c.created_at,
        _ticket.c.closed_at,
    )
    .join(_account, _account.c.id == _ticket.c.account_id)
    .order_by(_ticket.c.id)
)
_MESSAGES = select(_message).join(_ticket, _ticket.c.id == _message.c.ticket_id).order_by(_message.c.id)
_FILES = (
    select(_file.c.message_id, _file.c.name, _file.c.size, _file.c.sha256)
    .join(_message, _message.c.id == _file.c.message_id)
    .join(_ticket, _ticket.c.id == _message.c.ticket_id)
    .order_by(_file.c.id)
)


async def _history(connection: AsyncConnection, user_id: int) -> list[Json]:
    """What was done to the person's things; of others who did it, no more than that it was others."""
    query = select(_entry).where(_entry.c.subject_user_id == user_id).order_by(_entry.c.at, _entry.c.id)
    return [_deed(row, user_id) for row in (await connection.execute(query)).all()]


def _deed(row: Any, user_id: int) -> Json:
    is_others = row.actor_user_id not in (None, user_id)
    return {
        "at": row.at.isoformat(),
        "action": row.action,
        "by_yourself": row.actor_user_id == user_id,
        "network_address": "" if is_others else row.address,
        "browser": "" if is_others else row.agent,
        "detail": {} if is_others else row.detail,
    }


def _meters(point_id: int) -> Select[Any]:
    return (
        select(_meter.c.serial, _meter.c.model, _placed.c.installed_at, _placed.c.removed_at)
        .join(_placed, _placed.c.meter_id == _meter.c.id)
        .where(_placed.c.point_id == point_id)
        .order_by(_placed.c.installed_at)
    )


def _documents(user_id: int) -> Select[Any]:
    return (
        select(
            _document.c.kind,
            _document.c.version,
            _document.c.title,
            _acceptance.c.text_hash.label("text_sha256"),
            _acceptance.c.accepted_at,
            _acceptance.c.address.label("network_address"),
            _acceptance.c.withdrawn_at,
        )
        .join(_document, _document.c.id == _acceptance.c.document_id)
        .where(_acceptance.c.user_id == user_id)
        .order_by(_acceptance.c.accepted_at, _acceptance.c.id)
    )


def _sessions(user_id: int) -> Select[Any]:
    return (
        select(
            _session.c.created_at.label("began_at"),
            _session.c.seen_at,
            _session.c.expires_at,
            _session.c.address.label("network_address"),
            _session.c.agent.label("browser"),
        )
        .where(_session.c.user_id == user_id)
        .order_by(_session.c.created_at)
    )


def _notifications(user_id: int) -> Select[Any]:
    return (
        select(_choice.c.kind, _choice.c.channel, _choice.c.is_wanted)
        .where(_choice.c.user_id == user_id)
        .order_by(_choice.c.kind, _choice.c.channel)
    )


def _limits(user_id: int) -> Select[Any]:
    return (
        select(_point.c.code.label("point"), _limit.c.month_wh)
        .join(_point, _point.c.id == _limit.c.point_id)
        .where(_limit.c.user_id == user_id)
        .order_by(_point.c.code)
    )


def _told(user_id: int) -> Select[Any]:
    return (
        select(_notified.c.kind, _notified.c.at)
        .where(_notified.c.user_id == user_id)
        .order_by(_notified.c.at)
    )


def _opened(user_id: int) -> Select[Any]:
    return (
        select(_seen.c.section, _seen.c.seen_at).where(_seen.c.user_id == user_id).order_by(_seen.c.section)
    )


def _devices(user_id: int) -> Select[Any]:
    """Without the address and the keys: who has them can write to the device."""
    return (
        select(_device.c.agent.label("browser"), _device.c.created_at.label("since"))
        .where(_device.c.user_id == user_id)
        .order_by(_device.c.created_at)
    )


def _new_email(user_id: int) -> Select[Any]:
    return select(_change.c.new_email, _change.c.expires_at).where(_change.c.user_id == user_id)


def _letters(user_id: int) -> Select[Any]:
    return (
        select(_letter.c.kind, _letter.c.status, _letter.c.created_at, _letter.c.sent_at)
        .where(_letter.c.user_id == user_id)
        .order_by(_letter.c.created_at, _letter.c.id)
    )


async def _list(connection: AsyncConnection, query: Select[Any]) -> list[Json]:
    return [_json(row) for row in (await connection.execute(query)).all()]


def _json(row: Any) -> Json:
    return {name: _plain(value) for name, value in row._mapping.items()}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
