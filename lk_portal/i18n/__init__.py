"""Texts in the reader's language. Every text a person sees goes through `_()`.

Message ids are English; the catalogues lie beside this file as .po and are read directly, so there is no
compiled copy to forget. Numbers and dates are Babel's.

An installed package may have catalogues of its own. A message that the portal has too is translated by the
portal alone, in every language: so a package cannot change a word of the portal's pages, and the same button
is called the same everywhere. Of two packages that translate one message the first by name does it.

Which language: a block under `using_locale`, or an event or request that called `choose_locale`, speaks its
reader's; everything else speaks the portal's own, LK_LOCALE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from lk_portal.errors import ConfigurationError, Fields, PortalError
from lk_portal.i18n.of_packages import read_catalogues
from lk_portal.settings import KNOWN_LOCALES, load_locale

FOLDER = Path(__file__).parent
LANGUAGES = {"ru": "Русский", "en": "English"}
"""Every language of `KNOWN_LOCALES` by the name its own readers know it by; never translated."""
_MOMENTS = {"ru": "dd.MM.y, HH:mm", "en": "MMM d, y, HH:mm"}


class _Active:
    locale: str | None = None


_chosen: ContextVar[str] = ContextVar("lk_locale", default="")


def use_locale(name: str) -> None:
    """Choose the language of this process."""
    _Active.locale = name


def choose_locale(name: str) -> None:
    """Choose the language of the event or request that runs now; an unknown one or "" is the process's."""
    _chosen.set(name if name in KNOWN_LOCALES else "")


@contextmanager
def using_locale(name: str) -> Iterator[None]:
    """Run a block in a language; an unknown one or "" is the process's."""
    before = _chosen.get()
    choose_locale(name)
    try:
        yield
    finally:
        _chosen.set(before)


def active_locale() -> str:
    """The language of what runs now: the reader's, else the process's, else LK_LOCALE."""
    if chosen := _chosen.get():
        return chosen
    if _Active.locale is None:
        _Active.locale = load_locale()
    return _Active.locale


@cache
def catalog(locale: str) -> Catalog:
    """The catalogue of a language; English ids are their own translation."""
    path = FOLDER / locale / "messages.po"
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def add_catalogues(package: str, folder: Path) -> None:
    """Let a package translate its own messages, from `folder`/<locale>/messages.po; again: read anew.

    Raises:
        ConfigurationError: One of them cannot be used; names the package and the file.
    """
    try:
        found = read_catalogues(folder)
    except ConfigurationError as error:
        raise ConfigurationError(detail=f"package {package!r}: {error.data['detail']}") from error
    ours = our_messages()
    for known in found.values():
        for message in ours:
            known.delete(message)
    _of_packages[package] = found


def our_messages() -> frozenset[str]:
    """The messages that the portal itself has, as they are looked up: of two forms, the one for one thing."""
    entries = [entry.id for locale in KNOWN_LOCALES for entry in catalog(locale) if entry.id]
    return frozenset(one if isinstance(one, str) else one[0] for one in entries)


_of_packages: dict[str, dict[str, Catalog]] = {}
"""By package, by language."""


def _translated(message: str) -> tuple[Catalog, Message] | None:
    """The entry of a message in the active language that has a translation, and whose catalogue it is in."""
    locale = active_locale()
    others = (one[locale] for one in _of_packages.values() if locale in one)
    for known in (catalog(locale), *others):
        found = known.get(message)
        if found is not None and found.string:
            return known, found
    return None


def _(message: str, **data: object) -> str:
    """The text for an English message id in the active language, its `{names}` filled from `data`."""
    found = _translated(message)
    text = str(found[1].string) if found else message
    return text.format(**data) if data else text


def ngettext(one: str, many: str, count: int, **data: object) -> str:
    """The right plural form for `count`; `{count}` is filled too."""
    found = _translated(one)
    forms = found[1].string if found else None
    if found and isinstance(forms, tuple | list) and all(forms):
        text = str(forms[_plural_rule(found[0].plural_expr)(count)])
    else:
        text = one if count == 1 else many
    return text.format(count=count, **data)


@cache
def _plural_rule(expression: str) -> Callable[[int], int]:
    """Which form a number takes; the rule is compiled once, which takes longer than a query."""
    rule: Callable[[int], int] = c2py(expression)
    return rule


def say(error: PortalError) -> str:
    """The sentence of an error in the active language; errors among its data are said in it too."""
    data: dict[str, Any] = {name: _said(value) for name, value in error.data.items()}
    return _(error.text).format_map(Fields(data)) if data else _(error.text)


def _said(value: object) -> object:
    if isinstance(value, PortalError):
        return say(value)
    return _(value) if isinstance(value, str) else value


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


def chart_separators() -> str:
    """Plotly's `separators`: what parts a number's fraction, and then its thousands."""
    group, decimal = _separators(active_locale())
    return decimal + group


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


def days_text(first: date, last: date) -> str:
    """A span of days, e.g. "25 октября — 24 ноября 2026 г."; both belong to it."""
    begin = day_in_year(first, "MMMMd") if first.year == last.year else day_text(first)
    return f"{begin} — {day_text(last)}"


def day_in_year(value: date, skeleton: str = "MMMd") -> str:
    """A date without its year, e.g. "25 окт." or "Oct 25"; as "MMMMd" with the month in full."""
    return _day_in_year(value.replace(year=2000), skeleton, active_locale())  # which has a 29 February


@cache
def _day_in_year(value: date, skeleton: str, locale: str) -> str:
    return format_skeleton(skeleton, datetime(value.year, value.month, value.day), locale=locale)  # noqa: DTZ001


def month_names() -> list[str]:
    """The twelve months standing alone."""
    names = Locale.parse(active_locale()).months["stand-alone"]["wide"]
    return [names[number] for number in range(1, 13)]


def moment_text(value: datetime, zone: ZoneInfo) -> str:
    """Date and time in a premises' zone, e.g. "24.11.2026, 15:42" or "Nov 24, 2026, 15:42"."""
    locale = active_locale()
    return format_datetime(value, format=_MOMENTS[locale], tzinfo=zone, locale=locale)


def clock_text(value: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes in a premises' zone."""
    return f"{value.astimezone(zone):%H:%M}"


@cache
def short_month_names(locale: str) -> tuple[str, ...]:
    """The twelve months, abbreviated, standing alone."""
    names = Locale.parse(locale).months["stand-alone"]["abbreviated"]
    return tuple(str(names[number]) for number in range(1, 13))
