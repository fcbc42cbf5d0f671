"""Texts in the reader's language. Every text a person sees goes through `_()`.

Message ids are English; the catalogues lie beside this file as .po and are read directly, so there is no
compiled copy to forget. Numbers and dates are Babel's.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from lk_portal.errors import Fields, PortalError

FOLDER = Path(__file__).parent


class _Active:
    locale: str | None = None


def use_locale(name: str) -> None:
    """Choose the language of this process."""
    _Active.locale = name


def active_locale() -> str:
    """The language of this process; LK_LOCALE until something else is chosen."""
    if _Active.locale is None:
        from lk_portal.settings import load_settings

        _Active.locale = load_settings().locale
    return _Active.locale


@cache
def catalog(locale: str) -> Catalog:
    """The catalogue of a language; English ids are their own translation."""
    path = FOLDER / locale / "messages.po"
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def _(message: str, **data: object) -> str:
    """The text for an English message id in the active language, its `{names}` filled from `data`."""
    found = catalog(active_locale()).get(message)
    text = str(found.string) if found is not None and found.string else message
    return text.format(**data) if data else text


def ngettext(one: str, many: str, count: int, **data: object) -> str:
    """The right plural form for `count`; `{count}` is filled too."""
    known = catalog(active_locale())
    found = known.get(one)
    forms = found.string if found is not None else None
    if isinstance(forms, tuple | list) and all(forms):
        text = str(forms[c2py(known.plural_expr)(count)])
    else:
        text = one if count == 1 else many
    return text.format(count=count, **data)


def say(error: PortalError) -> str:
    """The sentence of an error in the active language."""
    data: dict[str, Any] = {
        name: _(value) if isinstance(value, str) else value for name, value in error.data.items()
    }
    return _(error.text).format_map(Fields(data)) if data else _(error.text)


def kwh(energy_wh: int, *, digits: int = 2) -> str:
    """Wh as kWh text with the language's separators, e.g. 1234567 -> "1 234,57"; halves go to even.

    Integer arithmetic and Babel's separators, for Babel's own formatter takes longer than the query.
    """
    step = 10 ** (3 - digits)
    units, rest = divmod(abs(energy_wh), step)
    if 2 * rest > step or (2 * rest == step and units % 2):
        units += 1
    whole, fraction = divmod(units, 10**digits)
    group, decimal = _separators(active_locale())
    text = f"{whole:,}".replace(",", group) + (f"{decimal}{fraction:0{digits}d}" if digits else "")
    return f"-{text}" if energy_wh < 0 and units else text


@cache
def _separators(locale: str) -> tuple[str, str]:
    symbols = Locale.parse(locale).number_symbols["latn"]
    return str(symbols["group"]), str(symbols["decimal"])


def day_text(value: date, style: str = "long") -> str:
    """A date, e.g. "24 ноября 2026 г."."""
    return format_date(value, format=style, locale=active_locale())


def month_text(value: date) -> str:
    """A month with its year, standing alone, e.g. "ноябрь 2026"."""
    return format_date(value, format="LLLL y", locale=active_locale())


def month_names() -> list[str]:
    """The twelve months standing alone."""
    names = Locale.parse(active_locale()).months["stand-alone"]["wide"]
    return [names[number] for number in range(1, 13)]


def moment_text(value: datetime, zone: ZoneInfo) -> str:
    """Date and time in a premises' zone, e.g. "24.11.2026, 15:42"."""
    return format_datetime(value, format="dd.MM.y, HH:mm", tzinfo=zone, locale=active_locale())


def clock_text(value: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes in a premises' zone."""
    return f"{value.astimezone(zone):%H:%M}"


@cache
def short_month_names(locale: str) -> tuple[str, ...]:
    """The twelve months, abbreviated, standing alone."""
    names = Locale.parse(locale).months["stand-alone"]["abbreviated"]
    return tuple(str(names[number]) for number in range(1, 13))
