"""From the words of a load profile to records, and back. Pure; for the Modbus adapter and the simulator.

Stamps become half-open intervals of aware UTC at once (shared/metering.md, time rule 1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from lk_portal.errors import N_, UnsupportedError
from lk_portal.metering.decode import decode_block, encode_register, record_block
from lk_portal.metering.map_fields import WordOrder
from lk_portal.metering.profile_maps import ClockKind, ProfileMap, StampEdge, StampFormat
from lk_portal.metering.types import ProfileRecord, Quality, Quantity

TIMEZONE_OPTION = "timezone"
"""The option of a connection that names the IANA zone of a meter whose clock shows local time."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall clock of a meter, without a zone yet
_CENTURY = 2000


@dataclass(frozen=True, slots=True)
class Stamped:
    """A record's interval [start, end), aware UTC; `is_certain`: no other moment has the same stamp."""

    start: datetime
    end: datetime
    is_certain: bool = True


def zone_of(profile: ProfileMap, options: Mapping[str, str]) -> ZoneInfo:
    """The zone a meter's clock shows.

    Raises:
        UnsupportedError: It shows local time, and nobody said of where.
    """
    if profile.clock is ClockKind.UTC:
        return ZoneInfo("UTC")
    name = options.get(TIMEZONE_OPTION, "")
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        message = N_(
            "Not supported: the meter's clock shows local time, and its time zone {name} is not known"
        )
        raise UnsupportedError(message, name=name or "-") from None


def wall_time(profile: ProfileMap, order: WordOrder, words: Sequence[int]) -> datetime | None:
    """What a stamp says, on the wall of the meter; None: nothing was written there, or no such day exists."""
    if all(word == 0xFFFF for word in words) or not any(words):
        return None
    if profile.stamp is StampFormat.UNIX32:
        high, low = words if order is WordOrder.BIG else reversed(words)
        return _EPOCH + timedelta(seconds=high << 16 | low)
    year, month, day, hour, minute, second = struct.pack(">3H", *words)
    try:
        return datetime(_CENTURY + year, month, day, hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None


def moments_of(wall: datetime, zone: ZoneInfo) -> frozenset[datetime]:
    """The moments (aware UTC) at which a clock in `zone` shows `wall`: one, none, or two."""
    found = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return frozenset(at for at in found if at.astimezone(zone).replace(tzinfo=None) == wall)


def stamped(profile: ProfileMap, order: WordOrder, record: Sequence[int], zone: ZoneInfo) -> Stamped | None:
    """The interval of a record; None of an empty one."""
    first = profile.stamp_offset
    wall = wall_time(profile, order, record[first : first + profile.stamp.words])
    if wall is None:
        return None
    moments = moments_of(wall, zone)
    at = min(moments, default=wall.replace(tzinfo=zone).astimezone(UTC))
    start = at - profile.interval if profile.stamp_edge is StampEdge.END else at
    return Stamped(start, start + profile.interval, is_certain=len(moments) == 1)


def records_of(
    profile: ProfileMap, order: WordOrder, record: Sequence[int], zone: ZoneInfo
) -> Iterator[ProfileRecord]:
    """What one record says: the energy of each quantity that it has a value of.

    Raises:
        DataInvalidError: A value is negative or infinite.
    """
    when = stamped(profile, order, record, zone)
    if when is None or not when.is_certain:
        return
    quality = _quality(profile, record)
    if quality is Quality.MISSING:
        for value in profile.values:
            yield ProfileRecord(value.quantity, when.start, when.end, 0, quality)
        return
    for found in decode_block(record_block(profile, order), record):
        yield ProfileRecord(found.quantity, when.start, when.end, found.value_wh, quality)


def _quality(profile: ProfileMap, record: Sequence[int]) -> Quality:
    status = record[profile.status_offset] if profile.status_offset is not None else 0
    if status & profile.missing_bits:
        return Quality.MISSING
    return Quality.ESTIMATED if status & profile.doubtful_bits else Quality.MEASURED


def without_doubles(records: Iterable[ProfileRecord]) -> tuple[ProfileRecord, ...]:
    """Oldest first; of the same interval twice once, and not at all where both say different things.

    A clock that was put back makes such pairs, and nobody can tell which of the two is right.
    """
    ordered = sorted(records, key=lambda one: (one.start, one.quantity))
    groups = (set(group) for _, group in groupby(ordered, key=attrgetter("start", "quantity")))
    return tuple(next(iter(group)) for group in groups if len(group) == 1)


def encode_stamp(profile: ProfileMap, order: WordOrder, wall: datetime) -> tuple[int, ...]:
    """The words in which a meter would show `wall`; the simulator's half."""
    if profile.stamp is StampFormat.UNIX32:
        seconds = (wall - _EPOCH) // timedelta(seconds=1)
        words = (seconds >> 16, seconds & 0xFFFF)
        return words if order is WordOrder.BIG else words[::-1]
    parts = (wall.year - _CENTURY, wall.month, wall.day, wall.hour, wall.minute, wall.second)
    return struct.unpack(">3H", bytes(parts))


def encode_record(
    profile: ProfileMap, order: WordOrder, wall: datetime, energies: Mapping[Quantity, int], status: int
) -> tuple[int, ...]:
    """A record of `energies` (Wh before ratios) stamped with `wall`; the simulator's half."""
    record = [0] * profile.record_words
    _put(record, profile.stamp_offset, encode_stamp(profile, order, wall))
    if profile.status_offset is not None:
        record[profile.status_offset] = status
    for value in profile.values:
        _put(record, value.address, encode_register(value, order, energies[value.quantity]))
    return tuple(record)


def _put(record: list[int], offset: int, words: Sequence[int]) -> None:
    record[offset : offset + len(words)] = words
