"""Addresses of the registry as they are typed: what to suggest. For the states of forms that ask for one.

Addresses only, never whose they are. The search goes from streets to houses to flats, and only as deep as 20
rows reach: a million addresses stand in some ten thousand streets, so a word that all of them have costs
little. A suggestion that ends with a comma is no address yet; it is a street or a house to go on from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, exists, func, literal, or_, select, table, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import Premises, Street
from lk_portal.models.address_text import NaturalKey, digits_of, natural_key, one_line
from lk_portal.services.address_typed import (
    Fit,
    Fitting,
    Typed,
    agrees,
    fits,
    is_same_address,
    numbers_of,
    read_typed,
    without_kinds,
)
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

__all__ = ["MAX_ROWS", "is_same_address", "suggest"]

MAX_ROWS = 20
MIN_LETTERS = 2
FEW_STREETS = 1000
"""So many are sorted by how well they fit; of more, the first by name are taken."""
MOST_STREETS = 400
"""In so many streets a typed house number is looked for."""
STREETS_AT_ONCE = (10, 50, MOST_STREETS)
"""The first few mostly have houses enough; so ever more of them are looked through at one go."""

MOST_HOUSES = 200
"""In so many houses a typed flat number is looked for."""

_street, _premises = table_of(Street), table_of(Premises)
_COLUMNS = (_street.c.id, _street.c.settlement, _street.c.street, _street.c.search_text)
_AT = (_premises.c.settlement == _street.c.settlement) & (_premises.c.street == _street.c.street)


@dataclass(frozen=True, slots=True)
class _Found:
    """A street that fits, and how."""

    street_id: int
    settlement: str
    street: str
    fit: Fit

    @property
    def rest(self) -> tuple[str, ...]:
        """The typed numbers that are left for house and flat."""
        return (*self.fit.house, *self.fit.flat)


@dataclass(frozen=True, slots=True)
class _House:
    """A house that fits; `count` is of the addresses in it, `flat` the one there is when it is one."""

    at: _Found
    house: str
    count: int
    flat: str

    @property
    def line(self) -> str:
        if self.count == 1:
            return one_line(self.at.settlement, self.at.street, self.house, self.flat)
        return one_line(self.at.settlement, self.at.street, self.house) + ","


async def suggest(database: Database, *, typed: str) -> tuple[str, ...]:
    """At most 20 addresses, or beginnings of addresses, that fit what was typed, best first.

    Words in any order, case and spelling; the last one may be unfinished. Under two letters give nothing.
    """
    wanted = read_typed(typed)
    if sum(map(len, wanted.words)) < MIN_LETTERS:
        return ()
    async with database.reading() as connection:
        for attempt in dict.fromkeys((wanted, without_kinds(wanted))):
            if attempt.words and (streets := await _streets(connection, attempt)):
                lines = await _lines(connection, attempt, streets)
                return tuple(dict.fromkeys(lines))[:MAX_ROWS]
    return ()


async def _lines(connection: AsyncConnection, typed: Typed, streets: list[_Found]) -> list[str]:
    """Rows of the finest kind of which all fit, else the first of the next."""
    if len(streets) > MAX_ROWS and not any(found.rest for found in streets):
        return await _street_lines(connection, streets)
    houses, is_whole = await _houses(connection, typed, streets)
    is_flat_typed = any(len(house.at.rest) > len(numbers_of(house.house)) for house in houses)
    count = sum(house.count for house in houses)
    if is_flat_typed or (is_whole and (len(houses) == 1 or count <= MAX_ROWS)):
        return await _addresses(connection, typed, houses)
    if is_whole or len(streets) == 1 or all(found.rest for found in streets):
        return [house.line for house in houses]
    by_name = await _street_lines(connection, [found for found in streets if not found.rest])
    return by_name + [house.line for house in houses if house.at.rest]


# ---- streets


async def _streets(connection: AsyncConnection, typed: Typed) -> list[_Found]:
    """The streets that have all the typed words, best first; only those typed in full, if any are."""
    matching = _matching(typed, is_sqlite=connection.dialect.name == "sqlite")
    probe = select(func.count()).select_from(matching.limit(FEW_STREETS + 1).subquery())
    if (await connection.execute(probe)).scalar_one() > FEW_STREETS:
        matching = _first_by_name(typed)
    rows = (await connection.execute(matching)).all()
    fitting = Fitting(typed)
    streets = [_Found(key, settlement, street, fitting.of(words)) for key, settlement, street, words in rows]
    named = [found for found in streets if found.fit.is_named and found.street]
    return sorted(named or streets, key=_by_closeness)[:MOST_STREETS]


def _by_closeness(found: _Found) -> tuple[int, NaturalKey, NaturalKey]:
    return (-found.fit.closeness, natural_key(found.settlement), natural_key(found.street))


def _matching(typed: Typed, *, is_sqlite: bool) -> Select[*tuple[Any, ...]]:
    """By the index over words, each database's own. Words are letters and digits, so quotes hold them."""
    if is_sqlite:
        search = table("street_search", column("rowid"), column("street_search"))
        query = " AND ".join(_either(word, '"{}"*', " OR ") for word in typed.alternatives)
        joined = select(*_COLUMNS).join_from(search, _street, _street.c.id == search.c.rowid)
        return joined.where(search.c.street_search.op("MATCH")(query))
    query = " & ".join(_either(word, "'{}':*", " | ") for word in typed.alternatives)
    words = func.to_tsvector(text("'simple'"), _street.c.search_text)
    return select(*_COLUMNS).where(words.op("@@")(text("CAST(:query AS tsquery)").bindparams(query=query)))


