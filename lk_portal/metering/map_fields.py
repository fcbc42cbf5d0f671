"""What a map file may say in one cell, and how a wrong cell is refused. For `metering.maps`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lk_portal.metering.types import Quantity

MAX_READ_WORDS = 125
"""The Modbus application protocol's limit for one question (V1.1b3, 6.3 and 6.4)."""


class ReadFunction(IntEnum):
    """The Modbus function that reads a map's registers."""

    HOLDING = 3
    INPUT = 4


class WordOrder(StrEnum):
    """Which of a value's 16-bit words comes first; inside a word the high byte always does."""

    BIG = "big"
    LITTLE = "little"


class RegisterType(StrEnum):
    """How a value lies in its words."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def words(self) -> int:
        """How many 16-bit registers a value takes."""
        return int(self.value[-2:]) // 16

    @property
    def struct_code(self) -> str:
        """The letter of the `struct` module for this type."""
        return _STRUCT_CODES[self]

    @property
    def is_float(self) -> bool:
        """Floats say "no value" by NaN, integers by markers."""
        return self in (RegisterType.FLOAT32, RegisterType.FLOAT64)


_STRUCT_CODES = {
    RegisterType.INT16: "h",
    RegisterType.UINT16: "H",
    RegisterType.INT32: "i",
    RegisterType.UINT32: "I",
    RegisterType.INT64: "q",
    RegisterType.UINT64: "Q",
    RegisterType.FLOAT32: "f",
    RegisterType.FLOAT64: "d",
}


class NoValue(StrEnum):
    """Bit patterns a maker uses for "there is no value". All ones is understood for every integer."""

    ALL_ONES = "all-ones"
    SIGNED_MAX = "signed-max"
    SIGNED_MIN = "signed-min"

    def words(self, count: int) -> tuple[int, ...]:
        """The pattern over `count` words, high word first."""
        first, rest = _NO_VALUE_WORDS[self]
        return (first, *(rest for _ in range(count - 1)))


_NO_VALUE_WORDS = {
    NoValue.ALL_ONES: (0xFFFF, 0xFFFF),
    NoValue.SIGNED_MAX: (0x7FFF, 0xFFFF),
    NoValue.SIGNED_MIN: (0x8000, 0x0000),
}


@dataclass(frozen=True, slots=True)
class MapRegister:
    """One cumulative energy register.

    Attributes:
        quantity: What is counted.
        zone: 0 is the sum, 1..8 are the meter's own tariff registers.
        address: First word, as sent (counted from zero).
        type: How the value lies in its words.
        scale_wh: What one unit of the register is worth in Wh or varh; exact.
        capacity_wh: Where the register wraps to zero, Wh.
        no_value: Further bit patterns that mean "no value".
    """

    quantity: Quantity
    zone: int
    address: int
    type: RegisterType
    scale_wh: Fraction
    capacity_wh: int
    no_value: frozenset[NoValue]

    @property
    def end(self) -> int:
        """The address after the last word."""
        return self.address + self.type.words

    def resolution_wh(self, value_wh: int) -> int:
        """How far from the truth a shown `value_wh` may be, Wh: one unit, or a float's last bit."""
        if not self.type.is_float:
            return -(-self.scale_wh.numerator // self.scale_wh.denominator)
        return 1 + (value_wh >> (23 if self.type is RegisterType.FLOAT32 else 52))


QUANTITIES = {
    "A+": Quantity.A_PLUS,
    "A-": Quantity.A_MINUS,
    "R+": Quantity.R_PLUS,
    "R-": Quantity.R_MINUS,
}
FUNCTIONS: dict[object, ReadFunction] = {
    3: ReadFunction.HOLDING,
    4: ReadFunction.INPUT,
    "holding": ReadFunction.HOLDING,
    "input": ReadFunction.INPUT,
}
_Named = TypeVar("_Named")


def one_of(names: Mapping[object, _Named]) -> Callable[[object], _Named]:
    """A validator that turns a name of the file into our enum, and lists the names when it cannot."""

    def convert(value: object) -> _Named:
        if isinstance(value, str | int) and not isinstance(value, bool) and value in names:
            return names[value]
        raise ValueError(f"{value!r} is not one of {', '.join(map(str, names))}")

    return convert


def _scale(value: object) -> Fraction:
    """A positive decimal written as a string: a TOML float would not be exact."""
    if not isinstance(value, str):
        raise ValueError(f'{value!r} must be a decimal in quotes, e.g. "0.1"')
    try:
        scale = Fraction(Decimal(value))
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a decimal number") from None
    if scale <= 0:
        raise ValueError(f"{value!r} must be above zero")
    return scale


Text = Annotated[str, Field(min_length=1)]
QuantityName = Annotated[Quantity, BeforeValidator(one_of(dict(QUANTITIES)))]
TypeName = Annotated[RegisterType, BeforeValidator(one_of({t.value: t for t in RegisterType}))]
OrderName = Annotated[WordOrder, BeforeValidator(one_of({o.value: o for o in WordOrder}))]
NoValueName = Annotated[NoValue, BeforeValidator(one_of({n.value: n for n in NoValue}))]
FunctionName = Annotated[ReadFunction, BeforeValidator(one_of(FUNCTIONS))]
Scale = Annotated[Fraction, BeforeValidator(_scale)]


class Strict(BaseModel):
    """Unknown keys and wrong types are refused instead of guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
