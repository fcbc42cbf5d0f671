"""The demo's events are such as a meter could have reported."""

from __future__ import annotations

from lk_portal.metering.events import Side, lookup
from lk_portal.models import Severity
from lk_portal.services import demo_plan

KINDS = [(event, lookup(event.journal, event.code)) for event in demo_plan.EVENTS]


def test_they_are_as_serious_as_the_dictionary_says() -> None:
    assert [event.severity for event, _entry in KINDS] == [entry.severity for _event, entry in KINDS]
    assert {event.severity for event in demo_plan.EVENTS} == set(Severity)


def test_none_is_later_than_the_seeding() -> None:
    assert min(event.days_ago for event in demo_plan.EVENTS) > 0


def test_all_but_two_that_begin_end_on_the_same_day() -> None:
    """A load that is off, and a fault: the pages show both as going on."""
    going_on = {
        (event.serial, entry.name_en)
        for event, entry in KINDS
        if entry.side is Side.START
        and not any(
            entry.is_ended_by(other) and (event.serial, event.days_ago) == (later.serial, later.days_ago)
            for later, other in KINDS
        )
    }

    assert going_on == {
        (demo_plan.HOLES_METER.serial, "Display: fault"),
        (demo_plan.HOLES_METER.serial, "Load disconnected by the meter: power limit exceeded"),
    }
