"""The address of a view of /readings: every choice is in it, so a view can be bookmarked and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from lk_portal.errors import N_, InputError
from lk_portal.metering.types import Quantity
from lk_portal.services.consumption import Grain, Period

ROUTE = "/readings"


@dataclass(frozen=True, slots=True)
class Choice:
    """What an address asks for; `serial` is "" when it names no meter."""

    serial: str
    period: Period
    quantity: Quantity


def readings_url(*, serial: str, period: Period, quantity: Quantity) -> str:
    """The address of one view."""
    return f"{ROUTE}?{query_of(Choice(serial, period, quantity))}"


def query_of(choice: Choice) -> str:
    """The query part of an address; `choice_of` reads it back."""
    period, energy = choice.period, choice.quantity.name
    # Only the serial can hold what must be quoted; a year's table has an address in every row.
    return f"meter={quote(choice.serial, safe='')}&interval={period.grain}&period={period}&energy={energy}"


def choice_of(query: Mapping[str, str], *, today: date) -> Choice:
    """Read an address; what it leaves out is the current month of active energy.

    Raises:
        InputError: It has words or dates that mean nothing.
    """
    grain = _grain(query.get("interval", Grain.MONTH.value))
    text = query.get("period", "")
    period = Period.parse(grain, text) if text else Period.containing(grain, today)
    return Choice(query.get("meter", "")[:64], period, _quantity(query.get("energy", Quantity.A_PLUS.name)))


def _grain(text: str) -> Grain:
    try:
        return Grain(text)
    except ValueError:
        raise InputError(N_("There is no such interval."), field="interval") from None


def _quantity(text: str) -> Quantity:
    try:
        return Quantity[text]
    except KeyError:
        raise InputError(N_("There is no such type of energy."), field="energy") from None
