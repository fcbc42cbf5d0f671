"""The addresses of /readings: every choice is in them, so a view can be bookmarked and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from lk_portal.errors import N_, InputError
from lk_portal.metering.types import Quantity
from lk_portal.services.comparison import Against
from lk_portal.services.consumption import Basis, Grain, Period
from lk_portal.services.periods import ReadingDays
from lk_portal.services.table_choice import (
    MAX_SERIAL,
    TableChoice,
    quantity_of,
    serial_of,
    table_query_of,
)

ROUTE = "/readings"


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


def choice_of(query: Mapping[str, str], *, today: date, reading_days: ReadingDays) -> Choice:
    """Read an address; what it leaves out is the current calendar month of active energy.

    Args:
        query: Of the address.
        today: At the premises.
        reading_days: On which the utility's billing months begin.

    Raises:
        InputError: It has words or dates that mean nothing.
    """
    grain, basis = _grain(query.get("interval", Grain.MONTH.value)), _basis(query.get("basis", ""))
    current = Period.containing(grain, today, basis=basis, reading_days=reading_days)
    text = query.get("period", "")
    period = Period.parse(grain, text, basis=basis, reading_days=reading_days) if text else current
    return Choice(serial_of(query), period, quantity_of(query), _against(query.get("compare", "")))


def table_url(choice: TableChoice) -> str:
    """The address of one page of the table of readings."""
    return f"{ROUTE}?{table_query_of(choice)}"


def fields_of(form: object) -> dict[str, str]:
    """The fields of a sent form as texts of a bearable length, whatever it was that was sent."""
    if not isinstance(form, dict):
        return {}
    return {str(key): str(value)[:MAX_SERIAL] for key, value in form.items()}


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
