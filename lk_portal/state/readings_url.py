"""The addresses of /readings: every choice is in them, so a view can be bookmarked and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

from lk_portal.errors import N_, InputError
from lk_portal.metering.types import Quantity
from lk_portal.services.comparison import Against
from lk_portal.services.consumption import Basis, Grain, Period

ROUTE = "/readings"
TABLE = "table"
"""`tab` of the table of readings; without it the chart is shown."""
MAX_SERIAL = 64
_EPOCH, _FAR_AWAY = datetime(1970, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """What an address of the chart asks for.

    Attributes:
        serial: "" when it names no meter.
        period: Calendar or billing.
        quantity: Which energy.
        against: With what the period is compared.
    """

    serial: str
    period: Period
    quantity: Quantity
    against: Against | None = None


@dataclass(frozen=True, slots=True)
class TableChoice:
    """What an address of the table of readings asks for.

    Attributes:
        serial: "" when it names no meter.
        quantity: Which energy.
        day: Up to the end of which local day; None: up to now.
        before: Up to which moment instead, aware UTC; a page further back or on.
    """

    serial: str
    quantity: Quantity
    day: date | None = None
    before: datetime | None = None


def readings_url(*, serial: str, period: Period, quantity: Quantity, against: Against | None = None) -> str:
    """The address of one view of the chart."""
    return f"{ROUTE}?{query_of(Choice(serial, period, quantity, against))}"


def query_of(choice: Choice) -> str:
    """The query part of an address; `choice_of` reads it back."""
    period, energy = choice.period, choice.quantity.name
    # Only the serial can hold what must be quoted; a year's table has an address in every row.
    query = f"meter={quote(choice.serial, safe='')}&interval={period.grain}&period={period}&energy={energy}"
    query += f"&basis={period.basis}" if period.basis is not Basis.CALENDAR else ""
    return query + (f"&compare={choice.against}" if choice.against else "")


def choice_of(query: Mapping[str, str], *, today: date, reading_day: int) -> Choice:
    """Read an address; what it leaves out is the current calendar month of active energy.

    Args:
        query: Of the address.
        today: At the premises.
        reading_day: On which the utility's billing months begin.

    Raises:
        InputError: It has words or dates that mean nothing.
    """
    grain, basis = _grain(query.get("interval", Grain.MONTH.value)), _basis(query.get("basis", ""))
    current = Period.containing(grain, today, basis=basis, reading_day=reading_day)
    text = query.get("period", "")
    period = Period.parse(grain, text, basis=basis, reading_day=reading_day) if text else current
    return Choice(serial_of(query), period, quantity_of(query), _against(query.get("compare", "")))


def table_url(choice: TableChoice) -> str:
    """The address of one page of the table of readings."""
    address = f"{ROUTE}?tab={TABLE}&meter={quote(choice.serial, safe='')}&energy={choice.quantity.name}"
    address += f"&date={choice.day}" if choice.day else ""
    return address + (f"&before={(choice.before - _EPOCH) // _MILLISECOND}" if choice.before else "")


def table_choice_of(query: Mapping[str, str]) -> TableChoice:
    """Read an address of the table.

    Raises:
        InputError: It has words or dates that mean nothing.
    """
    text = query.get("date", "")
    day = Period.parse(Grain.DAY, text).start if text else None
    return TableChoice(serial_of(query), quantity_of(query), day, _before(query.get("before", "")))


def fields_of(form: object) -> dict[str, str]:
    """The fields of a sent form as texts of a bearable length, whatever it was that was sent."""
    if not isinstance(form, dict):
        return {}
    return {str(key): str(value)[:MAX_SERIAL] for key, value in form.items()}


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


def _grain(text: str) -> Grain:
    try:
        return Grain(text)
    except ValueError:
        raise InputError(N_("There is no such interval."), field="interval") from None


def _basis(text: str) -> Basis:
    try:
        return Basis(text or Basis.CALENDAR)
    except ValueError:
        raise InputError(N_("There is no such type of period."), field="basis") from None


def _against(text: str) -> Against | None:
    try:
        return Against(text) if text else None
    except ValueError:
        raise InputError(N_("There is nothing like that to compare with."), field="compare") from None
