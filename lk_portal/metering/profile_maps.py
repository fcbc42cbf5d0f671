"""The part of a register map that says where a meter keeps its load profile, and how to read it.

For `metering.maps`. A profile is a ring of records of one length, each with a stamp, perhaps a status, and
the energy of one interval. It lies in files (function 20) or in registers; a register of the map names the
newest record. Nothing is ever written: a meter that must be told first which record to show is not for us.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from lk_portal.metering.map_fields import (
    MapRegister,
    NoValueName,
    QuantityName,
    Scale,
    Strict,
    TypeName,
    one_of,
)
from lk_portal.metering.types import Quantity

FILE_WORDS = 10_000
"""A file's records are numbered 0 to 9999 and have a word each (V1.1b3, 6.14)."""
MAX_FILE_WORDS = 120
"""An answer of function 20 holds 245 bytes, of which two say how long a part is and of which kind."""
NO_WRAP = 2**63
"""The energy of an interval does not wrap."""
INTERVALS_S = (300, 600, 900, 1800, 3600)
"""Lengths that fit into an hour, of more than which no interval is stored."""


class ProfileFunction(IntEnum):
    """The Modbus function that reads a profile."""

    HOLDING = 3
    INPUT = 4
    FILE = 20


class StampFormat(StrEnum):
    """How a moment lies in its words."""

    UNIX32 = "unix32"
    """Two words: seconds since 1970, in the map's word order."""
    BYTES = "bytes"
    """Three words: year (of this century) and month, day and hour, minute and second, a byte each."""

    @property
    def words(self) -> int:
        """How many words a moment takes."""
        return 2 if self is StampFormat.UNIX32 else 3


class StampEdge(StrEnum):
    """Which end of its interval a record is stamped with."""

    START = "start"
    END = "end"


