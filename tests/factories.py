"""Small factories: one row each, committed, with defaults that no test should care about.

They return ids (or the few values a test needs next). `a_metered_point` makes the whole chain.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert

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
    MonthRollup,
    Premises,
    Seal,
    Severity,
    Subscriber,
    Tariff,
    TariffZone,
    Verification,
    VerificationKind,
)
from lk_portal.services import documents
from lk_portal.services.database import Database
from lk_portal.services.visit import Visit

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TWO_ZONES = ((1, 7 * 60, 23 * 60), (2, 23 * 60, 7 * 60))
"""Day 7-23 and night 23-7, as (zone, start minute, end minute)."""

_numbers = itertools.count(1)


async def _insert(database: Database, model: Any, /, **values: Any) -> int:
    async with database.writing() as connection:
        key = (await connection.execute(insert(model).values(**values))).inserted_primary_key
        return int(key[0])


async def premises(
    database: Database, *, timezone: str = "Asia/Omsk", street: str = "ул. Ленина", house: str = ""
) -> int:
    """An address in `timezone`; a house of its own unless told."""
    values = {"street": street, "house": house or str(next(_numbers)), "flat": "", "timezone": timezone}
    return await _insert(database, Premises, settlement="г. Омск", **values)


async def subscriber(database: Database, *, full_name: str = "Иванов Иван Иванович") -> int:
    """A subscriber."""
    values = {"email": "", "phone": "", "created_at": LONG_AGO}
    return await _insert(database, Subscriber, full_name=full_name, **values)


async def account(
    database: Database, *, premises_id: int, subscriber_id: int | None = None, number: str = ""
) -> int:
    """A personal account for an address; nobody's unless told."""
    values = {"note": "", "contract_number": "", "amenities": ""}
    number = number or f"5500{next(_numbers):06}"
    return await _insert(
        database, Account, number=number, premises_id=premises_id, subscriber_id=subscriber_id, **values
    )


async def tariff(database: Database, *, zones: tuple[tuple[int, int, int], ...] = TWO_ZONES) -> int:
    """A tariff whose zones are in force since 2000."""
    tariff_id = await _insert(database, Tariff, code=f"tariff-{next(_numbers)}", name="Двухзонный")
    for zone, start, end in zones:
        await tariff_zone(database, tariff_id=tariff_id, zone=zone, start=start, end=end)
    return tariff_id


async def tariff_zone(
    database: Database,
    *,
    tariff_id: int,
    zone: int,
    start: int,
    end: int,
    valid_from: date = date(2000, 1, 1),
) -> int:
    """One daily span of a tariff's zone."""
    values = {"zone": zone, "start_minute": start, "end_minute": end}
    return await _insert(database, TariffZone, tariff_id=tariff_id, valid_from=valid_from, **values)


async def point(
    database: Database, *, account_id: int, tariff_id: int | None = None, name: str = "Дом"
) -> int:
    """A metering point of an account."""
    code = f"urn:uuid:00000000-0000-4000-8000-{next(_numbers):012}"
    return await _insert(
        database, MeteringPoint, code=code, account_id=account_id, tariff_id=tariff_id, name=name, place=""
    )


async def meter(database: Database, *, serial: str = "", map_name: str = "") -> int:
    """A meter; without a map unless told."""
    serial = serial or f"SN{next(_numbers):08}"
    return await _insert(database, Meter, serial=serial, model="МИР С-07", map_name=map_name)


async def installation(
    database: Database,
    *,
    meter_id: int,
    point_id: int,
    installed_at: datetime = LONG_AGO,
    removed_at: datetime | None = None,
    ct_ratio: Decimal = Decimal(1),
    vt_ratio: Decimal = Decimal(1),
) -> int:
    """A meter at a point, since 2020 unless told."""
    return await _insert(
        database,
        Installation,
        meter_id=meter_id,
        point_id=point_id,
        installed_at=installed_at,
        removed_at=removed_at,
        ct_ratio=ct_ratio,
        vt_ratio=vt_ratio,
    )


async def installation_reading(
    database: Database,
    *,
    installation_id: int,
    value_wh: int,
    is_final: bool = False,
    quantity: Quantity = Quantity.A_PLUS,
    zone: int = 0,
) -> None:
    """An initial (or final) register value."""
    values = {"is_final": is_final, "quantity": quantity, "zone": zone, "value_wh": value_wh}
    await _insert(database, InstallationReading, installation_id=installation_id, **values)


async def gateway(
    database: Database, *, protocol: str = "modbus-tcp", is_enabled: bool = True, port: int = 0
) -> int:
    """A gateway on loopback; with a port of its own unless told."""
    port = port or 10_000 + next(_numbers)
    return await _insert(
        database,
        Gateway,
        name=f"Шлюз {port}",
        protocol=protocol,
        host="127.0.0.1",
        port=port,
        timeout_s=5.0,
        is_enabled=is_enabled,
    )


