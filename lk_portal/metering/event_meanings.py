"""What a meter's event means for a household and what to do about it, in plain words of several languages.

For services that show events or write of them. The words are data: `event_meanings_<language>.toml`, an entry
for every code a household can meet and a general sentence for each group.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lk_portal.errors import ConfigurationError
from lk_portal.metering.events import EventEntry, EventGroup

FOLDER = Path(__file__).parent
LANGUAGES = ("ru", "en")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event means, and what to do.

    Attributes:
        text: What it means; always there.
        advice: What to do as long as it is not over; "" for nothing.
    """

    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.advice}".rstrip()


@dataclass(frozen=True, slots=True)
class Meanings:
    """The words of one language."""

    groups: Mapping[EventGroup, Meaning]
    codes: Mapping[tuple[int, int], Meaning]

    def of(self, entry: EventEntry) -> Meaning:
        """The words for an event: its own, or its group's."""
        return self.codes.get((entry.journal, entry.code)) or self.groups[entry.group]


def meaning(entry: EventEntry, locale: str) -> Meaning:
    """What an event means, in a language; in English for those we have no words in."""
    return meanings(locale if locale in LANGUAGES else "en").of(entry)


@cache
def meanings(locale: str) -> Meanings:
    """All words of one of `LANGUAGES`."""
    path = FOLDER / f"event_meanings_{locale}.toml"
    return read_meanings(path.read_text(encoding="utf-8"), source=path.name)


def read_meanings(text: str, *, source: str) -> Meanings:
    """Read the words of a language from TOML; `source` names it in errors.

    Raises:
        ConfigurationError: A group has no words, or a code has words twice.
    """
    data = tomllib.loads(text)
    groups = {EventGroup(name): Meaning(words) for name, words in data["groups"].items()}
    if left := [group.value for group in EventGroup if group not in groups]:
        raise ConfigurationError(detail=f"{source}: no words for the groups {', '.join(left)}")
    codes: dict[tuple[int, int], Meaning] = {}
    for key, words in _listed(data["meanings"]):
        if key in codes:
            raise ConfigurationError(detail=f"{source}: code {key[1]} of journal {key[0]} has words twice")
        codes[key] = words
    return Meanings(groups, codes)


def _listed(tables: Iterable[dict[str, Any]]) -> Iterator[tuple[tuple[int, int], Meaning]]:
    for table in tables:
        words = Meaning(table["text"], table.get("advice", ""))
        for code in table["codes"]:
            yield (table["journal"], code), words
