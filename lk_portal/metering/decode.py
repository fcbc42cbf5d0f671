"""From registers to Wh: pure functions between the Modbus adapter and the register maps.

No I/O and no clock. What is worth computing once for a map (which blocks to ask for, how to unpack them) is
computed once in a `ReadPlan`, because the rest runs for every exchange.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from struct import Struct

from lk_portal.errors import N_, DataInvalidError, ProtocolError
from lk_portal.metering.map_fields import MapRegister, NoValue, WordOrder
from lk_portal.metering.maps import RegisterMap
from lk_portal.metering.profile_maps import ProfileMap
from lk_portal.metering.types import Quantity, RegisterValue


@dataclass(frozen=True, slots=True)
class _Cell:
    """One register of a block, with what its decoding needs."""

    quantity: Quantity
    zone: int
    is_float: bool
    numerator: int
    denominator: int
    no_values: frozenset[int]


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """Registers that one question reads.

    Attributes:
        function: Modbus function: 3 or 4, 20 of a record in a file.
        address: First word, as sent.
        count: Words to ask for.
        is_optional: Holds tariff registers only; a variant without them may refuse the addresses.
    """

    function: int
    address: int
    count: int
    is_optional: bool
    _cells: tuple[_Cell, ...]
    _order: tuple[int, ...]
    _words: Struct
    _values: Struct


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How to read a map in the fewest questions."""

    blocks: tuple[ReadBlock, ...]


@lru_cache(maxsize=256)
def plan_for(register_map: RegisterMap) -> ReadPlan:
    """The questions that read every register of `register_map`, fewest first by address.

    Registers are read together when no more than `max_gap` words lie between them and the answer stays
    within `max_words`. With the usual gap of 0 no undocumented address is ever asked for: some meters
    refuse the whole question then.
    """
    return ReadPlan(
        tuple(
            _block(register_map.function, register_map.word_order, group, group[0].address, group[-1].end)
            for group in _groups(register_map)
        )
    )


@lru_cache(maxsize=64)
def record_block(profile: ProfileMap, order: WordOrder) -> ReadBlock:
    """A record of a load profile, for `decode_block`; its address is the record's own."""
    return _block(profile.function, order, list(profile.values), 0, profile.record_words)


def _groups(register_map: RegisterMap) -> Iterator[list[MapRegister]]:
    group: list[MapRegister] = []
    for register in register_map.registers:
        if group:
            is_near = register.address - group[-1].end <= register_map.max_gap
            is_small = register.end - group[0].address <= register_map.max_words
            if not (is_near and is_small):
                yield group
                group = []
        group.append(register)
    if group:
        yield group


def _block(function: int, word_order: WordOrder, group: list[MapRegister], start: int, end: int) -> ReadBlock:
    order = tuple(chain.from_iterable(_word_order(r, start, word_order) for r in group))
    return ReadBlock(
        function=int(function),
        address=start,
        count=end - start,
        is_optional=all(register.zone > 0 for register in group),
        _cells=tuple(map(_cell, group)),
        _order=order,
        _words=Struct(f">{len(order)}H"),
        _values=Struct(">" + "".join(register.type.struct_code for register in group)),
    )


def _word_order(register: MapRegister, start: int, order: WordOrder) -> range:
    """Where in the answer the words of `register` are, high word first."""
    first, end = register.address - start, register.end - start
    return range(first, end) if order is WordOrder.BIG else range(end - 1, first - 1, -1)


def _cell(register: MapRegister) -> _Cell:
    is_float = register.type.is_float
    patterns = frozenset() if is_float else register.no_value | {NoValue.ALL_ONES}
    return _Cell(
        quantity=register.quantity,
        zone=register.zone,
        is_float=is_float,
        numerator=register.scale_wh.numerator,
        denominator=register.scale_wh.denominator,
        no_values=frozenset(_pattern_value(register, pattern) for pattern in patterns),
    )


def _pattern_value(register: MapRegister, pattern: NoValue) -> int:
    words = pattern.words(register.type.words)
    packed = struct.pack(f">{len(words)}H", *words)
    return int(struct.unpack(">" + register.type.struct_code, packed)[0])


def decode_block(block: ReadBlock, words: Sequence[int]) -> list[RegisterValue]:
    """The values in the answer `words` to `block`, in Wh (varh) before ratios.

    A register that says "no value" (NaN, all ones, the map's markers) is left out.

    Raises:
        ProtocolError: The answer has another number of words than was asked for.
        DataInvalidError: A value is negative or infinite.
    """
    if len(words) != block.count:
        raise ProtocolError(
            N_("{got} registers came where {expected} were asked for"), got=len(words), expected=block.count
        )
    raw = block._values.unpack(block._words.pack(*[words[i] for i in block._order]))
    found = []
    for cell, value in zip(block._cells, raw, strict=True):
        energy = _energy(cell, value)
        if energy is not None:
            found.append(RegisterValue(cell.quantity, cell.zone, energy))
    return found


def _energy(cell: _Cell, value: float) -> int | None:
    """Wh of a raw value, or None where the meter says that it has none."""
    if cell.is_float:
        if math.isnan(value):
            return None
        if math.isinf(value) or value < 0:
            raise _impossible(cell, value)
        numerator, denominator = value.as_integer_ratio()
        return _half_even(numerator * cell.numerator, denominator * cell.denominator)
    if value in cell.no_values:
        return None
    if value < 0:
        raise _impossible(cell, value)
    return _half_even(int(value) * cell.numerator, cell.denominator)


def _impossible(cell: _Cell, value: float) -> DataInvalidError:
    return DataInvalidError(
        N_("Impossible value: {register} = {value}"),
        register=f"{cell.quantity.name}.{cell.zone}",
        value=str(value),
    )


def _half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded to the nearest integer, halves to the even one; exact."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        return quotient + 1
    return quotient


def require_sum(values: Sequence[RegisterValue]) -> None:
    """Refuse a reading without the sum of A+: it would look fresh and show nothing.

    Raises:
        DataInvalidError: The meter gave no value for it.
    """
    if not any(value.quantity is Quantity.A_PLUS and value.zone == 0 for value in values):
        raise DataInvalidError(N_("The meter gives no value for active energy"))


def encode_register(register: MapRegister, order: WordOrder, value_wh: int) -> tuple[int, ...]:
    """The words in which a meter would show `value_wh`; the simulator's half, for tests and demos.

    Integers are cut to the register's resolution as a meter does, floats are the nearest ones.
    """
    numerator, denominator = value_wh * register.scale_wh.denominator, register.scale_wh.numerator
    units = numerator / denominator if register.type.is_float else numerator // denominator
    packed = struct.pack(">" + register.type.struct_code, units)
    words = struct.unpack(f">{register.type.words}H", packed)
    return words if order is WordOrder.BIG else words[::-1]
