"""What the registry's lists show of other tables, as SQL: each a subquery of the row it stands beside. Pure.

A list shows 25 rows, and only for those its columns are worked out.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

from sqlalchemy import Column, ColumnElement, String, case, exists, func, literal, select
from sqlalchemy import Table as CoreTable

from lk_portal.models import (
    Account,
    Installation,
    Meter,
    MeteringPoint,
    PointFreshness,
    Premises,
    Subscriber,
    Verification,
)
from lk_portal.services.tables import table_of

_subscriber, _account, _premises = table_of(Subscriber), table_of(Account), table_of(Premises)
_point, _place, _meter = table_of(MeteringPoint), table_of(Installation), table_of(Meter)
_fresh, _check = table_of(PointFreshness), table_of(Verification)
_later = _check.alias("later_verification")


def address_of(premises: CoreTable = _premises) -> ColumnElement[Any]:
    """One line, as `models.address_text.one_line` makes it."""

    def part(column: Column[Any], before: str) -> ColumnElement[Any]:
        return case((column != "", literal(before, String) + column), else_="")

    columns = premises.c
    line: ColumnElement[Any] = (
        columns.settlement
        + part(columns.street, ", ")
        + part(columns.house, ", д.")
        + part(columns.flat, ", кв.")
    )
    return line


def accounts_of_subscriber() -> ColumnElement[Any]:
    """How many accounts a subscriber has."""
    mine = _account.c.subscriber_id == _subscriber.c.id
    return select(func.count(_account.c.id)).where(mine).correlate(_subscriber).scalar_subquery()


def accounts_of_premises() -> ColumnElement[Any]:
    """How many accounts there are for an address."""
    here = _account.c.premises_id == _premises.c.id
    return select(func.count(_account.c.id)).where(here).correlate(_premises).scalar_subquery()


def meters_of_account() -> ColumnElement[Any]:
    """How many meters stand at an account's points."""
    return (
        select(func.count(_place.c.id))
        .join(_point, _point.c.id == _place.c.point_id)
        .where(_point.c.account_id == _account.c.id, _place.c.removed_at.is_(None))
        .correlate(_account)
        .scalar_subquery()
    )


def meter_at_point() -> ColumnElement[Any]:
    """The serial number of the meter that stands at a point."""
    return (
        select(_meter.c.serial)
        .join(_place, _place.c.meter_id == _meter.c.id)
        .where(_place.c.point_id == _point.c.id, _place.c.removed_at.is_(None))
        .correlate(_point)
        .scalar_subquery()
    )


def data_of_point() -> ColumnElement[Any]:
    """Until when a point has data."""
    here = _fresh.c.point_id == _point.c.id
    return select(_fresh.c.data_until).where(here).correlate(_point).scalar_subquery()


def of_standing(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column of where a meter stands now: of its installation, point, account or premises."""
    return (
        select(value)
        .select_from(_place)
        .join(_point, _point.c.id == _place.c.point_id)
        .join(_account, _account.c.id == _point.c.account_id)
        .join(_premises, _premises.c.id == _account.c.premises_id)
        .outerjoin(_fresh, _fresh.c.point_id == _point.c.id)
        .where(_place.c.meter_id == _meter.c.id, _place.c.removed_at.is_(None))
        .correlate(_meter)
        .scalar_subquery()
    )


def is_standing() -> ColumnElement[bool]:
    """Whether a meter stands somewhere."""
    return exists().where(_place.c.meter_id == _meter.c.id, _place.c.removed_at.is_(None))


def due_of_meter() -> ColumnElement[Any]:
    """When a meter's next verification is due."""
    of_it = _check.c.meter_id == _meter.c.id
    return select(func.max(_check.c.due_on)).where(of_it).correlate(_meter).scalar_subquery()


def is_latest() -> ColumnElement[bool]:
    """Whether a verification is the meter's newest: an older one, however overdue, says nothing any more."""
    of_it = _later.c.meter_id == _check.c.meter_id
    return ~exists().where(of_it, _later.c.due_on > _check.c.due_on).correlate(_check)


def is_due_between(since: date | None, until: date | None) -> ColumnElement[bool]:
    """Whether a newest verification ran out (is to run out) in [since, until)."""
    condition = is_latest() & _check.c.due_on.is_not(None)
    if since is not None:
        condition = condition & (_check.c.due_on >= since)
    return condition if until is None else condition & (_check.c.due_on < until)


def meters_due_between(since: date | None, until: date | None) -> ColumnElement[bool]:
    """The same of the meters."""
    return _meter.c.id.in_(select(_check.c.meter_id).where(is_due_between(since, until)))


def search_in(name: str, text: str) -> str:
    """The address of another list with `text` searched in it."""
    return f"/admin/{name}?q={quote(text, safe='')}"
