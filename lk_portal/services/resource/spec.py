"""What a resource is: a list of one table's rows, declared once. Pure; for all that makes a page of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, SmallInteger, Text, inspect
from sqlalchemy import Column as TableColumn
from sqlalchemy import Table as CoreTable
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import ConfigurationError
from lk_portal.models import Table
from lk_portal.services.access import Role
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

STAFF = frozenset({Role.OPERATOR, Role.ADMIN})
ADMIN = frozenset({Role.ADMIN})
REMOVE = "remove"
"""The action that `can_remove` gives."""
Texts = Mapping[Any, str]
"""Values with their words, as message ids."""


@dataclass(frozen=True)
class Column:
    """A column of the list.

    Attributes:
        value: An attribute of the model, of one that its foreign keys lead to, or any SQL expression.
        label: Its heading, a message id.
        is_sortable: The list can be sorted by it; it must be the table's own, never NULL, and have an index.
        texts: Words for the values of an enumeration, as message ids.
        show: Makes the text of a value, where the usual one does not do.
        link: Makes the address that the text leads to, from the value; "" for none.
        is_way: It is only a way to another page, so files do without it.
    """

    value: Any
    label: str
    is_sortable: bool = False
    texts: Texts = field(default_factory=dict)
    show: Callable[[Any], str] | None = None
    link: Callable[[Any], str] | None = None
    is_way: bool = False

    @property
    def expression(self) -> ColumnElement[Any]:
        """What is selected."""
        return column_of(self.value)

    @property
    def is_number(self) -> bool:
        """Whether its values stand at the right."""
        return not self.texts and self.show is None and python_type(self.expression) in (int, float, Decimal)


@dataclass(frozen=True)
class Choice:
    """One choice of a filter: its name in the address, its words, and what it lets through."""

    name: str
    label: str
    condition: ColumnElement[bool] | Callable[[datetime], ColumnElement[bool]]

    def condition_at(self, now: datetime) -> ColumnElement[bool]:
        """The condition; `now` is aware UTC."""
        return self.condition(now) if callable(self.condition) else self.condition


@dataclass(frozen=True)
class Filter:
    """A select above the list."""

    name: str
    label: str
    choices: Sequence[Choice]


@dataclass(frozen=True)
class Reference:
    """How a foreign key is typed and shown: by another table's own key, such as the number of an account.

    Attributes:
        key: The attribute of the other table that a person types; unique there.
    """

    key: Any


@dataclass(frozen=True)
class FormField:
    """A field of the form.

    Attributes:
        value: An attribute of the model.
        label: Its label, a message id; ends in "*" when it must be filled.
        hint: What to type, a message id.
        texts: Words for the values of an enumeration.
        reference: For a foreign key: what is typed instead of it.
        is_fixed: It is set when the row is made and not changed afterwards.
        is_clock: The number is a minute of the day and is typed as a clock shows it: 7:00; its end is 24:00.
    """

    value: Any
    label: str
    hint: str = ""
    texts: Texts = field(default_factory=dict)
    reference: Reference | None = None
    is_fixed: bool = False
    is_clock: bool = False

    @property
    def name(self) -> str:
        """Of the column; the form sends it under this name."""
        return str(column_of(self.value).key)

    @property
    def column(self) -> TableColumn[Any]:
        """The table's column."""
        found: TableColumn[Any] = column_of(self.value)  # type: ignore[assignment]
        return found

    @property
    def kind(self) -> str:
        """What the form draws: text, area, number, clock, date, moment, flag, choice or reference."""
        if self.reference is not None:
            return "reference"
        if self.is_clock:
            return "clock"
        if isinstance(self.column.type, Text):
            return "area"
        python = python_type(self.column)
        if isinstance(python, type) and issubclass(python, Enum):
            return "choice"
        kinds: dict[Any, str] = {
            bool: "flag",
            datetime: "moment",
            date: "date",
            int: "number",
            float: "number",
            Decimal: "number",
        }
        return kinds.get(python, "text")


