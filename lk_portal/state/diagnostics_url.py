"""The address of a view of /diagnostics: every choice is in it, so a view can be bookmarked and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import quote

from lk_portal.errors import N_, InputError
from lk_portal.metering.types import Severity
from lk_portal.services.periods import Grain, Period

ROUTE = "/diagnostics"
MOST_PAGES = 1000


class Layout(StrEnum):
    """How the events are laid out."""

    LIST = "list"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Choice:
    """What an address asks for.

    Attributes:
        serial: Of the meter; "" when the address names none.
        period: In the premises' zone.
        groups: The severities to show, in the order of `Severity`.
        layout: List or table.
        page: From 1 on; a period may have more events than a page shows.
    """

    serial: str
    period: Period
    groups: tuple[Severity, ...] = tuple(Severity)
    layout: Layout = Layout.LIST
    page: int = 1

    def at(self, period: Period) -> Choice:
        """The same of another period."""
        return replace(self, period=period, page=1)


def url_of(choice: Choice) -> str:
    """The address of one view."""
    return f"{ROUTE}?{query_of(choice)}"


def query_of(choice: Choice) -> str:
    """The query part of an address; `choice_of` reads it back."""
    parts = [
        f"meter={quote(choice.serial, safe='')}",
        f"interval={choice.period.grain}",
        f"period={choice.period}",
        f"groups={','.join(choice.groups)}",
        f"view={choice.layout}",
    ]
    return "&".join(parts if choice.page == 1 else [*parts, f"page={choice.page}"])


def choice_of(query: Mapping[str, str], *, today: date) -> Choice:
    """Read an address; what it leaves out is the current month, every group, a list, its first page.

    Raises:
        InputError: It has words or dates that mean nothing.
    """
    grain = _grain(query.get("interval", Grain.MONTH.value))
    text = query.get("period", "")
    period = Period.parse(grain, text) if text else Period.containing(grain, today)
    return Choice(
        query.get("meter", "")[:64],
        period,
        groups_of(query.get("groups", ",".join(Severity)).split(",")),
        _layout(query.get("view", Layout.LIST.value)),
        _page(query.get("page", "1")),
    )


def groups_of(words: list[str]) -> tuple[Severity, ...]:
    """The groups of events that are named, each once and in order.

    Raises:
        InputError: There are none, or one that does not exist.
    """
    if not words:
        raise InputError(N_("Tick at least one group of events."), field="groups")
    if not set(words) <= set(Severity):
        raise InputError(N_("There is no such group of events."), field="groups")
    return tuple(group for group in Severity if group in words)


def with_grain(period: Period, grain: Grain, *, today: date) -> Period:
    """A period of another length near this one: around today if that lies in it, else at its end."""
    if grain is period.grain:
        return period
    day = today if period.start <= today < period.end else period.end - timedelta(days=1)
    return Period.containing(grain, day)


def _grain(text: str) -> Grain:
    try:
        return Grain(text)
    except ValueError:
        raise InputError(N_("There is no such interval."), field="interval") from None


def _layout(text: str) -> Layout:
    try:
        return Layout(text)
    except ValueError:
        raise InputError(N_("There is no such view."), field="view") from None


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_PAGES):
        raise InputError(N_("There is no such page."), field="page")
    return int(text)
