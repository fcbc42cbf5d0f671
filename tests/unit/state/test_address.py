"""What the suggestions' state takes and says."""

from __future__ import annotations

from datetime import timedelta

import pytest
import reflex as rx

from lk_portal.i18n import using_locale
from lk_portal.security.allowance import Allowance
from lk_portal.state import address
from lk_portal.state.address import AddressState, status_of
from tests import factories
from tests.unit.state.people import People, client_state

SEARCH = AddressState.event_handlers["search"].fn


async def state_of_a_visitor() -> AddressState:
    return await client_state("", "/register").get_state(AddressState)


async def test_what_is_found_is_shown_and_counted(application: rx.App, people: People) -> None:
    await factories.premises(people.database, street="ул. Мира")
    state = await state_of_a_visitor()

    with using_locale("en"):
        await SEARCH(state, "омск мира")
    assert len(state.rows) == 1
    assert state.status == "Addresses found: 1"

    await SEARCH(state, "")
    assert (state.rows, state.status) == ([], "")


@pytest.mark.parametrize("typed", [None, 5, ["омск"], {"омск": 1}, 10**400, b"x", True])
async def test_what_is_no_text_is_nothing_typed(application: rx.App, people: People, typed: object) -> None:
    await factories.premises(people.database)
    state = await state_of_a_visitor()
    await SEARCH(state, "омск")
    assert state.rows

    await SEARCH(state, typed)

    assert (state.rows, state.status) == ([], "")


async def test_a_copier_is_slowed_down(
    application: rx.App, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "SEARCHES", Allowance(burst=2, per_s=1))
    await factories.premises(people.database)
    state = await state_of_a_visitor()
    for _ in range(2):
        await SEARCH(state, "омск")
        assert len(state.rows) == 1

    with using_locale("en"):
        await SEARCH(state, "омск")
    assert state.rows == []
    assert state.status.startswith("Too many searches")

    people.wait(timedelta(seconds=1))
    await SEARCH(state, "омск")
    assert len(state.rows) == 1


def test_the_sentence_on_what_was_found() -> None:
    with using_locale("en"):
        assert status_of(("a",) * 20, typed="омск").startswith("The first 20 addresses")
        assert status_of(("a", "b"), typed="омск") == "Addresses found: 2"
        assert status_of((), typed="ом") == ""
        assert status_of((), typed="омс").startswith("No such address")
