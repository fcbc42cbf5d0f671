"""Fills an empty database with the demo utility. For `lk demo` only; never with real data.

Everything is made from the plan, so the demo looks the same wherever it is started, and its meters, which
run in a process of their own, go on exactly where this history ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, ConfigurationError
from lk_portal.metering.types import Quantity
from lk_portal.models import (
    Account,
    Gateway,
    Installation,
    InstallationReading,
    Meter,
    MeterConnection,
    MeterEvent,
    MeteringPoint,
    MeterLoadState,
    Premises,
    RegisterMark,
    RegisterReading,
    Seal,
    Subscriber,
    Table,
    Tariff,
    TariffZone,
    User,
    Verification,
    VerificationKind,
)
from lk_portal.services import access, demo_desk, demo_plan, demo_tickets, documents
from lk_portal.services.database import Database
from lk_portal.services.demo_history import (
    FIRST_INSTALLED_WH,
    Register,
    Segment,
    interval_rows,
    marks,
    registers,
    segments,
)
from lk_portal.services.demo_info import write_demo_texts
from lk_portal.services.demo_plan import DemoAccount, DemoMeter, DemoPoint, DemoSubscriber, DemoUser
from lk_portal.services.intervals import store_intervals
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings

SETTLEMENT = "г.Омск"
CHUNK = 50_000
NIGHT, DAY = (23 * 60, 7 * 60), (7 * 60, 23 * 60)


async def seed(database: Database, settings: Settings, *, now: datetime) -> bool:
    """Fill the database unless the demo is there already; gives whether it did.

    Registry and history come in one transaction, the logins after it: a seeding that was cut off either
    left nothing, or is completed by the next start.

    Args:
        database: Migrated.
        settings: For the passwords' hashes.
        now: Aware UTC; the history ends with the last full hour before it.

    Raises:
        ConfigurationError: There are other data: demo logins have no place among them.
    """
    is_new = not await _is_demo(database)
    if is_new and not await _is_empty(database):
        raise ConfigurationError(N_("{folder} holds data that are not the demo's."), folder=settings.data_dir)
    if is_new:
        async with database.writing() as connection:
            await _Seeding(connection, now).run()
    await _tell_relays(database, now=now)
    await _ensure_users(database, settings, now=now)
    await write_demo_texts(database, now=now)
    await demo_tickets.add(database, staff=demo_plan.OPERATOR, now=now)
    await demo_desk.add(database, now=now)
    return is_new


async def point_lines(database: Database, ports: Mapping[str, int]) -> None:
    """Let the gateways, by name, be on the ports their simulated meters have this time."""
    lines = table_of(Gateway)
    async with database.writing() as connection:
        # In two steps, for no two lines may have one port in between.
        for offset, name in enumerate(ports):
            await connection.execute(update(lines).where(lines.c.name == name).values(port=1 + offset))
        for name, port in ports.items():
            await connection.execute(update(lines).where(lines.c.name == name).values(port=port))
        await connection.execute(update(table_of(MeterConnection)).values(next_poll_at=None))


async def replaced_when(database: Database) -> datetime:
    """When the demo's replaced meter was replaced, aware UTC: the curve of the new one begins there."""
    placed, meter = table_of(Installation), table_of(Meter)
    query = (
        select(placed.c.installed_at)
        .join(meter, meter.c.id == placed.c.meter_id)
        .where(meter.c.serial == demo_plan.REPLACING_METER.serial)
    )
    async with database.reading() as connection:
        found: datetime = (await connection.execute(query)).scalar_one()
        return found


async def _is_demo(database: Database) -> bool:
    """Whether the demo's first point is there, which no other portal has."""
    point, (first, *_others) = table_of(MeteringPoint), demo_plan.SUBSCRIBERS
    code = first.accounts[0].points[0].code
    async with database.reading() as connection:
        return await connection.scalar(select(point.c.id).where(point.c.code == code)) is not None


async def _is_empty(database: Database) -> bool:
    """Whether there are neither people nor meters."""
    async with database.reading() as connection:
        for model in (User, Subscriber, Account, Meter):
            if await connection.scalar(select(func.count()).select_from(table_of(model))):
                return False
    return True