@dataclass(frozen=True)
class Doing:
    """What an action is given: the transaction it runs in, the rows, who does it, from where and when."""

    connection: AsyncConnection
    ids: tuple[int, ...]
    actor: int
    visit: Visit


@dataclass(frozen=True)
class Action:
    """Something that is done to one row or to many; runs in one transaction, all rows or none.

    Attributes:
        name: In the audit and in forms, a-z.
        label: On the button, a message id.
        run: Does it; raises a `PortalError` when it cannot be done, and nothing was.
        confirm: The question asked before, a message id with {count}; "" asks nothing.
        is_bulk: Whether it is offered for several rows at once.
    """

    name: str
    label: str
    run: Callable[[Doing], Awaitable[None]]
    confirm: str = ""
    is_bulk: bool = True


Make = Callable[[AsyncConnection, dict[str, Any], Visit], Awaitable[int]]
"""Writes a new row and what goes with it, and gives its key: connection, values, from where and when."""
Check = Callable[[AsyncConnection, dict[str, Any], int | None], Awaitable[None]]
"""Looks at a row before it is written: connection, values, key (None: a new row). Raises InputError."""


@dataclass(frozen=True)
class Resource:
    """A declared list; see `resource()` for what its parts mean."""

    model: type[Table]
    route: str
    title: str
    columns: tuple[Column, ...]
    icon: str = "list"
    order: int = 100
    group: MenuGroup = MenuGroup.MORE
    readers: frozenset[Role] = STAFF
    writers: frozenset[Role] = ADMIN
    search: tuple[Any, ...] = ()
    search_hint: str = ""
    filters: tuple[Filter, ...] = ()
    form: tuple[FormField, ...] = ()
    actions: tuple[Action, ...] = ()
    can_create: bool = True
    can_remove: bool = False
    newest_first: bool = False
    row_link: Callable[[int], str] | None = None
    whose: Any = None
    check: Check | None = None
    make: Make | None = None
    only: ColumnElement[bool] | None = None

    @property
    def name(self) -> str:
        """Its short name, from its route: /admin/tariffs is tariffs."""
        return self.route.rsplit("/", 1)[-1]

    @property
    def table(self) -> CoreTable:
        """The table behind the model."""
        return table_of(self.model)

    @property
    def key(self) -> TableColumn[Any]:
        """The primary key."""
        found: TableColumn[Any] = next(iter(self.table.primary_key))
        return found

    @property
    def has_form(self) -> bool:
        """Whether rows can be written here."""
        return bool(self.form)

    def action(self, name: str) -> Action | None:
        """The action of this name."""
        return next((one for one in self.actions if one.name == name), None)


def column_of(value: Any) -> ColumnElement[Any]:
    """The column behind a model's attribute; an SQL expression as it is.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(value, ColumnElement):
        return value
    mapper = inspect(getattr(value, "class_", None), raiseerr=False)
    if mapper is None or not hasattr(value, "key"):
        raise ConfigurationError(detail=f"{value!r} is no attribute of a model and no expression")
    found: ColumnElement[Any] = table_of(value.class_).c[value.key]
    return found


def python_type(column: ColumnElement[Any]) -> Any:
    """The Python type of a column's values, with the enumerations of our own column types."""
    kind: Any = column.type
    enum = getattr(kind, "enum", None)
    if enum is not None:
        return enum
    if isinstance(kind, Boolean):
        return bool
    kind = getattr(kind, "impl_instance", None) or getattr(kind, "impl", None) or kind
    try:
        return kind.python_type
    except NotImplementedError:
        return None


def fits(column: ColumnElement[Any], number: int) -> bool:
    """Whether every database can be asked for this number where the column's stand."""
    kind: Any = getattr(column.type, "impl_instance", column.type)
    bits = 63 if isinstance(kind, BigInteger) else 15 if isinstance(kind, SmallInteger) else 31
    return bool(-(2**bits) <= number < 2**bits)
