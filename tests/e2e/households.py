"""People of the browser tests with accounts and meters of their own, so that no test disturbs another."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from lk_portal.services.access import Role, create_user
from lk_portal.services.database import Database
from tests import factories
from tests.e2e import seed
from tests.e2e.conftest import Site

_numbers = itertools.count(1)
REPLACED_AT = datetime(2026, 5, 12, 5, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Household:
    """A subscriber, her account with two meters and one that left, and a free account next door.

    Attributes:
        email: Her login.
        account: Number of her account.
        address: Of the account.
        serial: A meter whose load the utility has switched off, and whose verification is overdue.
        old: The meter that stood there before it.
        other: A meter without a relay, called "Баня".
        other_id: Its key.
        free: Number of an account that is nobody's.
        free_address: Its address.
    """

    email: str
    account: str
    address: str
    serial: str
    old: str
    other: str
    other_id: int
    free: str
    free_address: str


async def a_household(site: Site) -> Household:
    """A household of the caller's own in the running portal."""
    database = Database(site.portal.database_address)
    try:
        return await _add(database, site, f"{next(_numbers):03}")
    finally:
        await database.close()


async def _add(database: Database, site: Site, number: str) -> Household:
    now = datetime.now(UTC)
    street = f"ул. Домовая {number}"
    owner = await factories.subscriber(database, full_name=f"Хозяйка {number}")
    home, next_door = [await factories.premises(database, street=street, house=house) for house in ("1", "2")]
    account, free = f"550066{number}01", f"550066{number}02"
    account_id = await factories.account(database, premises_id=home, subscriber_id=owner, number=account)
    await factories.account(database, premises_id=next_door, number=free)
    await _replaced_and_off(database, account_id, number, now)
    other_id = await factories.meter(database, serial=f"77{number}3")
    await factories.installation(
        database,
        meter_id=other_id,
        point_id=await factories.point(database, account_id=account_id, name="Баня"),
    )
    email = f"household{number}@example.com"
    user_id = await create_user(
        database,
        site.settings,
        email=email,
        phone=None,
        role=Role.SUBSCRIBER,
        display_name=f"Хозяйка {number}",
        password=seed.PASSWORD,
        subscriber_id=owner,
        now=now,
    )
    await factories.documents_accepted(database, user_id=user_id)
    return Household(
        email,
        account,
        f"г. Омск, {street}, д.1",
        f"77{number}2",
        f"77{number}1",
        f"77{number}3",
        other_id,
        free,
        f"г. Омск, {street}, д.2",
    )


async def _replaced_and_off(database: Database, account_id: int, number: str, now: datetime) -> None:
    point = await factories.point(database, account_id=account_id, name="")
    old, new = [await factories.meter(database, serial=f"77{number}{one}") for one in "12"]
    before = await factories.installation(database, meter_id=old, point_id=point, removed_at=REPLACED_AT)
    after = await factories.installation(database, meter_id=new, point_id=point, installed_at=REPLACED_AT)
    await factories.installation_reading(database, installation_id=before, value_wh=12_345_670, is_final=True)
    await factories.installation_reading(database, installation_id=after, value_wh=1_640)
    await factories.verification(
        database, meter_id=new, verified_on=date(2010, 6, 24), due_on=now.date() - timedelta(days=5)
    )
    await factories.seal(database, meter_id=new, number="ВМ 234798", placed_on=date(2026, 5, 12))
    await factories.relay(database, meter_id=new, is_output_on=False, control_state=0, read_at=now)
    await factories.switching(database, meter_id=new, code=3, at=now - timedelta(hours=2))
