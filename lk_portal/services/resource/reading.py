"""Reads a page of a resource's rows, one row, or all of them for a file. For its state and its route.

Pages go by the value they are sorted by, not by their number, so the ten-thousandth costs what the first
does. What is typed into the search is looked for at the beginnings of the declared attributes, each by its
own index, and the first thousand that are found by each are what is shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from inspect import isfunction
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, literal, select, tuple_, union
from sqlalchemy import Table as CoreTable
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.services.database import Database
from lk_portal.services.resource.beginning import LAST, begins, is_among, likely
from lk_portal.services.resource.cursor import decode, encode
from lk_portal.services.resource.joining import Joins, joins_to, own_condition, tables_of
from lk_portal.services.resource.spec import Filter, Resource, column_of, fits, python_type
from lk_portal.services.texts import is_storable

Conditions = list[ColumnElement[bool]]
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
    """One page; `now` is aware UTC, for filters that go by the time.

    A page whose rows are gone is the first one.
    """
    order = _order(resource, view.sort)
    edge, is_back = _edge(resource, order, view)
    async with database.reading() as connection:
        asked = await _asked(connection, resource, view, now)
        statement = _rows(resource, asked).add_columns(
            order.column.label("sorted_by"), _count(resource, asked).label("counted")
        )
        if edge is not None:
            statement = statement.where(order.beyond(resource, edge, is_back=is_back))
        statement = statement.order_by(*order.by(resource, is_back=is_back)).limit(PAGE + 1)
        found = list((await connection.execute(statement)).all())
    if not found and edge is not None:
        return await read_page(database, resource, replace(view, after="", before=""), now=now)
    has_more = len(found) > PAGE
    found = found[:PAGE]
    if is_back:
        found.reverse()
    has_earlier, has_later = (has_more, True) if is_back else (edge is not None, has_more)
    return Page(
        tuple(Row(row[0], tuple(row[1:-2])) for row in found),
        found[0][-1] if found else 0,
        encode(found[0][-2], found[0][0]) if found and has_earlier else "",
        encode(found[-1][-2], found[-1][0]) if found and has_later else "",
    )


def _edge(resource: Resource, order: _Order, view: View) -> tuple[tuple[Any, int] | None, bool]:
    """The row at the page's edge, and whether the page ends there; no row for what no list of ours wrote."""
    kind = python_type(order.column)
    after, before = decode(view.after, kind), decode(view.before, kind)
    is_back = before is not None and after is None
    edge = before if is_back else after
    if edge is None or not fits(resource.key, edge[1]):
        return None, False
    if kind is int and not fits(order.column, edge[0]):
        return None, False
    return edge, is_back


async def read_all(
    database: Database, resource: Resource, view: View, *, now: datetime
) -> AsyncIterator[tuple[Any, ...]]:
    """The values of all rows of a view in its order, for a file; page by page, so memory stays small."""
    order = _order(resource, view.sort)
    conditions = _conditions(resource, view, now)
    statement = _rows(resource, conditions).add_columns(order.column.label("sorted_by"))
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
    if not fits(resource.key, key):
        raise NotFoundError
    async with database.reading() as connection:
        row = (await connection.execute(one_row(resource, key))).mappings().one_or_none()
    if row is None:
        raise NotFoundError
    return dict(row)


async def begin_with(database: Database, attribute: Any, typed: str, *, most: int = 10) -> list[str]:
    """The first values of a text attribute that begin with what was typed; none for nothing."""
    typed = typed.strip()
    column = column_of(attribute)
    if not typed or not is_storable(typed) or python_type(column) is not str:
        return []
    parts = [select(column).where(begins(column, text)).limit(most) for text in sorted(_spellings(typed))]
    query = union(*(select(part.subquery().c[0]) for part in parts)).limit(most)
    async with database.reading() as connection:
        return sorted((await connection.execute(query)).scalars())


def one_row(resource: Resource, key: int) -> Select[Any]:
    """The question for one row, with the form's columns; the key must fit."""
    return select(*(one.column for one in resource.form)).where(is_row(resource, key))


def is_row(resource: Resource, key: int) -> ColumnElement[bool]:
    """The condition of a row of this resource's; the key must fit."""
    is_it: ColumnElement[bool] = resource.key == key
    return is_it if resource.only is None else is_it & own_condition(resource.key, resource.only)


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
        limit = tuple_(literal(edge[0], self.column.type), literal(edge[1], resource.key.type))
        return place < limit if self.is_down != is_back else place > limit


