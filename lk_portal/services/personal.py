"""Whose the rows of an installed package's tables are: for the download of one's data, and for their erasure.

A package declares it beside its models, for every table that it has:

    personal(Advice, whose=Account.subscriber_id, shown={"account": Account.number, "text": Advice.text})
    impersonal(Price)

The portal writes the queries: each starts from the person, so a package cannot give or erase anything of
anybody else. What cannot be read is named in the download; where her rows cannot be erased, nothing is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, exists, select
from sqlalchemy import Table as CoreTable
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import sort_tables

from lk_portal.errors import N_, ConfigurationError, PortalError
from lk_portal.i18n import _
from lk_portal.logs import report
from lk_portal.models import Subscriber, Table, User
from lk_portal.services.database import Database
from lk_portal.services.resource.joining import Joins, joins_to
from lk_portal.services.resource.spec import column_of
from lk_portal.services.tables import table_of

Json = dict[str, Any]
NOT_READ = N_("What {package} keeps about you could not be read. Error number {number}.")
NOT_ERASED = N_(
    "Nothing was erased, because what {package} keeps about you could not be. Error number {number}."
)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose rows are asked for; a person of the staff is no subscriber."""

    user_id: int
    subscriber_id: int | None


@dataclass(frozen=True, slots=True)
class _Personal:
    """A table of which each row is a person's.

    Attributes:
        owner: The column with the person's number, of this table or another.
        joins: The way to the owner's table.
        is_of_login: Whether the number is a login's; else it is a subscriber's.
        shown: What the download says of a row, by name.
        is_erased: Whether the rows go when the person's data are erased.
    """

    table: CoreTable
    owner: ColumnElement[Any]
    joins: Joins
    is_of_login: bool
    shown: Mapping[str, ColumnElement[Any]]
    is_erased: bool

    def is_of(self, whose: Whose) -> ColumnElement[bool] | None:
        """The condition on a row of the table to be this person's; None: she can have none."""
        number = whose.user_id if self.is_of_login else whose.subscriber_id
        if number is None:
            return None
        is_hers = self.owner == number
        if not self.joins:
            return is_hers
        return exists().where(and_(*(on for _table, on in self.joins), is_hers)).correlate(self.table)

    def query(self, condition: ColumnElement[bool]) -> Select[Any]:
        """What the download says of the rows under a condition."""
        query = select(*(column.label(name) for name, column in self.shown.items())).select_from(self.table)
        for other, on in joins_to(self.table, [column.table for column in self.shown.values()]):
            query = query.outerjoin(other, on)
        return query.where(condition).order_by(*self.table.primary_key.columns)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the packages keep about a person, for the download.

    Attributes:
        found: By package and by table; a table's name is without the package's.
        not_read: What could not be read: package, table, a sentence for her, and the number of the error in
            the log.
    """

    found: dict[str, dict[str, list[Json]]]
    not_read: list[Json]


_personal: dict[str, _Personal] = {}
_impersonal: set[str] = set()


def personal(
    model: type[Table] | CoreTable, *, whose: Any, shown: Mapping[str, Any], is_erased: bool = True
) -> None:
    """Every row of this table is a person's: it is in her download and goes when her data are erased.

    Args:
        model: The package's model, or its table.
        whose: The attribute with the number of a subscriber, or of a login, of this model or of one that its
            foreign keys lead to.
        shown: What the download says of a row: attributes, of this model or of such a one, by the names that
            they have there. Leave out what says nothing about her, and secrets.
        is_erased: False where a law has the rows kept; they are in the download all the same.

    Raises:
        ConfigurationError: The table was declared already, or its rows are not a person's by this.
    """
    table = model if isinstance(model, CoreTable) else table_of(model)
    _declared_once(table)
    try:
        columns = {name: column_of(one) for name, one in shown.items()}
        _personal[table.name] = _of(table, column_of(whose), columns, is_erased=is_erased)
    except ConfigurationError as error:
        raise ConfigurationError(detail=f"personal({table.name}): {error.data['detail']}") from None


def impersonal(*models: type[Table] | CoreTable | str) -> None:
    """These tables say nothing about any person; a table without a model by its name.

    Raises:
        ConfigurationError: One was declared already.
    """
    for model in models:
        _impersonal.add(_declared_once(model))


def declared() -> frozenset[str]:
    """The names of all tables of which it was said whose they are."""
    return frozenset((*_personal, *_impersonal))


async def read(database: Database, whose: Whose) -> Kept:
    """What the packages keep about a person; what cannot be read is logged and named, beside the rest."""
    kept = Kept({}, [])
    for one in _personal.values():
        package, name = _names(one.table)
        try:
            rows = await _rows(database, one, whose)
        except Exception as error:
            number = _report(error, one.table)
            text = _(NOT_READ, package=package, number=number)
            kept.not_read.append({"package": package, "table": name, "error_number": number, "text": text})
        else:
            kept.found.setdefault(package, {})[name] = rows
    return kept


async def erase(connection: AsyncConnection, whose: Whose) -> None:
    """Delete a person's rows of all packages, in the caller's transaction; first those that refer to others.

    Raises:
        PortalError: Some cannot be deleted. The transaction must be given up.
    """
    for table in reversed(sort_tables([one.table for one in _personal.values()])):
        one = _personal[table.name]
        condition = one.is_of(whose)
        if condition is None or not one.is_erased:
            continue
        try:
            await connection.execute(delete(table).where(condition))
        except Exception as error:
            number = _report(error, table)
            raise PortalError(NOT_ERASED, package=_names(table)[0], number=number) from error


async def _rows(database: Database, one: _Personal, whose: Whose) -> list[Json]:
    condition = one.is_of(whose)
    if condition is None:
        return []
    async with database.reading() as connection:
        found = (await connection.execute(one.query(condition))).all()
    rows = [{name: _plain(value) for name, value in row._mapping.items()} for row in found]
    json.dumps(rows, allow_nan=False)  # what is no JSON must not break the whole file later
    return rows


def _plain(value: object) -> object:
    """A value as JSON says it; one that is JSON already, or is not known, as it is."""
    match value:
        case Enum():
            return _plain(value.value)
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
    return value


def _report(error: Exception, table: CoreTable) -> str:
    error.add_note(f"package {_names(table)[0]!r}: of the table {table.name!r}")
    return report(error)


def _names(table: CoreTable) -> tuple[str, str]:
    """The package's name, and the table's without it."""
    package, _sign, name = table.name.partition("_")
    return package, name


def _declared_once(model: type[Table] | CoreTable | str) -> str:
    if isinstance(model, type):
        model = table_of(model)
    name = model if isinstance(model, str) else model.name
    if name in declared():
        raise ConfigurationError(detail=f"of the table {name} it was said already whose it is")
    return name


def _of(
    table: CoreTable, owner: ColumnElement[Any], shown: Mapping[str, ColumnElement[Any]], *, is_erased: bool
) -> _Personal:
    columns = (owner, *shown.values())
    if not shown or not all(isinstance(getattr(one, "table", None), CoreTable) for one in columns):
        raise ConfigurationError(detail="`whose` is an attribute of a model, and `shown` are some by name")
    joins_to(table, [one.table for one in columns])
    keys = {owner, *(key.column for key in owner.foreign_keys)}
    is_of_login = table_of(User).c.id in keys
    if not is_of_login and table_of(Subscriber).c.id not in keys:
        raise ConfigurationError(detail=f"{owner} is not the number of a subscriber or of a login")
    return _Personal(table, owner, joins_to(table, [owner.table]), is_of_login, shown, is_erased)
