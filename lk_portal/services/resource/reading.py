"""Reads a page of a resource's rows, one row, or all of them for a file. For its state and its route.

Pages go by the value they are sorted by, not by their number, so the ten-thousandth costs what the first
does. What is typed into the search is looked for at the beginnings of the declared attributes, each by its
own index, and the first thousand that are found by each are what is shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from inspect import isfunction
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_, union
from sqlalchemy import Table as CoreTable

from lk_portal.errors import ConfigurationError, NotFoundError
from lk_portal.services.database import Database
from lk_portal.services.resource.beginning import LAST, begins
from lk_portal.services.resource.cursor import decode, encode
from lk_portal.services.resource.spec import Filter, Resource, column_of, python_type
from lk_portal.services.texts import is_storable

PAGE = 25
MOST_COUNTED = 1000
MOST_FOUND = 1000


@dataclass(frozen=True)
class View:
    """What of the list is wanted; as it stands in the address.

    Attributes:
        query: What is searched for.
        sort: Name of the column, with "-" before it for the other way; "" for the usual order.
        filters: The chosen choice by the name of its filter.
        after: Cursor of the row before the page.
        before: Cursor of the row behind the page.
    """

    query: str = ""
    sort: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    after: str = ""
    before: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the list: its key and the values of the columns, in order."""

    key: int
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Page:
    """A page of the list.

    Attributes:
        rows: At most `PAGE`.
        count: How many rows the view has, counted up to `MOST_COUNTED` + 1.
        earlier: Cursor for `View.before`; "" on the first page.
        later: Cursor for `View.after`; "" on the last page.
    """

    rows: tuple[Row, ...]
    count: int
    earlier: str
    later: str


async def read_page(database: Database, resource: Resource, view: View, *, now: datetime) -> Page:
    """One page; `now` is aware UTC, for filters that go by the time."""
    order = _order(resource, view.sort)
    statement = _rows(resource, view, now).add_columns(order.column.label("sorted_by"))
    kind = python_type(order.column)
    after, before = decode(view.after, kind), decode(view.before, kind)
    is_back = before is not None and after is None
    edge = before if is_back else after
    if edge is not None:
        statement = statement.where(order.beyond(resource, edge, is_back=is_back))
    statement = statement.order_by(*order.by(resource, is_back=is_back)).limit(PAGE + 1)
    async with database.reading() as connection:
        found = list((await connection.execute(statement)).all())
        count = (await connection.execute(_count(resource, view, now))).scalar_one()
    has_more = len(found) > PAGE
    found = found[:PAGE]
    if is_back:
        found.reverse()
    has_earlier, has_later = (has_more, True) if is_back else (edge is not None, has_more)
    return Page(
        tuple(Row(row[0], tuple(row[1:-1])) for row in found),
        count,
        encode(found[0][-1], found[0][0]) if found and has_earlier else "",
        encode(found[-1][-1], found[-1][0]) if found and has_later else "",
    )


async def read_all(
    database: Database, resource: Resource, view: View, *, now: datetime
) -> AsyncIterator[tuple[Any, ...]]:
    """The values of all rows of a view in its order, for a file; page by page, so memory stays small."""
    order = _order(resource, view.sort)
    statement = _rows(resource, view, now).add_columns(order.column.label("sorted_by"))
    statement = statement.order_by(*order.by(resource, is_back=False)).limit(MOST_COUNTED)
    edge = None
    while True:
        part = statement if edge is None else statement.where(order.beyond(resource, edge, is_back=False))
        async with database.reading() as connection:
            found = (await connection.execute(part)).all()
        for row in found:
            yield tuple(row[1:-1])
        if len(found) < MOST_COUNTED:
            return
        edge = (found[-1][-1], found[-1][0])


async def read_row(database: Database, resource: Resource, key: int) -> dict[str, Any]:
    """The values of the form's columns of one row, by name.

    Raises:
        NotFoundError: There is none.
    """
    async with database.reading() as connection:
        row = (await connection.execute(_one(resource, key))).mappings().one_or_none()
    if row is None:
        raise NotFoundError
    return dict(row)


async def begin_with(database: Database, attribute: Any, typed: str, *, most: int = 10) -> list[str]:
    """The first values of a text attribute that begin with what was typed; none for nothing."""
    typed = typed.strip()
    if not typed or not is_storable(typed):
        return []
    column = column_of(attribute)
    query = select(column).where(or_(*(begins(column, text) for text in _spellings(typed))))
    async with database.reading() as connection:
        return list((await connection.execute(query.order_by(column).limit(most))).scalars())


def one_row(resource: Resource, key: int) -> Select[Any]:
    """The question for one row, with the form's columns."""
    return _one(resource, key)


def _one(resource: Resource, key: int) -> Select[Any]:
    statement = select(*(one.column for one in resource.form)).where(resource.key == key)
    return statement if resource.only is None else statement.where(resource.only)


