"""The values of a list as a person reads them. Pure; for its state and for files."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from lk_portal.i18n import _, active_locale, day_text, moment_text
from lk_portal.services.resource.spec import Column


def cell_text(column: Column, value: Any, *, zone: ZoneInfo) -> str:
    """A value in the reader's language; times by the clock of `zone`."""
    if value is None:
        return ""
    if column.show is not None:
        return column.show(value)
    if column.texts:
        return _(column.texts[value]) if value in column.texts else str(value)
    return plain_text(value, zone=zone)


def plain_text(value: Any, *, zone: ZoneInfo) -> str:
    """A value by its own type."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return moment_text(value, zone)
    if isinstance(value, date):
        return day_text(value, "medium")
    if isinstance(value, Decimal | float):
        return str(format_decimal(value, locale=active_locale()))
    return str(value.value) if isinstance(value, Enum) else str(value)


def shorten(text: str, most: int) -> str:
    """A text cut to `most` characters, with a mark that it was."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