def _order(resource: Resource, sort: str) -> _Order:
    for column in resource.columns:
        expression = column.expression
        if column.is_sortable and sort.removeprefix("-") == getattr(expression, "key", None):
            return _Order(expression, sort.startswith("-"))
    return _Order(resource.key, resource.newest_first)


def _rows(resource: Resource, conditions: Conditions) -> Select[Any]:
    """Key and columns of all rows of a view."""
    columns = [one.expression.label(f"column_{number}") for number, one in enumerate(resource.columns)]
    statement = select(resource.key, *columns).select_from(resource.table)
    for other, condition in joins(resource):
        statement = statement.outerjoin(other, condition)
    return statement.where(*conditions)


def _count(resource: Resource, conditions: Conditions) -> ScalarSelect[int]:
    """How many rows the view has: once for all of them, for it reads a table of its own."""
    keys = select(resource.key).select_from(resource.table).where(*conditions)
    if len(conditions) == 1 and isinstance(conditions[0], is_among):
        keys = conditions[0].found  # each of them is a row; no need to look
    counted = keys.limit(MOST_COUNTED + 1).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()


async def _asked(connection: AsyncConnection, resource: Resource, view: View, now: datetime) -> Conditions:
    """The conditions of a view, with word for SQLite which of them leave many rows.

    It takes an index for the better way wherever there is one, and then sorts half a million rows for the
    first page.
    """
    conditions = _conditions(resource, view, now)
    if connection.dialect.name != "sqlite" or not view.filters:
        return conditions
    count = (await connection.execute(select(_count(resource, conditions)))).scalar_one()
    return [likely(one) for one in conditions] if count > MOST_COUNTED else conditions


def _conditions(resource: Resource, view: View, now: datetime) -> Conditions:
    """What all rows of a view have in common."""
    found = [_chosen(one, view.filters.get(one.name, ""), now) for one in resource.filters]
    conditions = [own_condition(resource.key, one) for one in (resource.only, *found) if one is not None]
    typed = " ".join(view.query.split())
    if typed and resource.search:
        conditions.append(is_among(resource.key, _found(resource, typed)))
    return conditions


def _chosen(one: Filter, name: str, now: datetime) -> ColumnElement[bool] | None:
    return next((choice.condition_at(now) for choice in one.choices if choice.name == name), None)


def _found(resource: Resource, typed: str) -> Any:
    """Keys of what begins like what was typed; looked for once, also where the list and its count ask.

    A branch for each attribute and spelling, from its table on: so each is answered by one part of one index.
    """
    texts = sorted(_spellings(typed)) if is_storable(typed) else [LAST]
    branches = []
    for one in resource.search:
        if isfunction(one):
            branches.append(select(one(texts).limit(MOST_FOUND).subquery().c[0]))
        else:
            branches += [_beginning(resource, column_of(one), text) for text in texts]
    return select(union(*branches).cte("found").c[0])


def _beginning(resource: Resource, column: Any, text: str) -> Select[Any]:
    """Keys of at most `MOST_FOUND` rows whose column, or that of a table their keys lead to, begins so."""
    way = joins_to(resource.table, tables_of(column))
    found = select(_key_of(column.table)).where(begins(column, text)).limit(MOST_FOUND)
    for _other, condition in reversed(way):
        foreign: Any = condition.left
        found = select(_key_of(foreign.table)).where(foreign.in_(found)).limit(MOST_FOUND)
    return select(found.subquery().c[0])


def _key_of(table: CoreTable) -> ColumnElement[Any]:
    key: ColumnElement[Any] = next(iter(table.primary_key))
    return key


def _spellings(typed: str) -> set[str]:
    """As it was typed, and with the capitals that names, codes and places ("г. Омск") have."""
    first, space, others = typed.partition(" ")
    place = first.lower() + space + others.title()
    return {typed, typed.lower(), typed.upper(), typed.title(), typed[:1].upper() + typed[1:], place}


def joins(resource: Resource, *tables: CoreTable) -> Joins:
    """Other tables, each with its condition, in the order they can be joined: those given, else all shown."""
    shown = tables or [table for one in resource.columns for table in tables_of(one.expression)]
    return joins_to(resource.table, shown)