def _either(spellings: tuple[str, ...], form: str, joint: str) -> str:
    return "(" + joint.join(form.format(spelling) for spelling in spellings) + ")"


def _first_by_name(typed: Typed) -> Select[*tuple[Any, ...]]:
    """The first by name of very many: going along the names meets enough of them soon."""
    padded = literal(" ") + _street.c.search_text
    has_words = [or_(*(padded.like(f"% {one}%") for one in word)) for word in typed.alternatives]
    by_name = select(*_COLUMNS).order_by(_street.c.settlement, _street.c.street)
    return by_name.where(*has_words).limit(MOST_STREETS)


async def _street_lines(connection: AsyncConnection, streets: list[_Found]) -> list[str]:
    """Beginnings of addresses; a street that has lost its last premises is left out.

    So is a settlement itself: "п. Светлый," would only lead here again. Its houses come with a number.
    """
    shown = [found for found in streets if found.street][: 2 * MAX_ROWS]
    is_inhabited = select(_street.c.id).where(
        _street.c.id.in_([found.street_id for found in shown]), exists().where(_AT)
    )
    inhabited = set((await connection.execute(is_inhabited)).scalars())
    return [one_line(at.settlement, at.street) + "," for at in shown if at.street_id in inhabited]


# ---- houses and flats


async def _houses(
    connection: AsyncConnection, typed: Typed, streets: list[_Found]
) -> tuple[list[_House], bool]:
    """Houses that fit, best street first, until there are more than can be shown; whether these are all.

    Where a flat may have been typed too, it is not known yet which of them will be shown: then all.
    """
    wanting = [found for found in streets if found.rest or len(streets) <= MAX_ROWS]
    is_flat_possible = any(len(found.rest) > 1 for found in wanting)
    houses: list[_House] = []
    start = 0
    for count in STREETS_AT_ONCE:
        if start >= len(wanting) or (len(houses) > MAX_ROWS and not is_flat_possible):
            break
        houses += await _houses_in(connection, typed, wanting[start : start + count])
        start += count
    if typed.is_house_closed:
        houses = [house for house in houses if numbers_of(house.house) == house.at.fit.house] or houses
    is_whole = len(wanting) == len(streets) and start >= len(wanting) and len(houses) <= MAX_ROWS
    return houses, is_whole


async def _houses_in(connection: AsyncConnection, typed: Typed, streets: list[_Found]) -> list[_House]:
    by_id = {found.street_id: (place, found) for place, found in enumerate(streets)}
    columns = (_premises.c.house, func.count().label("count"), func.min(_premises.c.flat).label("flat"))
    has_digits = or_(*_has_digits(streets))
    query = _in_streets(connection, list(by_id), columns, has_digits, grouped_by=[_premises.c.house])
    houses = []
    for street_id, house, count, flat in (await connection.execute(query)).all():
        place, found = by_id[street_id]
        if agrees(found.rest, numbers_of(house), is_open=typed.is_open):
            houses.append((place, natural_key(house), _House(found, house, count, flat)))
    houses.sort(key=lambda one: one[:2])
    return [house for _, _, house in houses]


def _has_digits(streets: list[_Found]) -> list[ColumnElement[bool]]:
    """Spares most houses the way here; those that come are compared with care."""
    firsts = {found.rest[0] if found.rest else "" for found in streets}
    if "" in firsts:
        return [true()]
    return [_premises.c.house.contains(digits_of(first)) for first in sorted(firsts)]


async def _addresses(connection: AsyncConnection, typed: Typed, houses: list[_House]) -> list[str]:
    """Whole addresses of the houses that fit the typed numbers too."""
    some = houses[:MOST_HOUSES]
    by_place = {(house.at.street_id, house.house): (place, house.at) for place, house in enumerate(some)}
    ids = list({street_id for street_id, _ in by_place})
    is_house = _premises.c.house.in_({house for _, house in by_place})
    query = _in_streets(connection, ids, (_premises.c.house, _premises.c.flat), is_house)
    lines = []
    for street_id, house, flat in (await connection.execute(query)).all():
        place, at = by_place.get((street_id, house), (-1, None))
        if at is not None and fits(at.rest, (*numbers_of(house), *numbers_of(flat)), is_open=typed.is_open):
            lines.append((place, natural_key(flat), one_line(at.settlement, at.street, house, flat)))
    return [line for _, _, line in sorted(lines)]


def _in_streets(
    connection: AsyncConnection,
    ids: Sequence[int],
    columns: Sequence[ColumnElement[Any]],
    condition: ColumnElement[bool],
    grouped_by: Sequence[ColumnElement[Any]] = (),
) -> Select[*tuple[Any, ...]]:
    """Columns of the premises in these streets, with the street's id before them.

    Street by street by the index. PostgreSQL may do that by itself or read all premises instead, by what it
    guesses; OFFSET 0 keeps it from asking. SQLite has no LATERAL and needs none.
    """
    if connection.dialect.name == "sqlite":
        joined = select(_street.c.id, *columns).join_from(_street, _premises, _AT)
        grouping = (_street.c.id, *grouped_by) if grouped_by else ()
        return joined.where(_street.c.id.in_(ids), condition).group_by(*grouping)
    inner = select(*columns).where(_AT, condition).group_by(*grouped_by).offset(0)
    in_street = inner.correlate(_street).lateral("in_street")
    return (
        select(_street.c.id, *in_street.c).join_from(_street, in_street, true()).where(_street.c.id.in_(ids))
    )
