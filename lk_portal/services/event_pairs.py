"""Joins the start and the end of what a meter reports into one episode. Pure; for `services.event_history`.

A journal has one entry when the voltage goes and another when it comes back; a person wants one line that
says how long it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lk_portal.metering.event_meanings import Meaning, meaning
from lk_portal.metering.events import EventEntry, Relay, Side
from lk_portal.models import Severity


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One entry of a meter's journal, as stored.

    Attributes:
        event_id: The key.
        meter_id: The meter.
        serial: Its serial number.
        at: Aware UTC.
        entry: Its names and the rest of the dictionary.
        severity: As stored.
    """

    event_id: int
    meter_id: int
    serial: str
    at: datetime
    entry: EventEntry
    severity: Severity


@dataclass(frozen=True, slots=True)
class Episode:
    """What happened, from start to end; or an event that stands alone.

    Attributes:
        first: Where it began, or the only event.
        last: What ended it; None where nothing did, or is known of it.
        is_open: It goes on.
    """

    first: StoredEvent
    last: StoredEvent | None = None
    is_open: bool = False

    @property
    def severity(self) -> Severity:
        """How serious it is: as its start."""
        return self.first.severity

    @property
    def duration(self) -> timedelta | None:
        """From start to end; None where there is no end."""
        return None if self.last is None else self.last.at - self.first.at

    def name(self, locale: str) -> str:
        """What to call it in a language."""
        is_whole = self.is_open or self.last is not None
        return self.first.entry.whole_name(locale) if is_whole else self.first.entry.name(locale)

    def meaning(self, locale: str) -> Meaning:
        """What it means, in a language. Of what is over no advice is left, but how it ended."""
        words = meaning(self.first.entry, locale)
        if self.last is None:
            return words
        return Meaning(f"{words.text} {meaning(self.last.entry, locale).text}")

    def touches(self, first: datetime, after: datetime) -> bool:
        """Whether some of it lies in [first, after)."""
        if self.first.at >= after:
            return False
        return self.first.at >= first or self.is_open or (self.last is not None and self.last.at >= first)


def join_pairs(events: Iterable[StoredEvent], *, gone: frozenset[int] = frozenset()) -> list[Episode]:
    """The episodes of some events, in the order in which they began.

    An end takes the start before it. A start that is followed by the same start again has no known end. One
    after which nothing came goes on.

    Args:
        events: In any order; of several meters.
        gone: Meters that have been removed: of theirs nothing goes on.
    """
    episodes: list[Episode] = []
    begun: dict[int, dict[int, EventEntry]] = {}
    for event in sorted(events, key=lambda one: (one.at, one.event_id)):
        running = begun.setdefault(event.meter_id, {})
        if _end(event, running, episodes):
            continue
        if event.entry.side is Side.START or event.entry.relay is Relay.OFF:
            _forget(event.entry, running)
            running[len(episodes)] = event.entry
        episodes.append(Episode(event))
    for meter_id, running in begun.items():
        for place in running if meter_id not in gone else ():
            episodes[place] = replace(episodes[place], is_open=True)
    return episodes


def _end(event: StoredEvent, running: dict[int, EventEntry], episodes: list[Episode]) -> bool:
    """End what `event` ends; gives whether it is the other half of one of them."""
    ended = [place for place, entry in running.items() if entry.is_ended_by(event.entry)]
    for place in ended:
        episodes[place] = replace(episodes[place], last=event)
    partners = [running.pop(place).partner for place in ended]
    return event.entry.side is Side.END and event.entry.code in partners


def _forget(entry: EventEntry, running: dict[int, EventEntry]) -> None:
    """Nobody knows when the same thing, which begins again, has ended."""
    for place in [place for place, earlier in running.items() if earlier == entry]:
        del running[place]