async def _tell_relays(database: Database, *, now: datetime) -> None:
    """What the relays say, as of this start: the simulated protocol has no relay to ask."""
    meter, relay = table_of(Meter), table_of(MeterLoadState)
    plan = {one.serial: one for one in demo_plan.RELAYS}
    async with database.writing() as connection:
        found = await connection.execute(select(meter.c.id, meter.c.serial).where(meter.c.serial.in_(plan)))
        rows = [
            {
                "meter_id": row.id,
                "is_output_on": plan[row.serial].is_output_on,
                "control_state": plan[row.serial].control_state,
                "read_at": now,
            }
            for row in found
        ]
        await connection.execute(delete(relay).where(relay.c.meter_id.in_([row["meter_id"] for row in rows])))
        if rows:
            await connection.execute(insert(relay), rows)


async def _ensure_users(database: Database, settings: Settings, *, now: datetime) -> None:
    """Add the logins that are missing; whoever changed hers in the settings keeps it."""
    for user in demo_plan.USERS:
        owner = await _owner(database, user)
        login = table_of(User)
        has_login = (login.c.email == user.email) | (login.c.phone == user.phone)
        if owner is not None:
            has_login |= login.c.subscriber_id == owner
        async with database.reading() as connection:
            is_there = await connection.scalar(select(func.count()).where(has_login))
        if not is_there:
            await _create_user(database, settings, user, owner, now=now)


async def _owner(database: Database, user: DemoUser) -> int | None:
    """The subscriber of a login, by her first account; None for staff."""
    account = table_of(Account)
    number = next((one.accounts[0].number for one in demo_plan.SUBSCRIBERS if one.user == user), "")
    async with database.reading() as connection:
        return await connection.scalar(select(account.c.subscriber_id).where(account.c.number == number))


async def _create_user(
    database: Database, settings: Settings, user: DemoUser, owner: int | None, *, now: datetime
) -> None:
    user_id = await access.create_user(
        database,
        settings,
        email=user.email,
        phone=user.phone,
        role=user.role,
        display_name=user.name,
        password=user.password,
        subscriber_id=owner,
        now=now,
    )
    if owner is not None:
        await _accept_documents(database, user_id, now=now)


async def _accept_documents(database: Database, user_id: int, *, now: datetime) -> None:
    """As at registration; else the first sign-in would ask for it."""
    pending = await documents.pending(database, user_id=user_id)
    visit = access.Visit(address="", agent="lk demo", at=now)
    async with database.writing() as connection:
        ids = [document.id for document in pending]
        await documents.accept(connection, user_id=user_id, document_ids=ids, visit=visit)


