"""A meter is replaced: the chart goes on without a spike. On both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from lk_portal.errors import FormError, InputError, NotFoundError
from lk_portal.metering.types import Quantity, RegisterValue
from lk_portal.models import (
    AuditEntry,
    DayRollup,
    Installation,
    InstallationReading,
    Meter,
    MeterConnection,
    ReadingReview,
    Seal,
    User,
    Verification,
)
from lk_portal.services.database import Database
from lk_portal.services.replacement import replace_meter, standing, with_sums
from lk_portal.services.replacement_form import Replacement, read_replacement
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.polled import HOUR, MINUTE, NOW, T0, intervals, poll, rows_of, total_wh
from tests.integration.services.registry_staff import OMSK, author

A = Quantity.A_PLUS
SWAP = T0 + 2 * HOUR


def a_replacement(**changed: Any) -> Replacement:
    values = {
        "removed_at": SWAP,
        "final": (RegisterValue(A, 0, 901_600),),
        "serial": "НОВЫЙ-1",
        "model": "МИР С-07",
        "map_name": "",
        "installed_at": SWAP,
        "initial": (RegisterValue(A, 0, 5),),
    }
    return Replacement(**{**values, **changed})


async def an_old_meter(database: Database) -> factories.MeteredPoint:
    old = await factories.a_metered_point(database, tariff_id=await factories.tariff(database))
    await poll(database, old.meter_id, (T0, 900_000), (T0 + HOUR, 901_000))
    return old


async def replaced(database: Database, old: factories.MeteredPoint, **changed: Any) -> int:
    await replace_meter(
        database, serial=old.serial, replacement=a_replacement(**changed), author=await author(database)
    )
    meter = table_of(Meter)
    async with database.reading() as connection:
        query = select(meter.c.id).where(meter.c.serial == changed.get("serial", "НОВЫЙ-1"))
        return int((await connection.execute(query)).scalar_one())


async def test_the_year_goes_on_without_a_spike_and_without_a_hole(database: Database):
    old = await an_old_meter(database)
    new = await replaced(database, old, ct_ratio=Decimal(2))
    await poll(database, new, (SWAP + HOUR, 205), (SWAP + 2 * HOUR, 305))

    assert [(start, value, covered) for start, value, covered, *_ in await intervals(database)] == [
        (T0, 1000, 3600),
        (T0 + HOUR, 600, 3600),
        (SWAP, 400, 3600),
        (SWAP + HOUR, 200, 3600),
    ]
    days = [row.total_wh for row in await rows_of(database, DayRollup)]
    assert sum(days) == await total_wh(database) == 2200
    assert await rows_of(database, ReadingReview) == []


async def test_everything_that_belongs_to_it_is_written_at_once(database: Database):
    old = await an_old_meter(database)
    await factories.seal(database, meter_id=old.meter_id, number="С-1", placed_on=date(2020, 1, 1))
    line = await factories.gateway(database)
    await factories.connection(
        database, meter_id=old.meter_id, gateway_id=line, device_id=7, attempts=90, interval_s=900
    )
    new = await replaced(
        database,
        old,
        initial=(RegisterValue(A, 1, 4), RegisterValue(A, 2, 6)),
        seal="С-2",
        verified_on=date(2026, 3, 1),
        due_on=date(2042, 3, 1),
        keeps_line=True,
    )

    first, second = await rows_of(database, Installation)
    assert (first.removed_at, second.installed_at, second.removed_at) == (SWAP, SWAP, None)
    assert (second.meter_id, second.point_id) == (new, old.point_id)
    readings = {(r.is_final, r.zone): r.value_wh for r in await rows_of(database, InstallationReading)}
    assert readings == {(True, 0): 901_600, (False, 0): 10, (False, 1): 4, (False, 2): 6}
    seals = {row.number: (row.meter_id, row.removed_on) for row in await rows_of(database, Seal)}
    assert seals == {"С-1": (old.meter_id, SWAP.astimezone(OMSK).date()), "С-2": (new, None)}
    (verification,) = await rows_of(database, Verification)
    assert (verification.meter_id, verification.due_on) == (new, date(2042, 3, 1))
    (connection,) = await rows_of(database, MeterConnection)
    assert (connection.meter_id, connection.device_id, connection.interval_s) == (new, 7, 900)
    assert connection.attempts == 0
    (entry,) = [row for row in await rows_of(database, AuditEntry) if "replace" in row.action]
    assert (entry.detail["old"], entry.detail["new"]) == (old.serial, "НОВЫЙ-1")


async def test_the_subscriber_sees_it_in_the_history_of_what_was_done(database: Database):
    old = await an_old_meter(database)
    staff = await author(database)
    user = table_of(User)
    async with database.writing() as connection:
        await connection.execute(user.update().values(subscriber_id=old.subscriber_id))
    await replaced(database, old)
    (entry,) = [row for row in await rows_of(database, AuditEntry) if "replace" in row.action]
    assert entry.subject_user_id == staff.user_id


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"removed_at": T0 + HOUR, "installed_at": SWAP}, "removed_at"),
        ({"removed_at": NOW + MINUTE, "installed_at": NOW + HOUR}, "removed_at"),
        ({"installed_at": NOW + MINUTE}, "installed_at"),
        ({"installed_at": SWAP - MINUTE}, "installed_at"),
        ({"final": (RegisterValue(A, 0, 900_999),)}, "final-A_PLUS-0"),
        ({"final": (RegisterValue(A, 0, 99_901_000),)}, "final-A_PLUS-0"),
        ({"model": ""}, "model"),
        ({"serial": "СТОИТ"}, "serial"),
        ({"serial": "СКЛАД", "model": "Другая"}, "model"),
        ({"keeps_line": True}, "keeps_line"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(
    database: Database, changed: dict[str, Any], field: str
):
    old = await an_old_meter(database)
    await factories.meter(database, serial="СКЛАД")
    elsewhere = await factories.a_metered_point(database)
    async with database.writing() as connection:
        await connection.execute(
            table_of(Meter).update().where(table_of(Meter).c.id == elsewhere.meter_id).values(serial="СТОИТ")
        )
    models = (Meter, Installation, InstallationReading, Seal, ReadingReview, AuditEntry)
    staff = await author(database)
    before = [await rows_of(database, model) for model in models]

    with pytest.raises(InputError) as raised:
        await replace_meter(database, serial=old.serial, replacement=a_replacement(**changed), author=staff)
    assert raised.value.field == field
    assert [await rows_of(database, model) for model in models] == before


async def test_a_meter_from_the_store_is_put_there_and_the_old_ones_number_is_not(database: Database):
    old = await an_old_meter(database)
    stored = await factories.meter(database, serial="СКЛАД")
    with pytest.raises(InputError) as raised:
        await replaced(database, old, serial=old.serial)
    assert raised.value.field == "serial"
    assert await replaced(database, old, serial="СКЛАД", model="") == stored


async def test_the_second_of_two_who_register_it_finds_nothing_to_replace(database: Database):
    old = await an_old_meter(database)
    await replaced(database, old)
    with pytest.raises(NotFoundError):
        await replaced(database, old)
    with pytest.raises(NotFoundError):
        await standing(database, old.serial)
    assert len(await rows_of(database, Installation)) == 2


async def test_the_form_shows_what_is_known_and_asks_for_the_zones_of_the_tariff(database: Database):
    old = await an_old_meter(database)
    found = await standing(database, old.serial)
    (known,) = found.known
    assert (known.register, known.value_wh, known.taken_at) == ((A, 0), 901_000, T0 + HOUR)
    assert found.final == ((A, 0),)
    assert found.initial == ((A, 0), (A, 1), (A, 2))
    assert found.address.startswith("г. Омск")


FORM = {
    "removed_at": "2026-11-10T14:00",
    "final-A_PLUS-0": "901,6",
    "serial": " НОВЫЙ-1 ",
    "model": "МИР С-07",
    "initial-A_PLUS-0": "0.005",
    "ct_ratio": "1,5",
}


def read(form: dict[str, Any]) -> Replacement:
    return read_replacement(form, final=((A, 0),), initial=((A, 0), (A, 1)), zone=OMSK)


def test_a_form_is_read_by_the_wall_clock_of_the_premises():
    found = read(FORM)
    assert found.removed_at == found.installed_at == SWAP
    assert found.final == (RegisterValue(A, 0, 901_600),)
    assert found.initial == (RegisterValue(A, 0, 5),)
    assert (found.serial, found.ct_ratio, found.vt_ratio) == ("НОВЫЙ-1", Decimal("1.5"), Decimal(1))


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("removed_at", ""),
        ("removed_at", "вчера"),
        ("final-A_PLUS-0", ""),
        ("final-A_PLUS-0", "-1"),
        ("final-A_PLUS-0", "1.2345"),
        ("final-A_PLUS-0", "NaN"),
        ("final-A_PLUS-0", "1e30"),
        ("serial", "x" * 33),
        ("serial", "\0"),
        ("serial", None),
        ("map_name", "нет"),
        ("ct_ratio", "0"),
        ("vt_ratio", "1.00001"),
        ("due_on", "2026-13-01"),
    ],
)
def test_every_wrong_field_is_named(name: str, typed: object):
    with pytest.raises(FormError) as raised:
        read({**FORM, name: typed})
    assert set(raised.value.errors) == {name}


def test_a_next_verification_needs_the_last_one():
    with pytest.raises(FormError) as raised:
        read({**FORM, "due_on": "2030-01-01"})
    assert set(raised.value.errors) == {"verified_on"}
    with pytest.raises(FormError) as raised:
        read({**FORM, "verified_on": "2030-01-01", "due_on": "2030-01-01"})
    assert set(raised.value.errors) == {"due_on"}


def test_the_sum_of_zones_is_known_too():
    zones = [RegisterValue(A, 2, 6), RegisterValue(A, 1, 4), RegisterValue(Quantity.R_PLUS, 0, 9)]
    assert with_sums(zones)[0] == RegisterValue(A, 0, 10)
    assert len(with_sums(zones)) == 4
