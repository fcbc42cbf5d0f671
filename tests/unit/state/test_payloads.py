"""Events that no page of ours could have sent are dropped; those that pages send are not."""

from __future__ import annotations

import inspect

import pytest
import reflex as rx
from reflex.event import Event

from lk_portal.state.guard import AccessMiddleware
from lk_portal.state.payloads import FRAMEWORK_HANDLERS, is_sound
from tests.unit.state.people import client_state

ROOT = "reflex___state____state"
SHOW = f"{ROOT}.lk_portal___state___readings____readings_state.show"
TELL = f"{ROOT}.lk_portal___state___shell____shell_state.tell_problem"
HYDRATE = f"{ROOT}.hydrate_and_load"
HYDRATED = f"{ROOT}.set_is_hydrated"


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (SHOW, {"form": {"meter": "Ленина, 5 \N{GRINNING FACE}"}}),
        (TELL, {"number": "7K3M-Q9ZD"}),
        (HYDRATE, {}),
        (HYDRATE, {"vars": {}, "hashes": ["a", "b"]}),
        (HYDRATED, {"value": True}),
        ("no.such.handler", {"x": 1}),
    ],
)
def test_what_pages_send_is_sound(application: rx.App, name: str, payload: dict[str, object]) -> None:
    assert is_sound(Event(name=name, payload=payload))


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (SHOW, {}),
        (SHOW, {"form": {}, "more": 1}),
        (SHOW, {"self": {}}),
        (SHOW, {"form": {"meter": "\ud800"}}),
        (SHOW, {"form": {"\udfff": ""}}),
        (SHOW, ["form"]),
        (SHOW, "form"),
        (TELL, {1: 2}),
        (HYDRATE, {"vars": {f"{ROOT}.x": 1}}),
        (HYDRATE, {"hashes": [1]}),
        (HYDRATED, {"value": "x"}),
    ],
)
def test_what_they_never_send_is_not(application: rx.App, name: str, payload: object) -> None:
    assert not is_sound(Event(name=name, payload=payload))  # type: ignore[arg-type]


def test_neither_is_an_address_that_is_no_unicode(application: rx.App) -> None:
    assert not is_sound(Event(name=HYDRATE, router_data={"asPath": "/\ud800"}))
    assert is_sound(Event(name=HYDRATE, router_data={"asPath": "/показания"}))


def test_every_argument_of_the_frameworks_handlers_is_checked(application: rx.App) -> None:
    """An update of Reflex may bring another: then somebody has to look what it does."""
    handlers = application._registration_context.event_handlers
    for name, checks in FRAMEWORK_HANDLERS.items():
        arguments = set(inspect.signature(handlers[name].handler.fn).parameters) - {"self"}
        assert arguments == set(checks), name


async def test_the_guard_drops_it_before_it_looks_anything_up(application: rx.App) -> None:
    answer = await AccessMiddleware().preprocess(
        application, client_state(""), Event(name=HYDRATED, payload={"value": "x"})
    )

    assert answer is not None
    assert not answer.events


def test_no_state_keeps_variables_in_the_browser(application: rx.App) -> None:
    """Else anybody could set them from there, and `vars` of `hydrate_and_load` would have to be let in."""
    pending, seen = [rx.State], 0
    while pending:
        state = pending.pop()
        pending.extend(state.get_substates())
        seen += 1
        assert not [name for name in state.get_fields() if state._is_client_storage(name)], state
    assert seen > 5
