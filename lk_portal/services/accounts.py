"""A subscriber's accounts as she sees them: the list, and the card of each. For states and exports.

Ownership is in every query: a foreign account is found no more than one that does not exist. The number of
queries does not depend on how many accounts or meters there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import bindparam, select

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import Quantity
from lk_portal.models import Account, InstallationReading, Premises, Subscriber
from lk_portal.services.database import Database
from lk_portal.services.owned import is_owned
from lk_portal.services.placed_meters import PLACED, PlacedMeter, address_of, placed_meters
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable

__all__ = ["AccountCard", "AccountLine", "PlacedMeter", "Replacement", "account_card", "accounts_of"]

_account, _premises = table_of(Account), table_of(Premises)
_subscriber, _reading = table_of(Subscriber), table_of(InstallationReading)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account in the list, with the meters that stand there now; `note` is her own name for it."""

    number: str
    address: str
    note: str
    meters: tuple[PlacedMeter, ...]


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """A register of a meter at its installation or removal, Wh (varh) as the meter shows it.

    `is_final` tells the last value of the old meter from the first one of the new; zone 0 is the sum.
    """

    is_final: bool
    quantity: Quantity
    zone: int
    value_wh: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """One meter took another's place: which, when (aware UTC), and what the two showed."""

    old: PlacedMeter
    new: PlacedMeter
    at: datetime
    readings: tuple[RegisterReading, ...]


@dataclass(frozen=True, slots=True)
class AccountCard:
    """Everything on an account; `meters` stand there now, `replacements` are newest first."""

    number: str
    address: str
    note: str
    owner: str
    contract: str
    amenities: str
    tariffs: tuple[str, ...]
    meters: tuple[PlacedMeter, ...]
    replacements: tuple[Replacement, ...]


async def accounts_of(
    database: Database, *, subscriber_id: int, now: datetime, default_interval_s: int
) -> tuple[AccountLine, ...]:
    """The accounts in a subscriber's cabinet, in the order they were made.

    Args:
        database: Where from.
        subscriber_id: Whose.
        now: Aware UTC.
        default_interval_s: Seconds between polls of a meter without an interval of its own.
    """
    async with database.reading() as connection:
        rows = (await connection.execute(_ACCOUNTS, {"subscriber_id": subscriber_id})).all()
        meters = await placed_meters(
            connection, _STANDING, subscriber_id=subscriber_id, now=now, default_interval_s=default_interval_s
        )
    return tuple(
        AccountLine(
            row.number, address_of(row), row.note, tuple(one for one in meters if one.account_id == row.id)
        )
        for row in rows
    )


async def account_card(
    database: Database, *, subscriber_id: int, number: str, now: datetime, default_interval_s: int
) -> AccountCard:
    """One account in a subscriber's cabinet; the arguments are those of `accounts_of`.

    Raises:
        NotFoundError: She has no such account.
    """
    if not is_storable(number):
        raise NotFoundError
    async with database.reading() as connection:
        wanted = {"subscriber_id": subscriber_id, "number": number}
        row = (await connection.execute(_CARD, wanted)).one_or_none()
        if row is None:
            raise NotFoundError
        placed = await placed_meters(
            connection,
            _OF_ACCOUNT,
            subscriber_id=subscriber_id,
            now=now,
            default_interval_s=default_interval_s,
            number=number,
        )
        places = [one.installation_id for one in placed]
        readings = (await connection.execute(_READINGS, {"places": places})).all()
    standing = tuple(one for one in placed if one.removed_at is None)
    return AccountCard(
        number=row.number,
        address=address_of(row),
        note=row.note,
        owner=row.full_name,
        contract=row.contract_number,
        amenities=row.amenities,
        tariffs=tuple(dict.fromkeys(one.tariff for one in standing if one.tariff)),
        meters=standing,
        replacements=_replacements(placed, readings),
    )


def _replacements(placed: tuple[PlacedMeter, ...], readings: Iterable[Any]) -> tuple[Replacement, ...]:
    """At every point, each meter but the first took the place of the one before it."""
    found = []
    for _point, there in groupby(placed, key=lambda one: one.point_id):
        for old, new in pairwise(there):
            shown = [
                RegisterReading(row.is_final, row.quantity, row.zone, row.value_wh)
                for row in readings
                if row.installation_id == (old if row.is_final else new).installation_id
            ]
            found.append(Replacement(old, new, new.installed_at, tuple(shown)))
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


_PREMISES = (_premises.c.settlement, _premises.c.street, _premises.c.house, _premises.c.flat)
_ACCOUNTS = (
    select(_account.c.id, _account.c.number, _account.c.note, *_PREMISES)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .where(is_owned())
    .order_by(_account.c.id)
)
_CARD = (
    select(
        _account.c.number,
        _account.c.note,
        _account.c.contract_number,
        _account.c.amenities,
        _subscriber.c.full_name,
        *_PREMISES,
    )
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .join(_subscriber, _subscriber.c.id == _account.c.subscriber_id)
    .where(is_owned(), _account.c.number == bindparam("number"))
)
_ORDER = ("account_id", "point_id", "installed_at")
_STANDING = PLACED.where(PLACED.selected_columns.removed_at.is_(None)).order_by(*_ORDER)
_OF_ACCOUNT = PLACED.where(PLACED.selected_columns.account == bindparam("number")).order_by(*_ORDER)
_READINGS = (
    select(
        _reading.c.installation_id,
        _reading.c.is_final,
        _reading.c.quantity,
        _reading.c.zone,
        _reading.c.value_wh,
    )
    .where(_reading.c.installation_id.in_(bindparam("places", expanding=True)))
    .order_by(_reading.c.quantity, _reading.c.zone)
)
