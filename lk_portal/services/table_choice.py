"""What an address of the table of readings asks for. Pure; the page and its files read it the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

from lk_portal.errors import N_, InputError
from lk_portal.metering.types import Quantity
from lk_portal.services.periods import Grain, Period

TABLE = "table"
"""`tab` of the table of readings; without it the chart is shown."""
MAX_SERIAL = 64
_EPOCH, _FAR_AWAY = datetime(1970, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class TableChoice:
    """A meter, an energy, and until when.

    Attributes:
        serial: "" when the address names no meter.
        quantity: Which energy.
        day: Up to the end of which local day; None: up to now.
        before: Up to which moment instead, aware UTC; a page further back or on.
    """

    serial: str
    quantity: Quantity
    day: date | None = None
    before: datetime | None = None


def table_query_of(choice: TableChoice) -> str:
    """The query part of an address; `table_choice_of` reads it back."""
    query = f"tab={TABLE}&meter={quote(choice.serial, safe='')}&energy={choice.quantity.name}"
    query += f"&date={choice.day}" if choice.day else ""
    return query + (f"&before={(choice.before - _EPOCH) // _MILLISECOND}" if choice.before else "")


def table_choice_of(query: Mapping[str, str]) -> TableChoice:
    """Read an address of the table.

    Raises:
        InputError: It has words or dates that mean nothing.
    """
    text = query.get("date", "")
    day = Period.parse(Grain.DAY, text).start if text else None
    return TableChoice(serial_of(query), quantity_of(query), day, _before(query.get("before", "")))


def serial_of(query: Mapping[str, str]) -> str:
    """The meter an address names, cut to what a serial may have; "" when it names none."""
    return query.get("meter", "")[:MAX_SERIAL]


def quantity_of(query: Mapping[str, str]) -> Quantity:
    """The energy an address names.

    Raises:
        InputError: There is no such energy.
    """
    try:
        return Quantity[query.get("energy", Quantity.A_PLUS.name)]
    except KeyError:
        raise InputError(N_("There is no such type of energy."), field="energy") from None


def _before(text: str) -> datetime | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise InputError(N_("There is no such date."), field="date")
    return min(_EPOCH + int(text) * _MILLISECOND, _FAR_AWAY)