class _Seeding:
    """One seeding, in one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        self._start = demo_plan.history_start(now).astimezone(UTC)
        self._meters: dict[str, int] = {}
        self._tariff_id = 0

    async def run(self) -> None:
        """Write everything."""
        self._tariff_id = await self._two_zones()
        for subscriber in demo_plan.SUBSCRIBERS:
            await self._subscriber(subscriber)
        await self._lines()
        await self._events()

    async def _two_zones(self) -> int:
        tariff_id = await self._add(Tariff, code="two-zones", name="Двухзонный: день 7-23, ночь 23-7")
        for zone, (start, end) in ((1, DAY), (2, NIGHT)):
            await self._add(
                TariffZone,
                tariff_id=tariff_id,
                valid_from=date(2000, 1, 1),
                zone=zone,
                start_minute=start,
                end_minute=end,
            )
        return tariff_id

    async def _subscriber(self, subscriber: DemoSubscriber) -> None:
        user = subscriber.user
        owner = await self._add(
            Subscriber,
            full_name=subscriber.full_name,
            email=user.email if user else "",
            phone=user.phone if user else "",
            created_at=self._now,
        )
        for account in subscriber.accounts:
            await self._account(owner, account)

    async def _account(self, owner: int, account: DemoAccount) -> None:
        premises_id = await self._add(
            Premises,
            settlement=SETTLEMENT,
            street=account.street,
            house=account.house,
            flat=account.flat,
            timezone=demo_plan.ZONE.key,
        )
        account_id = await self._add(
            Account,
            number=account.number,
            subscriber_id=owner,
            premises_id=premises_id,
            note=account.note,
            contract_number=f"{account.number}-Б",
            amenities=account.amenities,
        )
        for point in account.points:
            await self._point(account_id, point)

    async def _point(self, account_id: int, point: DemoPoint) -> None:
        point_id = await self._add(
            MeteringPoint,
            code=point.code,
            account_id=account_id,
            tariff_id=self._tariff_id if point.has_two_zones else None,
            name=point.name,
            place=point.place,
        )
        parts = segments(point, start=self._start, end=self._end, now=self._now)
        for part in parts:
            await self._installed(point_id, point, part, is_first=part is parts[0])
        rows = interval_rows(point_id, point, parts)
        while chunk := list(islice(rows, CHUNK)):
            await store_intervals(self._connection, chunk, now=self._now)

    async def _installed(self, point_id: int, point: DemoPoint, part: Segment, *, is_first: bool) -> None:
        meter_id = await self._meter(part.meter)
        installation_id = await self._add(
            Installation,
            meter_id=meter_id,
            point_id=point_id,
            installed_at=_installed_at() if is_first else part.start.astimezone(UTC),
            removed_at=None if part.is_live else part.end.astimezone(UTC),
            ct_ratio=1,
            vt_ratio=1,
        )
        initial = FIRST_INSTALLED_WH if is_first else part.shown_wh(part.start)
        await self._installation_reading(installation_id, initial, is_final=False)
        if not part.is_live:
            await self._installation_reading(installation_id, part.shown_wh(part.end), is_final=True)
        await self._many(RegisterReading, (_register_row(meter_id, read) for read in registers(point, part)))
        await self._many(RegisterMark, (_mark_row(meter_id, read) for read in marks(part)))

    async def _installation_reading(self, installation_id: int, value_wh: int, *, is_final: bool) -> None:
        await self._connection.execute(
            insert(table_of(InstallationReading)).values(
                installation_id=installation_id,
                is_final=is_final,
                quantity=Quantity.A_PLUS,
                zone=0,
                value_wh=value_wh,
            )
        )

    async def _meter(self, meter: DemoMeter) -> int:
        meter_id = await self._add(Meter, serial=meter.serial, model=demo_plan.MODEL, map_name=meter.map_name)
        self._meters[meter.serial] = meter_id
        due_on = meter.due_on
        if meter.serial == demo_plan.DUE_SOON:
            due_on = (self._now.astimezone(demo_plan.ZONE) + demo_plan.DUE_IN).date()
        for kind in VerificationKind:
            await self._add(
                Verification, meter_id=meter_id, kind=kind, verified_on=meter.verified_on, due_on=due_on
            )
        await self._add(Seal, meter_id=meter_id, number=meter.seal, placed_on=meter.verified_on)
        return meter_id

    async def _lines(self) -> None:
        for number, line in enumerate(demo_plan.LINES, start=1):
            gateway_id = await self._add(
                Gateway,
                name=line.name,
                protocol=line.protocol,
                host="127.0.0.1",
                port=number,
                timeout_s=3.0,
                is_enabled=True,
            )
            await self._many(MeterConnection, self._connections(gateway_id, line.serials))

    def _connections(self, gateway_id: int, serials: Iterable[str]) -> Iterator[dict[str, Any]]:
        for device_id, serial in enumerate(serials, start=1):
            yield {
                "meter_id": self._meters[serial],
                "gateway_id": gateway_id,
                "device_id": device_id,
                "is_enabled": True,
                "options": {},
                "last_error_code": "",
                "last_error": "",
                "failures_in_row": 0,
                "attempts": 0,
                "successes": 0,
            }

    async def _events(self) -> None:
        await self._many(MeterEvent, (self._event_row(event) for event in demo_plan.EVENTS))

    def _event_row(self, event: demo_plan.DemoEvent) -> dict[str, Any]:
        at = event.occurred_at(self._now)
        return {
            "meter_id": self._meters[event.serial],
            "occurred_at": at,
            "journal": event.journal,
            "code": event.code,
            "severity": event.severity,
            "received_at": at,
        }

    async def _add(self, model: type[Table], /, **values: Any) -> int:
        result = await self._connection.execute(insert(table_of(model)).values(**values))
        key = result.inserted_primary_key
        return int(key[0]) if key else 0

    async def _many(self, model: type[Table], rows: Iterable[dict[str, Any]]) -> None:
        found = list(rows)
        if found:
            await self._connection.execute(insert(table_of(model)), found)


def _installed_at() -> datetime:
    day = demo_plan.INSTALLED_ON
    return datetime(day.year, day.month, day.day, 10, tzinfo=demo_plan.ZONE).astimezone(UTC)


def _register_row(meter_id: int, read: Register) -> dict[str, Any]:
    return {
        "meter_id": meter_id,
        "quantity": read.quantity,
        "zone": read.zone,
        "taken_at": read.at.astimezone(UTC),
        "value_wh": read.value_wh,
    }


def _mark_row(meter_id: int, read: Register) -> dict[str, Any]:
    return {**_register_row(meter_id, read), "candidate_count": 0}
