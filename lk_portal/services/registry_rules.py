"""What has to be true of the registry's rows together, whoever writes them. For its lists and its import.

The functions that take a row (connection, values, key) are the checks of `resource()`: called in the
transaction that writes, with the whole row as it is going to be.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.metering.maps import known_maps
from lk_portal.models import Installation, Premises, RegisterMark, TariffZone
from lk_portal.models.address_text import search_words
from lk_portal.services.account_owner import hand_over, lock_account
from lk_portal.services.tables import table_of
from lk_portal.services.zones import ZoneSpan

URN = "urn:uuid:"
NO_ZONE = N_("There is no such time zone; write it like Asia/Omsk.")
NO_CODE = N_("A code is urn:uuid: and a UUID.")
NO_MAP = N_("There is no such register map. There are: {names}.")
IN_FUTURE = N_("This lies in the future.")
STANDS_ELSEWHERE = N_("The meter stands at another point in that time.")
POINT_TAKEN = N_("Another meter stands at this point in that time.")
BEFORE_LAST_READING = N_("The meter was read at the point later than this.")

_place, _mark, _span = table_of(Installation), table_of(RegisterMark), table_of(TariffZone)
_premises = table_of(Premises)


async def check_premises(connection: AsyncConnection, values: dict[str, Any], key: int | None) -> None:
    """The zone exists; and an address that is changed is found by its new words.

    Raises:
        InputError: It does not.
    """
    if values["timezone"] not in available_timezones():
        raise InputError(NO_ZONE, field="timezone")
    if key is not None:  # an insert fills them by itself, see `models.Premises`
        words = search_words(values["settlement"], values["street"])
        await connection.execute(update(_premises).where(_premises.c.id == key).values(search_text=words))


async def check_account(connection: AsyncConnection, values: dict[str, Any], key: int | None) -> None:
    """An account that gets another owner loses what the former one had called it and its points."""
    if key is None:
        return
    account = await lock_account(connection, key)
    if account.subscriber_id != values["subscriber_id"]:
        await hand_over(connection, account, values["subscriber_id"])


async def check_point(_connection: AsyncConnection, values: dict[str, Any], _key: int | None) -> None:
    """Its code is a URN of a UUID.

    Raises:
        InputError: It is none.
    """
    if not is_point_code(values["code"]):
        raise InputError(NO_CODE, field="code")


def is_point_code(code: str) -> bool:
    """Whether `code` is urn:uuid: and a UUID in its usual form."""
    try:
        return code == f"{URN}{UUID(code.removeprefix(URN))}"
    except ValueError:
        return False


async def check_meter(_connection: AsyncConnection, values: dict[str, Any], _key: int | None) -> None:
    """Its register map is known; none means that the portal does not read it.

    Raises:
        InputError: It is not.
    """
    require_map(values["map_name"], field="map_name")


def map_names() -> list[str]:
    """The register maps that this portal knows."""
    return [known.name for known in known_maps()]


def require_map(name: str, *, field: str) -> None:
    """A register map's name, or nothing.

    Raises:
        InputError: There is no such map.
    """
    names = map_names()
    if name and name not in names:
        raise InputError(NO_MAP, field=field, names=", ".join(names))


async def check_verification(_connection: AsyncConnection, values: dict[str, Any], _key: int | None) -> None:
    """The next verification comes after this one.

    Raises:
        InputError: It does not.
    """
    if values["due_on"] is not None and values["due_on"] <= values["verified_on"]:
        raise InputError(N_("The next verification must be later than this one."), field="due_on")


async def check_seal(_connection: AsyncConnection, values: dict[str, Any], _key: int | None) -> None:
    """A seal is removed after it was placed.

    Raises:
        InputError: It is not.
    """
    if values["removed_on"] is not None and values["removed_on"] < values["placed_on"]:
        raise InputError(N_("A seal cannot be removed before it was placed."), field="removed_on")


async def check_zone(connection: AsyncConnection, values: dict[str, Any], key: int | None) -> None:
    """No minute of the day belongs to two spans of one version of a tariff.

    Raises:
        InputError: One does.
    """
    if values["start_minute"] == values["end_minute"]:
        raise InputError(N_("A span must end at another minute than it begins."), field="end_minute")
    query = select(_span.c.id, _span.c.zone, _span.c.start_minute, _span.c.end_minute).where(
        _span.c.tariff_id == values["tariff_id"], _span.c.valid_from == values["valid_from"]
    )
    others = [ZoneSpan(*row[1:]) for row in await connection.execute(query) if row.id != key]
    taken = {minute for other in others for minute in other.minutes()}
    wanted = ZoneSpan(values["zone"], values["start_minute"], values["end_minute"])
    if taken.intersection(wanted.minutes()):
        raise InputError(
            N_("Another span of this tariff covers a part of these minutes."), field="start_minute"
        )


async def check_installation(
    connection: AsyncConnection, values: dict[str, Any], key: int | None, *, now: datetime
) -> None:
    """A meter stands at one point at a time and a point has one meter, and neither in the future.

    Args:
        connection: In the transaction that writes.
        values: meter_id, point_id, installed_at, removed_at and the ratios.
        key: Of the installation; None: a new one.
        now: Aware UTC.

    Raises:
        InputError: They contradict something; names the field.
    """
    since, until = values["installed_at"], values["removed_at"]
    for name in ("ct_ratio", "vt_ratio"):
        if values[name] <= 0:
            raise InputError(N_("A ratio is a number above zero."), field=name)
    if since > now:
        raise InputError(IN_FUTURE, field="installed_at")
    if until is not None:
        await _check_end(connection, values, now)
    if await _is_taken(connection, _place.c.meter_id == values["meter_id"], since, until, key):
        raise InputError(STANDS_ELSEWHERE, field="meter_id")
    if await _is_taken(connection, _place.c.point_id == values["point_id"], since, until, key):
        raise InputError(POINT_TAKEN, field="point_id")


async def _check_end(connection: AsyncConnection, values: dict[str, Any], now: datetime) -> None:
    if values["removed_at"] <= values["installed_at"]:
        raise InputError(N_("A meter cannot be removed before it was installed."), field="removed_at")
    if values["removed_at"] > now:
        raise InputError(IN_FUTURE, field="removed_at")
    read_at = await last_read_at(connection, values["meter_id"])
    if read_at is not None and values["installed_at"] <= values["removed_at"] <= read_at:
        raise InputError(BEFORE_LAST_READING, field="removed_at")


async def last_read_at(connection: AsyncConnection, meter_id: int) -> datetime | None:
    """When the newest accepted reading of a meter was taken, aware UTC; None: never."""
    newest = select(_mark.c.taken_at).where(_mark.c.meter_id == meter_id)
    query = newest.order_by(_mark.c.taken_at.desc()).limit(1)
    found: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def _is_taken(
    connection: AsyncConnection,
    whose: ColumnElement[bool],
    since: datetime,
    until: datetime | None,
    key: int | None,
) -> bool:
    """Whether another installation of that meter or point has a part of [since, until)."""
    query = (
        select(func.count())
        .select_from(_place)
        .where(whose, or_(_place.c.removed_at.is_(None), _place.c.removed_at > since))
    )
    if until is not None:
        query = query.where(_place.c.installed_at < until)
    if key is not None:
        query = query.where(_place.c.id != key)
    return bool((await connection.execute(query)).scalar_one())
