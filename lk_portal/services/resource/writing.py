"""Writes a resource's rows: with all that belongs to them in one transaction, or not at all. For its state.

A row is written only if it still is as its form was filled from: two people who change the same row at the
same time do not overwrite each other, the second one is shown both versions. Every change is in the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal import errors
from lk_portal.errors import N_, FormError, InputError, NotFoundError
from lk_portal.models import User
from lk_portal.services import audit
from lk_portal.services.database import Database
from lk_portal.services.resource.reading import is_row, joins, one_row
from lk_portal.services.resource.spec import Action, Doing, FormField, Resource, column_of, fits, python_type
from lk_portal.services.resource.typed import text_of, values_of
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

MOST_AT_ONCE = 1000
MAX_DIGITS = 9
"""Of a key that is a number: as many as its column holds."""


class ConflictError(errors.ConflictError):
    """Somebody else changed the row since the form was filled; `now` has its values as they are."""

    message = N_("Somebody changed this at the same time. Look at both versions and decide.")

    def __init__(self, now: Mapping[str, Any]) -> None:
        super().__init__()
        self.now = dict(now)


@dataclass(frozen=True)
class Author:
    """Who writes, by which wall clock, from where and when."""

    user_id: int
    zone: ZoneInfo
    visit: Visit


async def create(database: Database, resource: Resource, form: Mapping[str, object], author: Author) -> int:
    """Write a new row; its key.

    Raises:
        FormError: A field cannot be accepted; nothing was written.
    """
    values = values_of(resource, form, zone=author.zone, is_new=True)
    async with database.writing() as connection:
        values = await _resolved(connection, resource, values)
        await _check(connection, resource, values, None)
        key = await _insert(connection, resource, values, author.visit)
        await _record(connection, resource, "create", key, author=author, facts=_facts(resource, {}, values))
    return key


async def change(
    database: Database,
    resource: Resource,
    key: int,
    form: Mapping[str, object],
    *,
    known: Mapping[str, Any],
    author: Author,
) -> None:
    """Write the form over a row.

    Args:
        database: Where it is kept.
        resource: Whose row.
        key: Of the row.
        form: What was sent.
        known: The values that the form was filled from.
        author: Who, from where and when.

    Raises:
        FormError: A field cannot be accepted; nothing was written.
        ConflictError: The row is not as it was; nothing was written.
        NotFoundError: It is gone.
    """
    values = values_of(resource, form, zone=author.zone, is_new=False)
    async with database.writing() as connection:
        values = await _resolved(connection, resource, values)
        now = await _locked(connection, resource, key)
        if now != dict(known):
            raise ConflictError(now)
        values |= _untouched(resource, form, now, author.zone)
        facts = _facts(resource, now, values)
        if not facts:
            return
        await _check(connection, resource, {**now, **values}, key)
        await _update(connection, resource, key, values)
        await _record(connection, resource, "change", key, author=author, facts=facts)


async def _locked(connection: AsyncConnection, resource: Resource, key: int) -> dict[str, Any]:
    """The row as it is, and nobody else changes it until this transaction is over.

    Raises:
        NotFoundError: It is gone.
    """
    if not fits(resource.key, key):
        raise NotFoundError
    query = one_row(resource, key) if resource.form else select(resource.key).where(is_row(resource, key))
    # PostgreSQL locks the row; SQLite has one writer at a time and knows no such words.
    row = (await connection.execute(query.with_for_update(of=resource.table))).mappings().one_or_none()
    if row is None:
        raise NotFoundError
    return dict(row)


def _untouched(
    resource: Resource, form: Mapping[str, object], now: Mapping[str, Any], zone: ZoneInfo
) -> dict[str, Any]:
    """What stands in the form as it was put there: a field cannot show every time it may hold.

    An hour that exists twice by the clock, for one, must not move when another field is changed.
    """
    return {
        one.name: now[one.name]
        for one in resource.form
        if one.kind == "moment"
        and str(form.get(one.name) or "").strip() == text_of(one, now[one.name], zone=zone)
    }


async def remove(database: Database, resource: Resource, keys: Sequence[int], author: Author) -> None:
    """Take rows away.

    Raises:
        InputError: Something else needs one of them; nothing was taken away.
        NotFoundError: One is gone already; nothing was taken away.
    """
    async with database.writing() as connection:
        for key in _few(keys):
            facts = _facts(resource, await _locked(connection, resource, key), {})
            await _record(connection, resource, "remove", key, author=author, facts=facts)
            try:
                await connection.execute(delete(resource.table).where(resource.key == key))
            except IntegrityError:
                raise InputError(N_("Something else needs this, so it cannot be removed.")) from None


async def act(
    database: Database, resource: Resource, action: Action, keys: Sequence[int], author: Author
) -> None:
    """Do an action to rows, all of them or none.

    Raises:
        PortalError: The action's own reason why it cannot be done.
        NotFoundError: One of the rows is gone.
    """
    async with database.writing() as connection:
        for key in _few(keys):
            await _locked(connection, resource, key)
            await _record(connection, resource, action.name, key, author=author)
        await action.run(Doing(connection, tuple(keys), author.user_id, author.visit))


def _few(keys: Sequence[int]) -> Sequence[int]:
    if len(keys) > MOST_AT_ONCE:
        raise InputError(N_("That is too much at once."))
    return keys


async def shown_references(
    database: Database, resource: Resource, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The values with what a person types instead of each foreign key."""
    found = dict(values)
    async with database.reading() as connection:
        for one in resource.form:
            if one.reference is not None and values.get(one.name) is not None:
                key = column_of(one.reference.key)
                query = select(key).where(_target(one) == values[one.name])
                found[one.name] = (await connection.execute(query)).scalar_one_or_none()
    return found