@dataclass(frozen=True)
class _Order:
    """By which column, and which way; rows with equal values go by their key."""

    column: ColumnElement[Any]
    is_down: bool

    def by(self, resource: Resource, *, is_back: bool) -> list[ColumnElement[Any]]:
        columns = dict.fromkeys((self.column, resource.key))
        return [one.desc() if self.is_down != is_back else one.asc() for one in columns]

    def beyond(self, resource: Resource, edge: tuple[Any, int], *, is_back: bool) -> ColumnElement[bool]:
        """What comes after the row at the edge, in the direction that is read."""
        if self.column is resource.key:
            return self.column < edge[1] if self.is_down != is_back else self.column > edge[1]
        place = tuple_(self.column, resource.key)
        limit = tuple_(literal(edge[0], self.column.type), literal(edge[1]))
        return place < limit if self.is_down != is_back else place > limit


def _order(resource: Resource, sort: str) -> _Order:
    for column in resource.columns:
        expression = column.expression
        if column.is_sortable and sort.removeprefix("-") == getattr(expression, "key", None):
            return _Order(expression, sort.startswith("-"))
    return _Order(resource.key, resource.newest_first)


def _rows(resource: Resource, view: View, now: datetime) -> Select[Any]:
    """Key and columns of all rows of a view."""
    columns = [one.expression.label(f"column_{number}") for number, one in enumerate(resource.columns)]
    statement = select(resource.key, *columns).select_from(resource.table)
    for other, condition in joins(resource):
        statement = statement.outerjoin(other, condition)
    return _narrowed(statement, resource, view, now)


def _count(resource: Resource, view: View, now: datetime) -> Select[Any]:
    keys = _narrowed(select(resource.key).select_from(resource.table), resource, view, now)
    return select(func.count()).select_from(keys.limit(MOST_COUNTED + 1).subquery())


def _narrowed(statement: Select[Any], resource: Resource, view: View, now: datetime) -> Select[Any]:
    if resource.only is not None:
        statement = statement.where(resource.only)
    for one in resource.filters:
        condition = _chosen(one, view.filters.get(one.name, ""), now)
        if condition is not None:
            statement = statement.where(condition)
    typed = " ".join(view.query.split())
    if typed and resource.search:
        statement = statement.where(resource.key.in_(_found(resource, typed)))
    return statement


def _chosen(one: Filter, name: str, now: datetime) -> ColumnElement[bool] | None:
    return next((choice.condition_at(now) for choice in one.choices if choice.name == name), None)


def _found(resource: Resource, typed: str) -> Any:
    """Keys of what begins like what was typed; one branch an attribute, for each has an index of its own."""
    if not is_storable(typed):
        typed = LAST
    branches = []
    for attribute in resource.search:
        if isfunction(attribute):
            keys = attribute(sorted(_spellings(typed))).limit(MOST_FOUND)
            branches.append(select(keys.subquery().c[0]))
            continue
        column = column_of(attribute)
        branch = select(resource.key).select_from(resource.table)
        for other, condition in _path(resource.table, column.table):
            branch = branch.join(other, condition)
        branch = branch.where(or_(*(begins(column, text) for text in _spellings(typed)))).limit(MOST_FOUND)
        branches.append(select(branch.subquery().c[0]))
    return union(*branches)


def _spellings(typed: str) -> set[str]:
    """As it was typed, and with the capitals that names and codes have."""
    return {typed, typed.lower(), typed.upper(), typed.title(), typed[:1].upper() + typed[1:]}


def joins(resource: Resource, *tables: CoreTable) -> list[tuple[CoreTable, ColumnElement[bool]]]:
    """Other tables, each with its condition, in the order they can be joined: those given, else all shown."""
    found: dict[CoreTable, ColumnElement[bool]] = {}
    for table in tables or [getattr(one.expression, "table", None) for one in resource.columns]:
        if isinstance(table, CoreTable) and table is not resource.table:
            for other, condition in _path(resource.table, table):
                found.setdefault(other, condition)
    return list(found.items())


def _path(start: CoreTable, goal: CoreTable) -> list[tuple[CoreTable, ColumnElement[bool]]]:
    """The foreign keys from one table to another, each with its condition.

    Raises:
        ConfigurationError: None lead there, or several ways do.
    """
    if start is goal:
        return []
    ways: list[list[tuple[CoreTable, ColumnElement[bool]]]] = [[]]
    ends = [start]
    for _step in range(4):
        longer = [
            ([*way, (key.column.table, key.parent == key.column)], key.column.table)
            for way, end in zip(ways, ends, strict=True)
            for key in end.foreign_keys
        ]
        arrived = [way for way, end in longer if end is goal]
        if len(arrived) == 1:
            return arrived[0]
        if arrived:
            raise ConfigurationError(detail=f"{start.name}: several ways lead to {goal.name}")
        ways, ends = [way for way, _end in longer], [end for _way, end in longer]
    raise ConfigurationError(detail=f"{start.name}: no foreign keys lead to {goal.name}")
