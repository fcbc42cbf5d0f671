"""What a resource's list and form say, as texts for the page. Pure; for their state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from lk_portal.i18n import _, ngettext
from lk_portal.services.resource import FormField, Resource
from lk_portal.services.resource.reading import MOST_COUNTED, Page
from lk_portal.services.resource.texts import cell_text, plain_text, shorten

LONGEST_CELL = 100
"""Characters of a cell of the list; the form and the file have all of them."""
LONGEST_VERSION = 300
"""Characters of a value beside that of somebody else."""


def row_texts(resource: Resource, values: tuple[Any, ...], zone: ZoneInfo) -> list[str]:
    """The cells of a row, then where those lead to that are links."""
    pairs = zip(resource.columns, values, strict=True)
    texts = [shorten(cell_text(one, value, zone=zone), LONGEST_CELL) for one, value in pairs]
    links = [
        "" if value is None else one.link(value)
        for one, value in zip(resource.columns, values, strict=True)
        if one.link is not None
    ]
    return texts + links


def count_words(page: Page) -> str:
    """How many rows there are; beyond what is counted, that there are more."""
    if page.count > MOST_COUNTED:
        return _("More than {count} rows", count=MOST_COUNTED)
    return ngettext("{count} row", "{count} rows", page.count)


def shown_value(one: FormField, value: Any, zone: ZoneInfo) -> str:
    """A value of the row as it is, in words."""
    if value in one.texts:
        return _(one.texts[value])
    return "" if value is None else shorten(plain_text(value, zone=zone), LONGEST_VERSION)


def sent_value(one: FormField, form: Mapping[str, Any]) -> str:
    """What was sent for a field, as `text_of` would write it."""
    value = form.get(one.name, "")
    if one.kind == "flag":
        return "yes" if value else ""
    return str(value).strip()


def typed_value(one: FormField, form: Mapping[str, Any]) -> str:
    """What was sent for a field, in words."""
    value = sent_value(one, form)
    if one.kind == "flag":
        return _("Yes") if value else _("No")
    for choice, text in one.texts.items():
        if str(getattr(choice, "value", choice)) == value:
            return _(text)
    return shorten(value, LONGEST_VERSION)