class ClockKind(StrEnum):
    """What the meter's clock shows: UTC, or the time of the place (see `local` in `profile_decode`)."""

    UTC = "utc"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class ProfileMap:
    """A model's load profile.

    Attributes:
        function: How the ring is read.
        first: Its first file, or its first register.
        records: How many records the ring holds.
        record_words: Words of a record.
        records_per_file: Of a ring in files.
        interval_s: What each record covers, seconds.
        newest_address: Register with the number of the newest record, from 0; all ones: there is none.
        clock_address: Register with what the meter's clock shows.
        stamp: How moments are written.
        stamp_edge: Which end of the interval is stamped.
        stamp_offset: The stamp's first word in a record.
        clock: UTC or local.
        status_offset: The word with the status; None: records have none.
        missing_bits: Bits of the status by which the meter says that a value is not to be used.
        doubtful_bits: Bits by which it says that a value is not exact.
        values: The energies of an interval, at least of A+; an address counts from the record's first word.
    """

    function: ProfileFunction
    first: int
    records: int
    record_words: int
    records_per_file: int
    interval_s: int
    newest_address: int
    clock_address: int
    stamp: StampFormat
    stamp_edge: StampEdge
    stamp_offset: int
    clock: ClockKind
    status_offset: int | None
    missing_bits: int
    doubtful_bits: int
    values: tuple[MapRegister, ...]

    @property
    def interval(self) -> timedelta:
        """What each record covers."""
        return timedelta(seconds=self.interval_s)

    @property
    def most_words(self) -> int:
        """The most words one question for records may ask for."""
        return MAX_FILE_WORDS if self.function is ProfileFunction.FILE else 125

    def place(self, position: int) -> tuple[int, int]:
        """File (0 of registers) and address of the first word of a record."""
        if self.function is not ProfileFunction.FILE:
            return 0, self.first + position * self.record_words
        file, number = divmod(position, self.records_per_file)
        return self.first + file, number * self.record_words

    def run_from(self, position: int) -> int:
        """How many records lie side by side from this one on, so that one question can read them."""
        here = self.records - position
        if self.function is ProfileFunction.FILE:
            here = min(here, self.records_per_file - position % self.records_per_file)
        return min(here, self.most_words // self.record_words)


_FunctionName = Annotated[
    ProfileFunction,
    BeforeValidator(
        one_of(
            {
                "file": ProfileFunction.FILE,
                "holding": ProfileFunction.HOLDING,
                "input": ProfileFunction.INPUT,
            }
        )
    ),
]
_StampName = Annotated[StampFormat, BeforeValidator(one_of({s.value: s for s in StampFormat}))]
_EdgeName = Annotated[StampEdge, BeforeValidator(one_of({e.value: e for e in StampEdge}))]
_ClockName = Annotated[ClockKind, BeforeValidator(one_of({c.value: c for c in ClockKind}))]
_Address = Annotated[int, Field(ge=0, le=0xFFFF)]
_Offset = Annotated[int, Field(ge=0, lt=MAX_FILE_WORDS)]
_Bits = Annotated[int, Field(ge=0, le=0xFFFF)]


class _ValueEntry(Strict):
    quantity: QuantityName
    offset: _Offset
    type: TypeName
    scale_wh: Scale
    no_value: Annotated[list[NoValueName], Field(default_factory=list)]


class ProfileEntry(Strict):
    """The table `[profile]` of a map file."""

    function: _FunctionName
    first: _Address
    records: Annotated[int, Field(ge=2, le=1_000_000)]
    record_words: Annotated[int, Field(ge=3, le=MAX_FILE_WORDS)]
    records_per_file: Annotated[int, Field(ge=1, le=FILE_WORDS)] | None = None
    interval_s: int
    newest_address: _Address
    clock_address: _Address
    stamp: _StampName
    stamp_edge: _EdgeName
    stamp_offset: _Offset = 0
    clock: _ClockName
    status_offset: _Offset | None = None
    missing_bits: _Bits = 0
    doubtful_bits: _Bits = 0
    values: Annotated[list[_ValueEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> ProfileEntry:
        problems = list(self._problems())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if self.interval_s not in INTERVALS_S:
            yield f"interval_s: {self.interval_s} is not one of {', '.join(map(str, INTERVALS_S))}"
        quantities = [value.quantity for value in self.values]
        if Quantity.A_PLUS not in quantities:
            yield "A+ is missing"
        if len(set(quantities)) < len(quantities):
            yield "a quantity is there twice"
        if (self.missing_bits or self.doubtful_bits) and self.status_offset is None:
            yield "bits of a status need status_offset"
        yield from self._misplaced()
        yield from self._outside()

    def _misplaced(self) -> Iterator[str]:
        """Parts of a record that lie on each other or outside of it."""
        parts = [("stamp", self.stamp_offset, self.stamp.words)]
        if self.status_offset is not None:
            parts.append(("status", self.status_offset, 1))
        parts += [(value.quantity.name, value.offset, value.type.words) for value in self.values]
        taken: dict[int, str] = {}
        for name, offset, words in parts:
            if offset + words > self.record_words:
                yield f"{name} goes beyond the record's {self.record_words} words"
            for word in range(offset, offset + words):
                if taken.setdefault(word, name) != name:
                    yield f"{name} overlaps {taken[word]}"
                    break

    def _outside(self) -> Iterator[str]:
        """Rings that no address reaches."""
        if self.function is not ProfileFunction.FILE:
            if self.records_per_file is not None:
                yield "records_per_file is for files"
            if self.first + self.records * self.record_words > 0x10000:
                yield "the ring goes beyond address 0xFFFF"
            return
        per_file = self.per_file
        if per_file * self.record_words > FILE_WORDS:
            yield f"a file has {FILE_WORDS} words"
        if not self.first or self.first + (self.records - 1) // per_file > 0xFFFF:
            yield "files are numbered 1 to 65535"

    @property
    def per_file(self) -> int:
        """As many records as fit into a file, unless the map says how many there are."""
        return self.records_per_file or FILE_WORDS // self.record_words

    def as_map(self) -> ProfileMap:
        """The checked table as the readers want it."""
        fields = self.model_dump(exclude={"values", "records_per_file"})
        values = tuple(
            MapRegister(one.quantity, 0, one.offset, one.type, one.scale_wh, NO_WRAP, frozenset(one.no_value))
            for one in sorted(self.values, key=lambda one: one.offset)
        )
        return ProfileMap(**fields, records_per_file=self.per_file, values=values)