async def connection(
    database: Database, *, meter_id: int, gateway_id: int, device_id: int = 0, **values: Any
) -> int:
    """How a meter is reached; never polled yet."""
    values = {
        "is_enabled": True,
        "options": {},
        "last_error_code": "",
        "last_error": "",
        "failures_in_row": 0,
        "attempts": 0,
        "successes": 0,
        **values,
    }
    return await _insert(
        database,
        MeterConnection,
        meter_id=meter_id,
        gateway_id=gateway_id,
        device_id=device_id or next(_numbers),
        **values,
    )


async def verification(
    database: Database,
    *,
    meter_id: int,
    verified_on: date,
    due_on: date | None = None,
    kind: VerificationKind = VerificationKind.PERIODIC,
) -> int:
    """A verification of a meter."""
    values = {"kind": kind, "verified_on": verified_on, "due_on": due_on}
    return await _insert(database, Verification, meter_id=meter_id, **values)


async def seal(
    database: Database, *, meter_id: int, number: str, placed_on: date, removed_on: date | None = None
) -> int:
    """A seal on a meter; there still unless told."""
    return await _insert(
        database, Seal, meter_id=meter_id, number=number, placed_on=placed_on, removed_on=removed_on
    )


async def relay(
    database: Database, *, meter_id: int, is_output_on: bool, control_state: int, read_at: datetime
) -> int:
    """What a meter said of its relay last."""
    values = {"is_output_on": is_output_on, "control_state": control_state, "read_at": read_at}
    return await _insert(database, MeterLoadState, meter_id=meter_id, **values)


async def switching(database: Database, *, meter_id: int, code: int, at: datetime) -> int:
    """An entry of a meter's switching journal."""
    values = {"journal": 2, "code": code, "severity": Severity.INFO, "occurred_at": at, "received_at": at}
    return await _insert(database, MeterEvent, meter_id=meter_id, **values)


@dataclass(frozen=True)
class MeteredPoint:
    """A point with a meter, and whose it is."""

    subscriber_id: int
    account_id: int
    point_id: int
    meter_id: int
    serial: str
    installation_id: int


async def a_metered_point(
    database: Database,
    *,
    timezone: str = "Asia/Omsk",
    tariff_id: int | None = None,
    subscriber_id: int | None = None,
    ct_ratio: Decimal = Decimal(1),
    vt_ratio: Decimal = Decimal(1),
    installed_at: datetime = LONG_AGO,
    map_name: str = "",
) -> MeteredPoint:
    """A subscriber with one account, one point and one installed meter."""
    owner = subscriber_id or await subscriber(database)
    address = await premises(database, timezone=timezone)
    account_id = await account(database, premises_id=address, subscriber_id=owner)
    point_id = await point(database, account_id=account_id, tariff_id=tariff_id)
    serial = f"SN{next(_numbers):08}"
    meter_id = await meter(database, serial=serial, map_name=map_name)
    placed = await installation(
        database,
        meter_id=meter_id,
        point_id=point_id,
        installed_at=installed_at,
        ct_ratio=ct_ratio,
        vt_ratio=vt_ratio,
    )
    return MeteredPoint(owner, account_id, point_id, meter_id, serial, placed)


async def documents_accepted(database: Database, *, user_id: int) -> None:
    """A subscriber's agreement to what is in force; without it a sign-in asks for that first."""
    pending = await documents.pending(database, user_id=user_id)
    visit = Visit(address="", agent="", at=LONG_AGO)
    async with database.writing() as connection:
        ids = [document.id for document in pending]
        await documents.accept(connection, user_id=user_id, document_ids=ids, visit=visit)


async def meter_event(
    database: Database,
    *,
    meter_id: int,
    occurred_at: datetime,
    severity: Severity = Severity.CRITICAL,
    received_at: datetime | None = None,
) -> int:
    """An entry of a meter's journal, each with a code of its own; received when it happened unless told."""
    return await _insert(
        database,
        MeterEvent,
        meter_id=meter_id,
        occurred_at=occurred_at,
        journal=1,
        code=next(_numbers),
        severity=severity,
        received_at=received_at or occurred_at,
    )


async def month_of(database: Database, *, point_id: int, month: date, total_wh: int) -> None:
    """What a point used in a month, in place of what was there."""
    rollup = MonthRollup.__table__  # type: ignore[attr-defined]
    key = {"point_id": point_id, "quantity": Quantity.A_PLUS, "month": month}
    zones = dict.fromkeys(("t1_wh", "t2_wh", "t3_wh", "t4_wh", "covered_s", "estimated_s"), 0)
    async with database.writing() as connection:
        await connection.execute(delete(rollup).where(*(rollup.c[name] == key[name] for name in key)))
        await connection.execute(insert(rollup).values(**key, total_wh=total_wh, **zones))
