"""Состояние нагрузки: what a meter said of its relay, kept as it was read, and what that means to a person.

`services.readings` keeps the raw state; the cards of accounts and meters ask for its meaning and its story.
The meaning follows the disconnect control of ГОСТ Р 58940-2020 (COSEM class 70, 0.0.96.3.10.255): attribute 2
is the output, attribute 3 the control state; only together do they say something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import LoadState, RelayState, Snapshot
from lk_portal.models.types import to_milliseconds
from lk_portal.services.staging import StageTable, run, stage

STALE_AFTER = timedelta(hours=24)
"""An older answer says nothing about now, unless the meter is asked so rarely that it cannot be newer."""
INTERVALS_UNTIL_STALE = 3

SWITCHING_JOURNAL = 2
"""e of 0.0.96.11.e.255: the journal of switching."""
SWITCHED_OFF = frozenset({3, 6, 8, 9, 10, 11, 13, 14, 15, 18, 19, 25, 28})
SWITCHED_ON = frozenset({4, 7, 12, 20, 21, 22, 23, 24, 26, 27})
PERMITTED = 5
RELAY_CODES = SWITCHED_OFF | SWITCHED_ON | {PERMITTED}
"""The journal's other codes are about the power of the meter itself."""

_MEANINGS = {(True, 1): LoadState.ON, (False, 0): LoadState.OFF, (False, 2): LoadState.READY}
_OCTET = range(256)


@dataclass(frozen=True, slots=True)
class Load:
    """What a meter's relay does, and since when that is known.

    Attributes:
        state: UNKNOWN when the meter has no relay, its answers contradict each other or are too old.
        read_at: When the meter last told, aware UTC; None: never.
    """

    state: LoadState
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Switching:
    """An entry of the switching journal: its code, and when, aware UTC."""

    code: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """Why the load is off: the last entry that switched it off, and the permission to switch on after it."""

    off: Switching | None = None
    permitted: Switching | None = None


def load_of(relay: RelayState, *, read_at: datetime | None, now: datetime, interval_s: int) -> Load:
    """The meaning of a relay's last answer.

    Args:
        relay: As it was read; all None where there was no answer.
        read_at: When, aware UTC; None: never.
        now: Aware UTC.
        interval_s: Seconds between polls of this meter.
    """
    if read_at is None or is_stale(read_at, now=now, interval_s=interval_s):
        return Load(LoadState.UNKNOWN, read_at)
    if relay.is_output_on is None or relay.control_state is None:
        return Load(LoadState.UNKNOWN, read_at)
    meaning = _MEANINGS.get((relay.is_output_on, relay.control_state), LoadState.UNKNOWN)
    return Load(meaning, read_at)


def is_stale(read_at: datetime, *, now: datetime, interval_s: int) -> bool:
    """Whether an answer is older than a day, and than three polls of the meter."""
    longest = max(STALE_AFTER, timedelta(seconds=INTERVALS_UNTIL_STALE * interval_s))
    return now - read_at > longest


def story_of(journal: Sequence[Switching]) -> Story:
    """Why the load is off, from the entries of the switching journal in any order.

    An entry that switched it on ends what was before: a reason of last year explains nothing today.
    """
    story = Story()
    for entry in sorted(journal, key=lambda one: one.at):
        if entry.code in SWITCHED_OFF:
            story = Story(off=entry)
        elif entry.code in SWITCHED_ON:
            story = Story()
        elif entry.code == PERMITTED:
            story = Story(story.off, permitted=entry)
    return story


async def keep_relays(connection: AsyncConnection, snapshots: Iterable[tuple[int, Snapshot]]) -> None:
    """Keep the newest relay state of each meter, in the caller's transaction; an older one changes nothing.

    Args:
        connection: Of the transaction that keeps the readings.
        snapshots: Meter and what was read, oldest first.
    """
    rows = {
        meter_id: (meter_id, *_raw(snapshot.relay), to_milliseconds(snapshot.taken_at))
        for meter_id, snapshot in snapshots
        if snapshot.relay is not None
    }
    if rows:
        await stage(connection, _STAGE, list(rows.values()))
        await run(connection, _UPSERT)


def _raw(relay: RelayState) -> tuple[bool | None, int | None]:
    """What the table holds; attribute 3 is an enumeration of one octet, anything else is no answer."""
    control = relay.control_state
    return relay.is_output_on, control if control in _OCTET else None


_STAGE = StageTable(
    "stage_relay",
    (
        ("meter_id", "INTEGER NOT NULL"),
        ("is_output_on", "BOOLEAN"),
        ("control_state", "INTEGER"),
        ("read_ms", "BIGINT NOT NULL"),
    ),
    is_plain=False,
)
_UPSERT = """
INSERT INTO meter_load_state (meter_id, is_output_on, control_state, read_at)
SELECT meter_id, is_output_on, control_state, MS(read_ms) FROM stage_relay WHERE true
ON CONFLICT (meter_id) DO UPDATE SET is_output_on = excluded.is_output_on,
  control_state = excluded.control_state, read_at = excluded.read_at
WHERE meter_load_state.read_at < excluded.read_at
"""
