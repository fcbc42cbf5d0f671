"""Conditions as each database answers them from an index: "begins with", and "most rows do". For services.

SQLite's LIKE takes upper and lower case for the same and so cannot use an ordinary index; a range can.
PostgreSQL sorts by the rules of a language, where no range holds all that begins alike; LIKE does, by an
index with `text_pattern_ops`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Select, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

LAST = "\U0010ffff"


class _Condition(FunctionElement[bool]):
    """A condition that is no function: SQLite would be asked whether it equals 1, and use no index."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002
        """It brings its own brackets."""
        return self


class begins(_Condition):  # noqa: N801 - named and used like an SQL function
    """`begins(column, text)`: whether the column's value begins with `text`; case matters."""

    name = "begins"
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], text: str) -> None:
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        super().__init__(column, literal(text), literal(text + LAST), literal(f"{escaped}%"))


class likely(_Condition):  # noqa: N801 - as above
    """`likely(condition)`: the condition, of which SQLite is told that many rows keep it."""

    name = "likely"
    inherit_cache = True


class is_among(_Condition):  # noqa: N801 - as above
    """`is_among(key, select)`: whether a key is one of a few thousand that are found first.

    PostgreSQL would rather walk all rows in the list's order and look each up among the found ones, for it
    expects to have a page of them soon. An array it fetches by the key's index.
    """

    name = "is_among"
    inherit_cache = True

    def __init__(self, key: ColumnElement[Any], found: Select[Any]) -> None:
        super().__init__(key, found.scalar_subquery())
        self.found = found


@compiles(is_among)
def _in(element: Any, compiler: Any, **options: Any) -> str:
    key, found = (compiler.process(one, **options) for one in element.clauses)
    return f"({key} IN {found})"


@compiles(is_among, "postgresql")
def _any(element: Any, compiler: Any, **options: Any) -> str:
    key, found = (compiler.process(one, **options) for one in element.clauses)
    return f"({key} = ANY (ARRAY {found}))"


@compiles(likely)
def _as_it_is(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)})"


@compiles(likely, "sqlite")
def _with_likelihood(element: Any, compiler: Any, **options: Any) -> str:
    return f"likelihood({compiler.process(element.clauses, **options)}, 0.9)"


@compiles(begins)
def _range(element: Any, compiler: Any, **options: Any) -> str:
    column, first, last, _pattern = (compiler.process(one, **options) for one in element.clauses)
    return f"({column} >= {first} AND {column} < {last})"


@compiles(begins, "postgresql")
def _like(element: Any, compiler: Any, **options: Any) -> str:
    column, _first, _last, pattern = element.clauses
    return f"({compiler.process(column, **options)} LIKE {compiler.process(pattern, **options)} ESCAPE '\\')"
