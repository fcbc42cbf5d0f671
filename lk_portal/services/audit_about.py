"""Entries of the audit about what a subscriber has: accounts, points, and the meters that stand there.

For the list of the audit. An entry names a row of the registry or a meter among its facts, not whose it is,
so that is looked up when somebody asks: an entry never changes, and what it is about may change hands.
What was done to a meter is found under everybody at whose points it stands or has stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, select, union
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from lk_portal.models import (
    Account,
    AuditEntry,
    Installation,
    Meter,
    MeteringPoint,
    Seal,
    Subscriber,
    User,
    Verification,
)
from lk_portal.services.resource.beginning import begins, is_among
from lk_portal.services.tables import table_of

MOST = 1000
"""Entries of each kind."""
HOLDERS = 100
"""People, and accounts; a beginning that more have is no question about one of them."""
_entry, _user, _person = table_of(AuditEntry), table_of(User), table_of(Subscriber)
_account, _point, _placed = table_of(Account), table_of(MeteringPoint), table_of(Installation)
_meter, _seal, _check = table_of(Meter), table_of(Seal), table_of(Verification)


class _noted(FunctionElement[str]):  # noqa: N801 - named and used like an SQL function
    """The first of some facts that an entry notes, as text. By an index (migration 0018)."""

    type = String()
    inherit_cache = True


class _about(_noted):  # noqa: N801
    """The row of the registry, or the serial number of a meter."""

    inherit_cache = True


class _of_meter(_noted):  # noqa: N801
    """The meter that a row was of which is made or removed: `5`, or `5 → `."""

    inherit_cache = True


@compiles(_about)
def _about_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    facts = ", ".join(f"json_extract({column}, '$.{name}')" for name in ("key", "meter", "new"))
    return f"CAST(coalesce({facts}) AS TEXT)"


@compiles(_about, "postgresql")
def _about_postgres(element: Any, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"coalesce({column} ->> 'key', {column} ->> 'meter', {column} ->> 'new')"


@compiles(_of_meter)
def _of_meter_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(json_extract({compiler.process(element.clauses, **options)}, '$.meter_id') AS TEXT)"


@compiles(_of_meter, "postgresql")
def _of_meter_postgres(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} ->> 'meter_id')"


def by_holder(spellings: Sequence[str]) -> Select[Any]:
    """Entries about what people or accounts have whose name, login or number begins so; the newest."""
    named = (_few(key, begins(name, one), key.is_not(None)) for key, name in _NAMES for one in spellings)
    numbered = (_few(_account.c.id, begins(_account.c.number, one)) for one in spellings)
    people = _any_of("people", *named)
    accounts = _any_of("accounts", *numbered, _few(_account.c.id, _account.c.subscriber_id.in_(people)))
    points = _few(_point.c.id, _point.c.account_id.in_(accounts)).cte("points")
    of_points = _placed.c.point_id.in_(select(points))
    meters = _few(_placed.c.meter_id, of_points).cte("meters")
    number = cast(meters.c.meter_id, String)
    serials = select(_meter.c.serial).where(_meter.c.id.in_(select(meters)))
    found = [
        *(
            _entries(_about, f"registry:{name}:", _texts(keys))
            for name, keys in (
                ("subscribers", people),
                ("accounts", accounts),
                ("points", select(points)),
                ("installations", _few(_placed.c.id, of_points)),
                ("meters", select(meters)),
                ("connections", select(meters)),
                ("seals", _few(_seal.c.id, _seal.c.meter_id.in_(select(meters)))),
                ("verifications", _few(_check.c.id, _check.c.meter_id.in_(select(meters)))),
            )
        ),
        *(_entries(_about, kind, serials) for kind in _BY_SERIAL),
        *(
            _entries(_of_meter, kind, union(select(number), select(number + " → ")))
            for kind in ("registry:seals:", "registry:verifications:")
        ),
    ]
    return select(union(*found).subquery().c[0])


_NAMES = (
    (_person.c.id, _person.c.full_name),
    (_user.c.subscriber_id, _user.c.email),
    (_user.c.subscriber_id, _user.c.phone),
)
_BY_SERIAL = ("registry:meters:replace", "desk:connection:", "job:connection:", "web:meter:")


def _few(column: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(column).where(*conditions).limit(MOST)


def _any_of(name: str, *parts: Select[Any]) -> Select[Any]:
    return select(union(*(select(part.limit(HOLDERS).subquery().c[0]) for part in parts)).cte(name))


def _texts(keys: Select[Any]) -> Select[Any]:
    return select(cast(keys.subquery().c[0], String))


def _entries(noted: type[_noted], kind: str, keys: Any) -> Select[Any]:
    """The newest entries of a kind that note one of these."""
    about = is_among(noted(_entry.c.detail), keys)
    newest = _few(_entry.c.id, about, begins(_entry.c.action, kind)).order_by(_entry.c.id.desc())
    return select(newest.subquery().c[0])
