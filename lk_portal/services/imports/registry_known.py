"""What the registry says already of the things a file names, and whether a row speaks against it.

For `services.imports.registry` only. A handful of questions for some thousands of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_
from lk_portal.models import (
    Account,
    Gateway,
    Installation,
    Meter,
    MeterConnection,
    MeteringPoint,
    Premises,
    Subscriber,
    Tariff,
)
from lk_portal.models.types import to_milliseconds
from lk_portal.services.imports.registry_row import MARK, Row
from lk_portal.services.imports.source import CellError
from lk_portal.services.tables import table_of

AT_ONCE = 500
_subscriber, _account, _premises = table_of(Subscriber), table_of(Account), table_of(Premises)
_point, _meter, _place = table_of(MeteringPoint), table_of(Meter), table_of(Installation)
_tariff, _gateway, _link = table_of(Tariff), table_of(Gateway), table_of(MeterConnection)


class Known:
    """The part of the registry that some rows touch."""

    def __init__(self) -> None:
        self._tariffs: set[str] = set()
        self._accounts: dict[str, Any] = {}
        self._points: dict[str, str] = {}
        self._meters: dict[str, Any] = {}
        self._of_meter: dict[str, list[Any]] = defaultdict(list)
        self._of_point: dict[str, list[Any]] = defaultdict(list)
        self._lines: dict[str, tuple[str, int, int]] = {}
        self._devices: dict[tuple[str, int, int], str] = {}

    async def learn(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Ask for all that `rows` name."""
        self._tariffs = set((await connection.execute(select(_tariff.c.code))).scalars())
        for found in await _asked(connection, _ACCOUNTS, {row.account for row in rows}):
            self._accounts[found.number] = found
        for found in await _asked(connection, _POINTS, {row.point_code for row in rows}):
            self._points[found.code] = found.number
        serials = {row.meter_serial for row in rows}
        for found in await _asked(connection, _METERS, serials):
            self._meters[found.serial] = found
        for found in await _asked(connection, _BY_METER, serials):
            self._of_meter[found.serial].append(found)
        for found in await _asked(connection, _BY_POINT, {row.point_code for row in rows}):
            self._of_point[found.code].append(found)
        for found in await _asked(connection, _BY_LINK, serials):
            self._lines[found.serial] = (found.host, found.port, found.device_id)
        for found in await _asked(connection, _BY_HOST, {row.gateway_host for row in rows}):
            self._devices[found.host, found.port, found.device_id] = found.serial

    def check(self, row: Row) -> None:
        """Compare a row with it.

        Raises:
            CellError: It says something else.
        """
        if row.tariff and row.tariff not in self._tariffs:
            raise CellError("tariff", N_("there is no such tariff"))
        self._check_account(row)
        if self._points.get(row.point_code, row.account) != row.account:
            raise CellError("point_code", N_("is a point of another account"))
        if row.meter_serial:
            self._check_meter(row)
            self._check_line(row)

    def _check_account(self, row: Row) -> None:
        known = self._accounts.get(row.account)
        if known is None:
            return
        for name in ("settlement", "street", "house", "flat", "timezone"):
            if getattr(row, name) != known._mapping[name]:
                raise CellError(name, N_("the registry has another address for this account"))
        if row.subscriber and row.subscriber != (known.full_name or ""):
            raise CellError("subscriber", N_("the registry has another owner of this account"))
        email = "" if row.person.startswith(MARK) else row.person
        for name, typed in (("email", email), ("phone", row.phone)):
            if typed and typed != known._mapping[name]:
                raise CellError(name, N_("the registry has another one for this account's owner"))

    def _check_meter(self, row: Row) -> None:
        known = self._meters.get(row.meter_serial)
        if known is not None and known.model != row.model:
            raise CellError("model", N_("the registry has another model of this meter"))
        if known is not None and row.map_name and known.map_name != row.map_name:
            raise CellError("map", N_("the registry has another map of this meter"))
        at_ms = row.installed_ms or 0
        for place in self._of_meter.get(row.meter_serial, ()):
            if place.code == row.point_code and to_milliseconds(place.installed_at) == at_ms:
                if (place.ct_ratio, place.vt_ratio) != (Decimal(row.ct), Decimal(row.vt)):
                    raise CellError("ct", N_("the registry has other ratios of this installation"))
                return
            if _is_after(place, at_ms):
                raise CellError("meter_serial", N_("stands at another point, or since another time"))
        if any(_is_after(place, at_ms) for place in self._of_point.get(row.point_code, ())):
            raise CellError("point_code", N_("another meter stands at this point"))

    def _check_line(self, row: Row) -> None:
        if not row.gateway_host:
            return
        wanted = (row.gateway_host, row.gateway_port or 0, row.device_id or 0)
        if self._lines.get(row.meter_serial, wanted) != wanted:
            raise CellError("gateway_host", N_("this meter is connected in another way"))
        if self._devices.get(wanted, row.meter_serial) != row.meter_serial:
            raise CellError("device_id", N_("another meter has this number on that gateway"))


def _is_after(place: Any, at_ms: int) -> bool:
    """Whether an installation goes on, or begins, after a moment."""
    return place.removed_at is None or to_milliseconds(place.removed_at) > at_ms


async def _asked(connection: AsyncConnection, query: Any, names: Iterable[str]) -> list[Any]:
    wanted = sorted(set(names) - {""})
    found: list[Any] = []
    for start in range(0, len(wanted), AT_ONCE):
        found += (await connection.execute(query, {"names": wanted[start : start + AT_ONCE]})).all()
    return found


_names: Any = bindparam("names", expanding=True)
_ACCOUNTS = (
    select(
        _account.c.number,
        _subscriber.c.full_name,
        _subscriber.c.email,
        _subscriber.c.phone,
        _premises.c.settlement,
        _premises.c.street,
        _premises.c.house,
        _premises.c.flat,
        _premises.c.timezone,
    )
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .outerjoin(_subscriber, _subscriber.c.id == _account.c.subscriber_id)
    .where(_account.c.number.in_(_names))
)
_POINTS = (
    select(_point.c.code, _account.c.number)
    .join(_account, _account.c.id == _point.c.account_id)
    .where(_point.c.code.in_(_names))
)
_METERS = select(_meter.c.serial, _meter.c.model, _meter.c.map_name).where(_meter.c.serial.in_(_names))
_PLACES = (
    select(
        _meter.c.serial,
        _point.c.code,
        _place.c.installed_at,
        _place.c.removed_at,
        _place.c.ct_ratio,
        _place.c.vt_ratio,
    )
    .select_from(_place)
    .join(_meter, _meter.c.id == _place.c.meter_id)
    .join(_point, _point.c.id == _place.c.point_id)
)
_BY_METER = _PLACES.where(_meter.c.serial.in_(_names))
_BY_POINT = _PLACES.where(_point.c.code.in_(_names))
_LINKS = (
    select(_meter.c.serial, _gateway.c.host, _gateway.c.port, _link.c.device_id)
    .select_from(_link)
    .join(_meter, _meter.c.id == _link.c.meter_id)
    .join(_gateway, _gateway.c.id == _link.c.gateway_id)
)
_BY_LINK = _LINKS.where(_meter.c.serial.in_(_names))
_BY_HOST = _LINKS.where(_gateway.c.host.in_(_names))
