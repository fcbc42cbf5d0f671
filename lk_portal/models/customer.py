"""People, their personal accounts and addresses, and the tariffs they pay by."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlmodel import Field

from lk_portal.models.address_text import one_line, search_words
from lk_portal.models.types import Table, UtcTime


def _now() -> datetime:
    return datetime.now(UTC)


class Subscriber(Table, table=True):
    """Абонент: a private person with personal accounts. Who may sign in is `access.User`."""

    __tablename__ = "subscriber"
    # The staff looks people up by how their names begin; PostgreSQL's own order is of no use for that.
    __table_args__ = ()

    id: int | None = Field(default=None, primary_key=True)
    full_name: str = Field(max_length=200, index=True)
    email: str = Field(default="", max_length=254, index=True)
    phone: str = Field(default="", max_length=20, index=True, description="E.164, e.g. +79130000000")
    created_at: datetime = Field(default_factory=_now, sa_column=Column(UtcTime(), nullable=False))


def _search_words(context: Any) -> str:
    """What an inserted row is found by, from its other columns."""
    row = context.get_current_parameters()
    return search_words(row["settlement"], row.get("street") or "")


class Premises(Table, table=True):
    """Адрес: where energy is used, with the clock that its days and tariff zones go by.

    Inserts through SQLAlchemy fill `search_text` by themselves; COPY, INSERT ... SELECT and an UPDATE of
    settlement or street must give `address_text.search_words` of the two. Triggers keep `Street` from it.
    """

    __tablename__ = "premises"
    __table_args__ = (
        Index("ix_premises_settlement_street_house_flat", "settlement", "street", "house", "flat"),
    )

    id: int | None = Field(default=None, primary_key=True)
    settlement: str = Field(max_length=120)
    street: str = Field(default="", max_length=120, index=True)
    house: str = Field(default="", max_length=20)
    flat: str = Field(default="", max_length=20)
    timezone: str = Field(max_length=64, description="IANA name")
    search_text: str | None = Field(
        default=None, sa_column=Column(Text, nullable=False, server_default="", default=_search_words)
    )

    @property
    def address(self) -> str:
        """One line, as on an envelope."""
        return one_line(self.settlement, self.street, self.house, self.flat)


class Street(Table, table=True):
    """A street that premises stand in, or a settlement without streets: what addresses are searched by.

    Written by triggers on `premises` only (migration 0003). A million addresses stand in some ten thousand
    streets, so even a word that all of them have is answered at once. A street stays when its last premises
    are gone: taking it away could race with an insert, so the search looks whether anything stands there.
    """

    __tablename__ = "street"
    __table_args__ = (UniqueConstraint("settlement", "street"),)

    id: int | None = Field(default=None, primary_key=True)
    settlement: str = Field(max_length=120)
    street: str = Field(max_length=120)
    search_text: str = Field(sa_column=Column(Text, nullable=False))


class Tariff(Table, table=True):
    """A tariff; its zones by hour stand in versions, for they change by decree."""

    __tablename__ = "tariff"

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=32, unique=True)
    name: str = Field(max_length=120)


class TariffZone(Table, table=True):
    """One daily span of a tariff zone, in local time of the premises, in force from a day on.

    All rows of a tariff with the same `valid_from` are one version. `end_minute` may be less than
    `start_minute`: the span then goes over midnight. Minutes no span covers belong to no zone.
    """

    __tablename__ = "tariff_zone"
    __table_args__ = (UniqueConstraint("tariff_id", "valid_from", "start_minute"),)

    id: int | None = Field(default=None, primary_key=True)
    tariff_id: int = Field(foreign_key="tariff.id", ondelete="CASCADE")
    valid_from: date
    zone: int = Field(ge=1, le=8)
    start_minute: int = Field(ge=0, le=1439)
    end_minute: int = Field(ge=0, le=1440)


class BillingDay(Table, table=True):
    """From a calendar month on, billing months begin on this day; before the first it is LK_READING_DAY."""

    __tablename__ = "billing_day"
    __table_args__ = (CheckConstraint("day BETWEEN 1 AND 28", name="day"),)

    id: int | None = Field(default=None, primary_key=True)
    since: date = Field(unique=True, description="The first of the month")
    day: int = Field(ge=1, le=28)


class Account(Table, table=True):
    """Лицевой счет: the contract of one subscriber for one address."""

    __tablename__ = "account"
    __table_args__ = ()

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(max_length=32, unique=True)
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", index=True)
    premises_id: int = Field(foreign_key="premises.id", index=True)
    note: str = Field(default="", max_length=60, description="Примечание: the subscriber's own name for it")
    contract_number: str = Field(default="", max_length=64)
    amenities: str = Field(default="", max_length=120, description="Степень благоустройства")
    removed_at: datetime | None = Field(
        default=None, sa_column=Column(UtcTime()), description="Since when it is out of its owner's cabinet"
    )