async def _resolved(
    connection: AsyncConnection, resource: Resource, values: dict[str, Any]
) -> dict[str, Any]:
    """Foreign keys instead of what was typed for them."""
    errors: dict[str, InputError] = {}
    for one in resource.form:
        if one.reference is None or values.get(one.name) is None:
            continue
        key = column_of(one.reference.key)
        typed = _as_key(key, values[one.name])
        query = select(_target(one)).where(key == typed).limit(2)
        found = [] if typed is None else (await connection.execute(query)).scalars().all()
        if len(found) != 1:
            errors[one.name] = InputError(N_("There is no such thing in the registry."), field=one.name)
        else:
            values = {**values, one.name: found[0]}
    if errors:
        raise FormError(errors)
    return values


def _as_key(key: ColumnElement[Any], typed: str) -> str | int | None:
    """What was typed, as the key it stands for; None when it cannot be one."""
    if python_type(key) is not int:
        return typed
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= MAX_DIGITS else None


def _target(one: FormField) -> Any:
    """The column that a foreign key refers to."""
    return next(iter(one.column.foreign_keys)).column


async def _check(
    connection: AsyncConnection, resource: Resource, values: dict[str, Any], key: int | None
) -> None:
    """What the database would refuse without saying which field, and the resource's own check."""
    for column in resource.table.columns:
        if column.unique and column.key in values and values[column.key] is not None:
            query = select(resource.key).where(column == values[column.key])
            other = (await connection.execute(query)).scalar_one_or_none()
            if other not in (None, key):
                error = InputError(N_("There is one with this already."), field=str(column.key))
                raise FormError({str(column.key): error})
    if resource.check is not None:
        try:
            await resource.check(connection, values, key)
        except FormError:
            raise
        except InputError as error:
            raise FormError({error.field: error}) from error


async def _insert(
    connection: AsyncConnection, resource: Resource, values: dict[str, Any], visit: Visit
) -> int:
    if resource.make is not None:
        try:
            return await resource.make(connection, values, visit)
        except InputError as error:
            raise FormError({error.field: error}) from error
    made = resource.model(**values).model_dump()
    row = {name: value for name, value in made.items() if value is not None or name in values}
    try:
        found = await connection.execute(insert(resource.table).values(row).returning(resource.key))
    except IntegrityError:
        raise _not_alone() from None
    return int(found.scalar_one())


async def _update(connection: AsyncConnection, resource: Resource, key: int, values: dict[str, Any]) -> None:
    try:
        await connection.execute(update(resource.table).where(resource.key == key).values(values))
    except IntegrityError:
        raise _not_alone() from None


def _not_alone() -> FormError:
    return FormError({"": InputError(N_("This contradicts something that is there already."))})


def _facts(resource: Resource, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """What differs, as "old → new" by name of the column; `{}` is a row that is not there."""
    return {
        _fact_name(one): f"{_plain(before.get(one.name))} → {_plain(after.get(one.name))}".removeprefix(" → ")
        for one in resource.form
        if (one.name in after or not after) and before.get(one.name) != after.get(one.name)
    }


def _fact_name(one: FormField) -> str:
    """The column's name; another where the audit has a word of its own by that name."""
    return f"{one.name}_" if one.name in _WORDS_OF_AUDIT else one.name


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value.value) if isinstance(value, Enum) else str(value)


async def _record(
    connection: AsyncConnection,
    resource: Resource,
    verb: str,
    key: int,
    *,
    author: Author,
    facts: Mapping[str, str] | None = None,
) -> None:
    await audit.record(
        connection,
        action=f"registry:{resource.name}:{verb}",
        visit=author.visit,
        actor=author.user_id,
        subject=await _subject(connection, resource, key),
        key=key,
        **(facts or {}),
    )


async def _subject(connection: AsyncConnection, resource: Resource, key: int) -> int | None:
    """The login of the subscriber whose row it is; a login is its own."""
    if resource.table is _user:
        return key
    if resource.whose is None:
        return None
    owner: Any = column_of(resource.whose)
    query = select(_user.c.id).select_from(resource.table)
    for other, condition in joins(resource, owner.table):
        query = query.join(other, condition)
    query = query.join(_user, _user.c.subscriber_id == owner).where(resource.key == key).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


_WORDS_OF_AUDIT = {"connection", "action", "visit", "actor", "subject", "key"}
_user = table_of(User)
