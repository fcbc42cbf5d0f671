"""The people and meters of the browser tests: a subscriber with a live meter, a stranger, staff, and accounts
that nobody has yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select

from lk_portal.metering.simulator import LoadCurve, serial_of
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import MeterEvent, RegisterReading, User
from lk_portal.services import tickets
from lk_portal.services.access import Role, Visit, create_user
from lk_portal.services.database import Database
from lk_portal.services.events import event_row, store_events
from lk_portal.services.intervals import import_intervals
from lk_portal.services.tables import table_of
from lk_portal.services.tickets import Author, NewTicket
from lk_portal.settings import Settings
from tests import factories

PASSWORD = "Correct-horse-2026"
SUBSCRIBER = "ivanov@example.com"
PHONE = "+79131234567"
STRANGER = "petrov@example.com"
OPERATOR = "operator@example.com"
ADMIN = "admin@example.com"
HISTORY_DAYS = 420
REGISTER_HOURS = 120
CANARY = "Канареечная"
"""The street of the subscriber: nobody else may ever get to see it."""
OWNED_ACCOUNT = "550077700001"
"""The subscriber's."""
FREE_STREET = "ул. Вольная"
FREE_ACCOUNTS = tuple(f"5500888000{number:02}" for number in range(1, 13))
"""Accounts without an owner, for those who register; the first is at house 1 of the free street."""


@dataclass(frozen=True)
class Seed:
    """What the tests need to know."""

    serial: str
    stranger_serial: str
    hole: datetime
    estimated: datetime
    events: datetime
    """The last event of the subscriber's meter; the others are hours before, one of them 70 days."""
    ticket: int
    """The subscriber's, new."""
    event: int
    """Of the subscriber's meter."""


async def plant(database: Database, settings: Settings, *, simulator_port: int) -> Seed:
    """Fill an empty database; the subscriber's meter answers on `simulator_port`."""
    now = datetime.now(UTC)
    serial = serial_of(1)
    owner = await factories.subscriber(database)
    tariff_id = await factories.tariff(database)
    address = await factories.premises(database, street=f"ул. {CANARY}")
    account = await factories.account(
        database, premises_id=address, subscriber_id=owner, number=OWNED_ACCOUNT
    )
    point = await factories.point(database, account_id=account, tariff_id=tariff_id, name="")
    meter = await factories.meter(database, serial=serial, map_name="eastron-sdm630")
    await factories.installation(database, meter_id=meter, point_id=point)
    line = await factories.gateway(database, port=simulator_port)
    await factories.connection(database, meter_id=meter, gateway_id=line, device_id=1)
    stranger = await factories.a_metered_point(database)
    for login, phone, role, subscriber in (
        (SUBSCRIBER, PHONE, Role.SUBSCRIBER, owner),
        (STRANGER, None, Role.SUBSCRIBER, stranger.subscriber_id),
        (OPERATOR, None, Role.OPERATOR, None),
        (ADMIN, None, Role.ADMIN, None),
    ):
        user_id = await create_user(
            database,
            settings,
            email=login,
            phone=phone,
            role=role,
            display_name=login.partition("@")[0].title(),
            password=PASSWORD,
            subscriber_id=subscriber,
            now=now,
        )
        if role is Role.SUBSCRIBER:
            await factories.documents_accepted(database, user_id=user_id)
    for house, number in enumerate(FREE_ACCOUNTS, start=1):
        home = await factories.premises(database, street=FREE_STREET, house=str(house))
        await factories.account(database, premises_id=home, number=number)
    hour = now.replace(minute=0, second=0, microsecond=0)
    hole, estimated = hour - timedelta(days=40), hour - timedelta(days=41)
    await import_intervals(database, _history(point, serial, hour, hole, estimated), clock=lambda: now)
    await _plant_registers(database, meter, serial, hour)
    events = await _events(database, meter, stranger.meter_id, now)
    ticket = await _ticket(database, owner, now)
    event = await _event(database, meter)
    return Seed(serial, stranger.serial, hole, estimated, events, ticket, event)


async def _events(database: Database, meter_id: int, stranger_meter_id: int, now: datetime) -> datetime:
    """Events of every group: pairs, one that goes on, one long ago, and one of the stranger's meter."""
    last = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    minute = timedelta(minutes=1)
    events = (
        (last - 5 * minute, 2, 8),
        (last, 2, 20),
        (last - 90 * minute, 0, 7),
        (last - 67 * minute, 0, 8),
        (last - 120 * minute, 7, 9),
        (last - 180 * minute, 7, 1),
        (last - timedelta(days=70), 4, 3),
    )
    rows = [event_row(meter_id=meter_id, occurred_at=at, journal=j, code=code) for at, j, code in events]
    rows.append(event_row(meter_id=stranger_meter_id, occurred_at=last, journal=4, code=4))
    async with database.writing() as connection:
        await store_events(connection, rows, now=now)
    return last


async def _plant_registers(database: Database, meter_id: int, serial: str, until: datetime) -> None:
    """What the meter showed in each hour of the last days, so that the table of readings has pages."""
    curve = LoadCurve.of_serial(serial)
    moments = [until - timedelta(hours=step) for step in range(REGISTER_HOURS, 0, -1)]
    rows = [
        {
            "meter_id": meter_id,
            "quantity": Quantity.A_PLUS,
            "zone": 0,
            "taken_at": at,
            "value_wh": curve.register_wh(at),
        }
        for at in moments
    ]
    async with database.writing() as connection:
        await connection.execute(insert(RegisterReading), rows)


async def _ticket(database: Database, owner: int, now: datetime) -> int:
    """A request of the subscriber's."""
    user = table_of(User)
    async with database.reading() as connection:
        user_id = (await connection.scalars(select(user.c.id).where(user.c.subscriber_id == owner))).one()
    return await tickets.create(
        database,
        author=Author(user_id, owner),
        ticket=NewTicket(f"Вопрос: {CANARY}", "other", OWNED_ACCOUNT, f"Текст: {CANARY}"),
        send_key="the-key-of-the-seed",
        visit=Visit(address="", agent="", at=now - timedelta(hours=1)),
    )


async def _event(database: Database, meter_id: int) -> int:
    """The subscriber's event of a voltage that was too high."""
    event = table_of(MeterEvent)
    high = (event.c.meter_id == meter_id) & (event.c.journal == 0) & (event.c.code == 7)
    async with database.reading() as connection:
        return int((await connection.scalars(select(event.c.id).where(high))).one())


def _history(point: int, serial: str, until: datetime, hole: datetime, estimated: datetime):
    """A little over a year of hours from the simulator's curve, with a hole of two days and an estimate."""
    curve = LoadCurve.of_serial(serial)
    for step in range(HISTORY_DAYS * 24, 0, -1):
        start = until - timedelta(hours=step)
        if hole <= start < hole + timedelta(days=2):
            continue
        value = curve.register_wh(start + timedelta(hours=1)) - curve.register_wh(start)
        quality = (
            Quality.ESTIMATED if estimated <= start < estimated + timedelta(hours=5) else Quality.MEASURED
        )
        yield point, Quantity.A_PLUS, int(start.timestamp() * 1000), 3600, value, 3600, quality, 0
