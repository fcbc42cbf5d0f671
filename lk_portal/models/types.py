"""Column types and the common base of all tables. Imported by models and by migrations only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Numeric, SmallInteger, String
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC time with millisecond precision.

    `timestamptz` on PostgreSQL. SQLite has no time type and drops the zone, so there it is an integer of
    milliseconds since 1970: six bytes instead of 26, and comparisons cannot go wrong by a text format.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the storage by database."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times: they are a bug at the caller's."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return to_milliseconds(value)
        return from_milliseconds(to_milliseconds(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give aware UTC back."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return from_milliseconds(value)
        result: datetime = value.astimezone(UTC)
        return result


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware time, rounded down.

    Raises:
        ValueError: The time is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"naive time {moment.isoformat()} where an aware one is needed")
    return (moment - EPOCH) // MILLISECOND


def from_milliseconds(value: int) -> datetime:
    """The aware UTC time `value` milliseconds after 1970 began."""
    return EPOCH + value * MILLISECOND


class Coded(TypeDecorator[IntEnum]):
    """An IntEnum stored as its small number; for tables with many rows."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, enum: type[IntEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: IntEnum | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Store the number."""
        return None if value is None else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> IntEnum | None:  # noqa: ARG002
        """Give the member back."""
        return None if value is None else self.enum(value)


class Named(TypeDecorator[StrEnum]):
    """A StrEnum stored as its value; readable for people who look into the database."""

    impl = String(32)
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Store the value."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """Give the member back."""
        return None if value is None else self.enum(value)


class Ratio(TypeDecorator[Decimal]):
    """An exact decimal number: numeric on PostgreSQL, text on SQLite (whose numbers are floats)."""

    impl = Numeric(12, 4)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the storage by database."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(16))
        return dialect.type_descriptor(Numeric(12, 4))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Text on SQLite."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Give a Decimal back."""
        return None if value is None else Decimal(value)


class Table(SQLModel):
    """Base of the portal's tables: one metadata with stable constraint names, so migrations can name them."""


Table.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
