"""Registers that a meter was replaced: the end of its time at a point, the beginning of the new one's.

For the staff's page. All of it is one transaction, with an entry in the audit. What the old meter counted
after it was last polled stands in its final readings and is counted to that moment; the new one counts from
its initial readings. So the point's consumption goes on without a spike (shared/metering.md, rule 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.metering.types import Quantity, RegisterValue
from lk_portal.models import (
    Account,
    Installation,
    InstallationReading,
    Meter,
    MeterConnection,
    MeteringPoint,
    Premises,
    ReadingReview,
    RegisterMark,
    Seal,
    TariffZone,
    User,
    Verification,
    VerificationKind,
)
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services import audit
from lk_portal.services.database import Database
from lk_portal.services.placed_meters import address_of
from lk_portal.services.registry_rules import check_installation
from lk_portal.services.replacement_form import FINAL, Register, Replacement, field_of
from lk_portal.services.resource.writing import Author
from lk_portal.services.segments import count_final_readings
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.turns import take_turns

__all__ = ["LastValue", "Standing", "replace_meter", "standing"]

REPLACED = "registry:meters:replace"
audit.TEXTS[REPLACED] = N_("The utility registered the replacement of a meter")
BELOW_LAST = N_("This is less than the meter showed before.")
IMPOSSIBLE = N_("The meter cannot have counted so much since its last reading.")
SUM = 0


@dataclass(frozen=True, slots=True)
class LastValue:
    """A register's newest accepted value: Wh before ratios, aware UTC."""

    register: Register
    value_wh: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A meter where it stands now.

    Attributes:
        serial: Of the meter.
        model: As on its plate.
        account: Number of the account.
        address: One line.
        place: Место установки.
        zone: Of the premises.
        installed_at: Aware UTC.
        ct_ratio: КТТ.
        vt_ratio: КТН.
        is_connected: Whether the portal reads it.
        known: What its registers showed last.
        final: The registers to be asked for.
        initial: Those to be asked for of the new meter.
    """

    serial: str
    model: str
    account: str
    address: str
    place: str
    zone: ZoneInfo
    installed_at: datetime
    ct_ratio: Decimal
    vt_ratio: Decimal
    is_connected: bool
    known: tuple[LastValue, ...]
    final: tuple[Register, ...]
    initial: tuple[Register, ...]


async def standing(database: Database, serial: str) -> Standing:
    """A meter that can be replaced.

    Raises:
        NotFoundError: There is none of this number, or it stands nowhere.
    """
    async with database.reading() as connection:
        row = await _standing(connection, serial)
        known = await _last_values(connection, row)
        zones = select(_zone.c.zone).where(_zone.c.tariff_id == row.tariff_id).distinct()
        tariff = sorted((await connection.execute(zones)).scalars())
    final = tuple(one.register for one in known) or ((Quantity.A_PLUS, SUM),)
    further = ((Quantity.A_PLUS, number) for number in (SUM, *tariff))
    return Standing(
        row.serial,
        row.model,
        row.account,
        address_of(row),
        row.place,
        ZoneInfo(row.timezone),
        row.installed_at,
        row.ct_ratio,
        row.vt_ratio,
        row.linked is not None,
        known,
        final,
        tuple(sorted({*final, *further})),
    )


async def replace_meter(database: Database, *, serial: str, replacement: Replacement, author: Author) -> None:
    """Register a replacement, all of it or nothing.

    Args:
        database: Where it is kept.
        serial: Of the old meter.
        replacement: What was found and put there.
        author: Who registers it, from where and when.

    Raises:
        InputError: Something contradicts what is known; names the field.
        NotFoundError: The old meter stands nowhere, e.g. for it was replaced just now.
    """
    async with database.writing() as connection:
        await take_turns(connection, "registry:replacement")
        # The poller locks the meters of a batch too: no reading comes in between.
        await connection.execute(_LOCK, {"serial": serial if is_storable(serial) else ""})
        old = await _standing(connection, serial)
        await _Deed(connection, old, replacement, author).do()


@dataclass(frozen=True, slots=True)
class _Deed:
    """One replacement inside its transaction."""

    connection: AsyncConnection
    old: Any
    new: Replacement
    author: Author

    async def do(self) -> None:
        self._check_times()
        await self._check_final()
        await self._end_old()
        new_id = await self._meter()
        await self._begin(new_id)
        await self._papers(new_id)
        if self.new.keeps_line:
            await self._move_line(new_id)
        await self._record()

    def _check_times(self) -> None:
        if self.new.serial == self.old.serial:
            raise InputError(N_("This is the old meter's number."), field="serial")
        if self.new.installed_at < self.new.removed_at:
            raise InputError(
                N_("The new meter cannot be installed before the old one was removed."), field="installed_at"
            )

    async def _check_final(self) -> None:
        final = {(one.quantity, one.zone): one.value_wh for one in self.new.final}
        for known in await _last_values(self.connection, self.old):
            if final.get(known.register, known.value_wh) < known.value_wh:
                raise InputError(BELOW_LAST, field=field_of(FINAL, known.register))

    async def _end_old(self) -> None:
        """Close its installation and count what it showed at the end."""
        values = {name: self.old._mapping[name] for name in ("meter_id", "point_id", "installed_at")}
        values |= {"removed_at": self.new.removed_at, "ct_ratio": self.old.ct_ratio}
        values |= {"vt_ratio": self.old.vt_ratio}
        key, at = self.old.installation_id, self.author.visit.at
        await check_installation(self.connection, values, key, now=at)
        await self.connection.execute(
            update(_place).where(_place.c.id == key).values(removed_at=self.new.removed_at)
        )
        await self._readings(key, self.new.final, is_final=True)
        await count_final_readings(self.connection, installation_id=key, now=at)
        await self._refuse_doubts()
        await self.connection.execute(
            update(_seal)
            .where(_seal.c.meter_id == self.old.meter_id, _seal.c.removed_on.is_(None))
            .values(removed_on=self._day(self.new.removed_at))
        )

    async def _refuse_doubts(self) -> None:
        """A final reading that cannot be true is a slip of the pen; among the reviews it would be lost."""
        taken_at = from_milliseconds(to_milliseconds(self.new.removed_at) - 1)
        query = select(_review.c.quantity, _review.c.zone).where(
            _review.c.meter_id == self.old.meter_id, _review.c.taken_at == taken_at
        )
        doubt = (await self.connection.execute(query)).first()
        if doubt is not None:
            raise InputError(IMPOSSIBLE, field=field_of(FINAL, (doubt.quantity, doubt.zone)))

    async def _meter(self) -> int:
        """The new meter: the known one of that number, or one that is put into the registry now."""
        query = select(_meter.c.id, _meter.c.model, _meter.c.map_name).where(
            _meter.c.serial == self.new.serial
        )
        known = (await self.connection.execute(query)).one_or_none()
        if known is not None:
            for name in ("model", "map_name"):
                typed = getattr(self.new, name)
                if typed and typed != known._mapping[name]:
                    sentence = N_("The meter with this number is known with another one: {known}.")
                    raise InputError(sentence, field=name, known=known._mapping[name] or "-")
            return int(known.id)
        if not self.new.model:
            raise InputError(N_("Fill this in: the meter is not in the registry yet."), field="model")
        values = {"serial": self.new.serial, "model": self.new.model, "map_name": self.new.map_name}
        made = await self.connection.execute(insert(_meter).values(values).returning(_meter.c.id))
        return int(made.scalar_one())

    async def _begin(self, meter_id: int) -> None:
        values = {
            "meter_id": meter_id,
            "point_id": self.old.point_id,
            "installed_at": self.new.installed_at,
            "removed_at": None,
            "ct_ratio": self.new.ct_ratio,
            "vt_ratio": self.new.vt_ratio,
        }
        try:
            await check_installation(self.connection, values, None, now=self.author.visit.at)
        except InputError as error:
            named = "serial" if error.field == "meter_id" else error.field
            raise InputError(error.text, field=named, **error.data) from None
        made = await self.connection.execute(insert(_place).values(values).returning(_place.c.id))
        await self._readings(made.scalar_one(), with_sums(self.new.initial), is_final=False)

    async def _readings(self, key: int, registers: Sequence[RegisterValue], *, is_final: bool) -> None:
        rows = [
            {
                "installation_id": key,
                "is_final": is_final,
                "quantity": one.quantity,
                "zone": one.zone,
                "value_wh": one.value_wh,
            }
            for one in registers
        ]
        await self.connection.execute(insert(_value), rows)

    async def _papers(self, meter_id: int) -> None:
        """The seal and the verification, where they were told."""
        if self.new.seal:
            placed = {"number": self.new.seal, "placed_on": self._day(self.new.installed_at)}
            await self.connection.execute(insert(_seal).values(meter_id=meter_id, removed_on=None, **placed))
        if self.new.verified_on is not None:
            days = {"verified_on": self.new.verified_on, "due_on": self.new.due_on}
            kind = VerificationKind.PERIODIC
            await self.connection.execute(insert(_check).values(meter_id=meter_id, kind=kind, **days))

    async def _move_line(self, meter_id: int) -> None:
        """The new meter answers where the old one did; how that went before is forgotten."""
        query = select(_link).where(_link.c.meter_id.in_([self.old.meter_id, meter_id]))
        links = {row.meter_id: row for row in await self.connection.execute(query)}
        line = links.get(self.old.meter_id)
        if line is None or meter_id in links:
            raise InputError(
                N_("There is no connection to take over, or the new meter has one."), field="keeps_line"
            )
        kept = {name: line._mapping[name] for name in ("gateway_id", "device_id", "is_enabled", "options")}
        made = MeterConnection(meter_id=meter_id, interval_s=line.interval_s, **kept).model_dump()
        await self.connection.execute(delete(_link).where(_link.c.meter_id == self.old.meter_id))
        await self.connection.execute(insert(_link).values(made))

    async def _record(self) -> None:
        owner = select(_user.c.id).where(_user.c.subscriber_id == self.old.subscriber_id)
        await audit.record(
            self.connection,
            action=REPLACED,
            visit=self.author.visit,
            actor=self.author.user_id,
            subject=(await self.connection.execute(owner)).scalar_one_or_none(),
            point=self.old.code,
            old=self.old.serial,
            new=self.new.serial,
            removed_at=self.new.removed_at.isoformat(),
            installed_at=self.new.installed_at.isoformat(),
        )

    def _day(self, at: datetime) -> Any:
        return at.astimezone(ZoneInfo(self.old.timezone)).date()


def with_sums(registers: Iterable[RegisterValue]) -> list[RegisterValue]:
    """The registers, with the sum of each energy of which only zones were given: polls may bring the sum."""
    found = sorted(registers, key=lambda one: (one.quantity, one.zone))
    sums = []
    for quantity, group in groupby(found, key=lambda one: one.quantity):
        values_wh = {one.zone: one.value_wh for one in group}
        if SUM not in values_wh:
            sums.append(RegisterValue(quantity, SUM, sum(values_wh.values())))
    return [*sums, *found]


async def _standing(connection: AsyncConnection, serial: str) -> Any:
    if not is_storable(serial):
        raise NotFoundError
    row = (await connection.execute(_STANDING.where(_meter.c.serial == serial))).one_or_none()
    if row is None:
        raise NotFoundError(N_("There is no meter of this number, or it stands nowhere."))
    return row


async def _last_values(connection: AsyncConnection, old: Any) -> tuple[LastValue, ...]:
    """What the registers showed last since the meter stands there; at first the initial readings."""
    initial = select(_value.c.quantity, _value.c.zone, _value.c.value_wh).where(
        _value.c.installation_id == old.installation_id, _value.c.is_final.is_(False)
    )
    marks = select(_mark.c.quantity, _mark.c.zone, _mark.c.value_wh, _mark.c.taken_at).where(
        _mark.c.meter_id == old.meter_id, _mark.c.taken_at >= old.installed_at
    )
    found = {
        (row.quantity, row.zone): LastValue((row.quantity, row.zone), row.value_wh, old.installed_at)
        for row in await connection.execute(initial)
    }
    for row in await connection.execute(marks):
        found[row.quantity, row.zone] = LastValue((row.quantity, row.zone), row.value_wh, row.taken_at)
    return tuple(found[register] for register in sorted(found))


_meter, _place, _value = table_of(Meter), table_of(Installation), table_of(InstallationReading)
_point, _account, _premises = table_of(MeteringPoint), table_of(Account), table_of(Premises)
_mark, _review, _zone = table_of(RegisterMark), table_of(ReadingReview), table_of(TariffZone)
_seal, _check, _link = table_of(Seal), table_of(Verification), table_of(MeterConnection)
_user = table_of(User)
_LOCK = select(_meter.c.id).where(_meter.c.serial == bindparam("serial")).with_for_update(key_share=True)
_STANDING = (
    select(
        _meter.c.serial,
        _meter.c.model,
        _place.c.id.label("installation_id"),
        _place.c.meter_id,
        _place.c.point_id,
        _place.c.installed_at,
        _place.c.ct_ratio,
        _place.c.vt_ratio,
        _point.c.code,
        _point.c.place,
        _point.c.tariff_id,
        _account.c.number.label("account"),
        _account.c.subscriber_id,
        _premises.c.settlement,
        _premises.c.street,
        _premises.c.house,
        _premises.c.flat,
        _premises.c.timezone,
        _link.c.meter_id.label("linked"),
    )
    .join(_place, _place.c.meter_id == _meter.c.id)
    .join(_point, _point.c.id == _place.c.point_id)
    .join(_account, _account.c.id == _point.c.account_id)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .outerjoin(_link, _link.c.meter_id == _meter.c.id)
    .where(_place.c.removed_at.is_(None))
)
