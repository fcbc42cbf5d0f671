"""The condition "begins with", in the way that each database answers from an index. For searches by services.

SQLite's LIKE takes upper and lower case for the same and so cannot use an ordinary index; a range can.
PostgreSQL sorts by the rules of a language, where no range holds all that begins alike; LIKE does, by an
index with `text_pattern_ops`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

LAST = "\U0010ffff"


class begins(FunctionElement[bool]):  # noqa: N801 - named and used like an SQL function
    """`begins(column, text)`: whether the column's value begins with `text`; case matters."""

    name = "begins"
    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], text: str) -> None:
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        super().__init__(column, literal(text), literal(text + LAST), literal(f"{escaped}%"))


@compiles(begins)
def _range(element: Any, compiler: Any, **options: Any) -> str:
    column, first, last, _pattern = (compiler.process(one, **options) for one in element.clauses)
    return f"({column} >= {first} AND {column} < {last})"


@compiles(begins, "postgresql")
def _like(element: Any, compiler: Any, **options: Any) -> str:
    column, _first, _last, pattern = element.clauses
    return f"({compiler.process(column, **options)} LIKE {compiler.process(pattern, **options)} ESCAPE '\\')"
