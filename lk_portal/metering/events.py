"""What the entries of meters' journals are called and how serious they are: the dictionary, as data.

For adapters that read journals, and for the services that keep and explain them. Journals and codes are those
of the СПОДЭС profile (СТО 34.01-5.1-006: code 0.0.96.11.e.255 in profile 0.0.99.98.e.255); the rows lie in
`spodes_events.csv`. A code that is not there, of a later edition or a maker's own, gets an entry too, so an
event is never without a name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from lk_portal.metering.types import Severity

_FILE = Path(__file__).parent / "spodes_events.csv"
_START_WORDS = ("начало", ", start")


class EventGroup(StrEnum):
    """What a journal is about."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    SWITCHING = "switching"
    PROGRAMMING = "programming"
    EXTERNAL_INFLUENCE = "external_influence"
    COMMUNICATION = "communication"
    ACCESS_CONTROL = "access_control"
    SELF_DIAGNOSTICS = "self_diagnostics"
    REACTIVE_POWER = "reactive_power"
    OTHER = "other"


class Side(StrEnum):
    """Whether an event begins something that another one ends, ends it, or stands alone."""

    START = "start"
    END = "end"
    SINGLE = "single"


class Relay(StrEnum):
    """What a switching event did to the load: disconnected it or connected it."""

    OFF = "off"
    ON = "on"


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One code of one journal.

    Attributes:
        journal: e of 0.0.96.11.e.255.
        code: As the meter stores it.
        group: What it is about.
        severity: How serious it is for a household.
        side: Start, end or neither.
        partner: The code, of the same journal, of the other side; None where there is none.
        relay: What it did to the load; None where nothing.
        name_ru: In Russian, as in the standard.
        name_en: In English.
    """

    journal: int
    code: int
    group: EventGroup
    severity: Severity
    side: Side
    partner: int | None
    relay: Relay | None
    name_ru: str
    name_en: str

    def name(self, locale: str) -> str:
        """Its name in a language; English for those we have no name in."""
        return self.name_ru if locale == "ru" else self.name_en

    def whole_name(self, locale: str) -> str:
        """The name of what goes on from start to end: without the word that says it is the start."""
        name = self.name(locale)
        for word in _START_WORDS:
            name = name.removesuffix(word)
        return name.rstrip(" -–—")

    def is_ended_by(self, later: EventEntry) -> bool:
        """Whether what this event began is over when `later` comes.

        The partner ends it. And whatever disconnected the load, it is over once anything connects it: the
        utility may disconnect by command, allow it again, and the subscriber press the button herself.
        """
        if self.journal != later.journal:
            return False
        if self.relay is Relay.OFF and later.relay is Relay.ON:
            return True
        return self.side is Side.START and self.partner == later.code


def all_entries() -> tuple[EventEntry, ...]:
    """The whole dictionary, by journal and code."""
    return tuple(_entries().values())


def lookup(journal: int, code: int) -> EventEntry:
    """The entry of a code; a general one, informational, for a code that is not in the dictionary."""
    return _entries().get((journal, code)) or _unknown(journal, code)


@lru_cache(maxsize=1024)
def _unknown(journal: int, code: int) -> EventEntry:
    return EventEntry(
        journal=journal,
        code=code,
        group=_groups().get(journal, EventGroup.OTHER),
        severity=Severity.INFO,
        side=Side.SINGLE,
        partner=None,
        relay=None,
        name_ru=f"Событие {code} журнала {journal}",
        name_en=f"Event {code} of journal {journal}",
    )


@cache
def _groups() -> dict[int, EventGroup]:
    return {entry.journal: entry.group for entry in all_entries()}


@cache
def _entries() -> dict[tuple[int, int], EventEntry]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        entries = [_entry(row) for row in csv.DictReader(file)]
    return {(entry.journal, entry.code): entry for entry in entries}


def _entry(row: dict[str, str]) -> EventEntry:
    return EventEntry(
        journal=int(row["journal"]),
        code=int(row["code"]),
        group=EventGroup(row["group"]),
        severity=Severity(row["severity"]),
        side=Side(row["side"]),
        partner=int(row["partner"]) if row["partner"] else None,
        relay=Relay(row["relay"]) if row["relay"] else None,
        name_ru=row["name_ru"],
        name_en=row["name_en"],
    )
