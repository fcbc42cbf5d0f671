"""How the tables a resource shows hang together: over foreign keys, from its own table on. Pure.

For the declarations, which are refused when no way or several lead to a table, and for the questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy import Table as CoreTable
from sqlalchemy.sql.visitors import replacement_traverse

from lk_portal.errors import ConfigurationError

FARTHEST = 4
"""Foreign keys one after another."""
Joins = list[tuple[CoreTable, ColumnElement[bool]]]


def tables_of(expression: ColumnElement[Any]) -> list[CoreTable]:
    """The tables whose columns an expression has; not those that only its own subqueries read."""
    return [one for one in expression._from_objects if isinstance(one, CoreTable)]


def joins_to(start: CoreTable, tables: Iterable[CoreTable]) -> Joins:
    """Other tables, each with its condition, in the order in which they can be joined to `start`.

    Raises:
        ConfigurationError: No foreign keys lead to one of them, or several ways do.
    """
    found: dict[CoreTable, ColumnElement[bool]] = {}
    for table in tables:
        for other, condition in _path(start, table):
            found.setdefault(other, condition)
    return list(found.items())


def own_condition(key: TableColumn[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition on rows of the key's table, also where it is written over tables that its keys lead to."""
    condition = replacement_traverse(condition, {}, _beside(key.table))
    others = [table for table in tables_of(condition) if table is not key.table]
    if not others:
        return condition
    inner = select(key).select_from(key.table)
    for other, on in joins_to(key.table, others):
        inner = inner.join(other, on)
    return key.in_(inner.where(condition))


def _beside(table: CoreTable) -> Any:
    """Ties a condition's subqueries to the row itself; else they take other shown tables for their own."""
    return lambda element, **_kw: element.correlate(table) if isinstance(element, Select) else None


def _path(start: CoreTable, goal: CoreTable) -> Joins:
    """The foreign keys from one table to another, each with its condition."""
    if start is goal:
        return []
    ways: list[Joins] = [[]]
    ends = [start]
    for _step in range(FARTHEST):
        longer: list[tuple[Joins, CoreTable]] = [
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
