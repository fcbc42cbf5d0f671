"""The addresses of a list: what one says is what the other reads, and nothing breaks it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from lk_portal.models import Tariff
from lk_portal.services.resource import Choice, Column, Filter, Resource
from lk_portal.services.resource.address import (
    MAX_QUERY,
    NEW,
    Address,
    address_of,
    export_url,
    first_page,
    row_url,
    url_of,
)
from lk_portal.services.resource.cursor import LONGEST
from lk_portal.services.resource.reading import View

TARIFFS = Resource(
    Tariff,
    "/admin/tariffs",
    "Tariffs",
    (Column(Tariff.code, "Code"),),
    filters=(Filter("size", "Size", (Choice("big", "Big", Tariff.code == "big"),)),),
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def asked(url: str) -> Address:
    return address_of(TARIFFS, dict(parse_qsl(urlsplit(url).query)))


@given(query=WORDS, sort=st.sampled_from(["", "code", "-code"]), size=WORDS, after=WORDS, row=WORDS)
def test_an_address_is_read_as_it_was_written(query: str, sort: str, size: str, after: str, row: str) -> None:
    typed = " ".join(query.split())
    address = Address(View(typed, sort, {"size": size} if size else {}, after=after), row[:20])

    assert asked(url_of(TARIFFS, address)) == address


def test_what_is_usual_does_not_stand_in_the_address() -> None:
    assert url_of(TARIFFS, Address()) == "/admin/tariffs"
    assert url_of(TARIFFS, Address(row=NEW)) == "/admin/tariffs?row=new"
    assert address_of(TARIFFS, {}) == Address()


def test_a_row_opens_over_its_view() -> None:
    for view in (View(), View("ом&ск", "-code", {"size": "big"}, after="x")):
        assert asked(row_url(TARIFFS, view) + "17") == Address(view, "17")


def test_the_file_has_the_view_from_its_beginning() -> None:
    view = View("т 1", "code", {"size": "big"}, after="x")
    url = export_url(TARIFFS, view, "csv")

    assert urlsplit(url).path == "/admin/tariffs/export"
    assert asked(url).view == first_page(view) == View("т 1", "code", {"size": "big"})


def test_too_much_is_cut_and_unknown_filters_are_none() -> None:
    query = {"q": "x" * 500, "f.size": "y" * 500, "f.other": "z", "after": "a" * 9000, "row": "1" * 99}

    address = address_of(TARIFFS, query)

    assert len(address.view.query) == MAX_QUERY
    assert address.view.filters == {"size": "y" * 80}
    assert len(address.view.after) == LONGEST + 1
    assert len(address.row) == 20
