"""Declares resources and knows them all. For declarations, and for what makes pages and routes of them.

A declaration is checked when it is made, and refused with its name and the reason: a column that no index can
sort, a field the table does not have, a label that is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import isfunction
from typing import Any

from sqlalchemy import ColumnElement

from lk_portal.errors import ConfigurationError
from lk_portal.models import Table
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.services.resource.joining import joins_to, tables_of
from lk_portal.services.resource.spec import (
    REMOVE,
    Column,
    FormField,
    Reference,
    Resource,
    column_of,
    python_type,
)

LONGEST_SORTED = 300
"""Characters of a text that a list is sorted by: it stands in the addresses of pages."""
_resources: dict[str, Resource] = {}


def resource(
    model: type[Table], *, route: str, title: str, columns: Sequence[Column], **parts: Any
) -> Resource:
    """Declare a list of a table's rows under /admin; the page, its form, its export and its audit follow.

    Args:
        model: Whose rows; its primary key is one integer.
        route: Address, /admin/ and a word.
        title: Heading and menu text, a message id.
        columns: Of the list, from left to right.
        parts: Any of `Resource`'s: icon, order, group (of the staff's menu), readers and writers
            (roles), search (attributes whose beginnings are found, or functions that make, of the spellings
            of what was typed, the query for keys), filters, form, actions, can_create, can_remove,
            newest_first, row_link (address of a row's own page by its key), whose (leads to the subscriber,
            for the audit), check (of a row before it is written), make (of a new row, where it takes more
            than an insert), only (a condition of all rows).

    Raises:
        ConfigurationError: The declaration is wrong; says what and why.
    """
    try:
        made = Resource(
            model, route, title, tuple(columns), **{n: _frozen(part) for n, part in parts.items()}
        )
    except TypeError as error:
        raise ConfigurationError(detail=f"resource {route}: {error}") from None
    try:
        problems = _problems(made)
    except ConfigurationError as error:
        problems = [str(error.data["detail"])]
    for problem in problems:
        raise ConfigurationError(detail=f"resource {route}: {problem}")
    _resources[made.name] = made
    return made


def all_resources() -> list[Resource]:
    """Every declared resource, in the order of the menu."""
    return sorted(_resources.values(), key=lambda one: (one.order, one.route))


def resource_named(name: str) -> Resource | None:
    """The resource of this short name."""
    return _resources.get(name)


def _frozen(part: Any) -> Any:
    if isinstance(part, list):
        return tuple(part)
    return frozenset(part) if isinstance(part, set) else part


def _problems(made: Resource) -> list[str]:
    """What is wrong with a declaration, as sentences for its developer."""
    found = [*_problems_of_the_page(made), *_problems_of_columns(made), *_problems_of_ways(made)]
    found += [*_problems_of_the_form(made), *_problems_of_actions(made)]
    named = [[one.name for one in made.filters], [one.name for one in made.form]]
    named += [[choice.name for choice in one.choices] for one in made.filters]
    named += [[one.name for one in made.actions]]
    for names in named:
        found += [f"{name!r} is declared twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    return found


def _problems_of_the_page(made: Resource) -> list[str]:
    found = []
    if not made.route.startswith("/admin/") or not made.name.isidentifier():
        found.append("its route must be /admin/ and one word")
    if made.name in _resources:
        found.append("its route is taken")
    if not made.title or not made.columns:
        found.append("it needs a title and columns")
    if len(made.table.primary_key) != 1 or python_type(made.key) is not int:
        found.append(f"{made.table.name} has no single integer key")
    if made.group not in tuple(MenuGroup):
        found.append(f"{made.group!r} is no group of the menu")
    if not made.writers <= made.readers:
        found.append("who may write must be able to read")
    return found


def _problems_of_columns(made: Resource) -> list[str]:
    found = []
    for column in made.columns:
        expression = column.expression
        if not column.label:
            found.append(f"column {expression} has no label")
        if column.is_sortable and not _can_sort(made, expression):
            found.append(
                f"column {expression} cannot be sorted: not the table's own, NULL, without an index, or long"
            )
    return found


def _problems_of_ways(made: Resource) -> list[str]:
    """Whether all tables that are shown, searched or asked about can be reached.

    Raises:
        ConfigurationError: One cannot.
    """
    read = [one.expression for one in made.columns]
    read += [column_of(one) for one in made.search if not isfunction(one)]
    read += [column_of(made.whose)] if made.whose is not None else []
    read += [made.only] if made.only is not None else []
    read += [c.condition for f in made.filters for c in f.choices if isinstance(c.condition, ColumnElement)]
    for expression in read:
        joins_to(made.table, tables_of(expression))
    texts = [column_of(one) for one in made.search if not isfunction(one)]
    return [f"{one} is no text and cannot be searched" for one in texts if python_type(one) is not str]


def _problems_of_actions(made: Resource) -> list[str]:
    found = [f"{one.name!r} is no name of an action" for one in made.actions if not one.name.isidentifier()]
    found += [f"action {one.name!r} has no label" for one in made.actions if not one.label]
    if made.can_remove and made.action(REMOVE) is not None:
        found.append(f"action {REMOVE!r} is there already, by can_remove")
    return found


def _can_sort(made: Resource, column: Any) -> bool:
    if getattr(column, "table", None) is not made.table or column.nullable:
        return False
    if python_type(column) is str and not 0 < (getattr(column.type, "length", None) or 0) <= LONGEST_SORTED:
        return False
    firsts = [next(iter(index.columns)) for index in made.table.indexes]
    return column.primary_key or bool(column.unique) or any(first is column for first in firsts)


def _problems_of_the_form(made: Resource) -> list[str]:
    found = []
    for one in made.form:
        column = column_of(one.value)
        if getattr(column, "table", None) is not made.table:
            found.append(f"field {column} is of another table")
        elif not one.label:
            found.append(f"field {column} has no label")
        elif one.kind == "choice" and not one.texts:
            found.append(f"field {column} needs texts for its choices")
        elif one.is_clock and python_type(one.column) is not int:
            found.append(f"field {column} holds no minutes of a day")
        elif one.kind == "reference" and not one.column.foreign_keys:
            found.append(f"field {column} is no foreign key")
        elif one.reference is not None and not _leads_to(one, one.reference):
            found.append(f"field {column} does not lead to {column_of(one.reference.key)}")
    needed = {
        column.key
        for column in made.table.columns
        if not (column.nullable or column.primary_key or column.default or column.server_default)
    }
    missing = needed - {one.name for one in made.form} - _defaulted(made)
    if made.form and made.can_create and made.make is None and missing:
        found.append(f"a new row needs {', '.join(sorted(missing))}")
    return found


def _leads_to(one: FormField, reference: Reference) -> bool:
    target = getattr(column_of(reference.key), "table", None)
    return any(key.column.table is target for key in one.column.foreign_keys)


def _defaulted(made: Resource) -> set[str]:
    """Columns that the model itself fills."""
    return {name for name, info in made.model.model_fields.items() if not info.is_required()}
