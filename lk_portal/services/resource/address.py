"""The addresses of a resource's list: search, sorting, filters, page, and the row that is open. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from lk_portal.services.resource.cursor import LONGEST
from lk_portal.services.resource.reading import View
from lk_portal.services.resource.spec import Resource

MAX_QUERY = 100
MAX_WORD = 80
NEW = "new"
FILTER = "f."


@dataclass(frozen=True)
class Address:
    """What an address of a list asks for.

    Attributes:
        view: Which rows.
        row: The row whose form is open: its key, `NEW`, or "".
    """

    view: View = field(default_factory=View)
    row: str = ""


def address_of(resource: Resource, query: Mapping[str, str]) -> Address:
    """Read an address; whatever it says, it is a list."""
    chosen = {one.name: query.get(f"{FILTER}{one.name}", "")[:MAX_WORD] for one in resource.filters}
    filters = {name: value for name, value in chosen.items() if value}
    view = View(
        query=" ".join(query.get("q", "").split())[:MAX_QUERY],
        sort=query.get("sort", "")[:MAX_WORD],
        filters=filters,
        after=query.get("after", "")[: LONGEST + 1],
        before=query.get("before", "")[: LONGEST + 1],
    )
    return Address(view, query.get("row", "")[:20])


def url_of(resource: Resource, address: Address) -> str:
    """The address of a view, without what is usual."""
    view = address.view
    parts = {
        "q": view.query,
        "sort": view.sort,
        **{f"{FILTER}{name}": value for name, value in view.filters.items()},
        "after": view.after,
        "before": view.before,
        "row": address.row,
    }
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"{resource.route}?{query}" if query else resource.route


def row_url(resource: Resource, view: View) -> str:
    """What an address begins with that opens a row over the view; the row's key follows."""
    address = url_of(resource, Address(view))
    return f"{address}{'&' if '?' in address else '?'}row="


def first_page(view: View) -> View:
    """The same view from its beginning."""
    return replace(view, after="", before="")


def export_url(resource: Resource, view: View, file_format: str) -> str:
    """Where the view is to be had as a file."""
    _route, _mark, query = url_of(resource, Address(first_page(view))).partition("?")
    return f"{resource.route}/export?format={file_format}" + (f"&{query}" if query else "")
