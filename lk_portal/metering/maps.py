"""Register maps: which registers a meter model has, as data.

The Modbus adapter and the simulator read them; a new meter model is a new TOML file, not code. The maps of
the package lie in `metering/maps/`; an installation may add directories of its own. A typo is refused at
start with the file, the key and the reason, never discovered at night by a wrong bill.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import IntEnum, StrEnum
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from lk_portal.errors import ConfigurationError
from lk_portal.metering.types import Quantity

PACKAGE_MAPS = Path(__file__).parent / "maps"
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


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """A meter model's registers.

    Attributes:
        name: The key meters refer to; also the file's name.
        manufacturer: Who makes it.
        model: The maker's name of the model.
        title: For people to choose from.
        function: How the registers are read.
        word_order: Which word of a value comes first.
        max_power_w: What is physically possible; more energy than this between two snapshots is a spike.
        max_words: How many words the meter gives in one answer.
        max_gap: How many documented words of no interest one question may read along.
        registers: At least the sum of A+, ordered by address.
        sources: Where the cells were checked.
    """

    name: str
    manufacturer: str
    model: str
    title: str
    function: ReadFunction
    word_order: WordOrder
    max_power_w: int
    max_words: int
    max_gap: int
    registers: tuple[MapRegister, ...]
    sources: tuple[str, ...]

    def register(self, quantity: Quantity, zone: int = 0) -> MapRegister | None:
        """The register that counts `quantity` in `zone`, if the model has one."""
        return next((r for r in self.registers if (r.quantity, r.zone) == (quantity, zone)), None)


_QUANTITIES = {
    "A+": Quantity.A_PLUS,
    "A-": Quantity.A_MINUS,
    "R+": Quantity.R_PLUS,
    "R-": Quantity.R_MINUS,
}
_FUNCTIONS: dict[object, ReadFunction] = {
    3: ReadFunction.HOLDING,
    4: ReadFunction.INPUT,
    "holding": ReadFunction.HOLDING,
    "input": ReadFunction.INPUT,
}
_Named = TypeVar("_Named")


def _one_of(names: Mapping[object, _Named]) -> Callable[[object], _Named]:
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


_Text = Annotated[str, Field(min_length=1)]
_QuantityName = Annotated[Quantity, BeforeValidator(_one_of(dict(_QUANTITIES)))]
_TypeName = Annotated[RegisterType, BeforeValidator(_one_of({t.value: t for t in RegisterType}))]
_OrderName = Annotated[WordOrder, BeforeValidator(_one_of({o.value: o for o in WordOrder}))]
_NoValueName = Annotated[NoValue, BeforeValidator(_one_of({n.value: n for n in NoValue}))]
_FunctionName = Annotated[ReadFunction, BeforeValidator(_one_of(_FUNCTIONS))]
_Scale = Annotated[Fraction, BeforeValidator(_scale)]


class _Strict(BaseModel):
    """Unknown keys and wrong types are refused instead of guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


class _RegisterEntry(_Strict):
    quantity: _QuantityName
    zone: Annotated[int, Field(ge=0, le=8)] = 0
    address: Annotated[int, Field(ge=0, le=0xFFFF)]
    type: _TypeName
    scale_wh: _Scale
    capacity_wh: Annotated[int, Field(gt=0)] | None = None
    no_value: list[_NoValueName] = []
    source: _Text | None = None

    @property
    def end(self) -> int:
        return self.address + self.type.words

    @property
    def label(self) -> str:
        """`A+ zone 1 at 0x0046`, as the messages call it."""
        name = next(text for text, quantity in _QUANTITIES.items() if quantity is self.quantity)
        return f"{name} zone {self.zone} at 0x{self.address:04X}"

    @model_validator(mode="after")
    def _fits(self) -> _RegisterEntry:
        if self.end > 0x10000:
            raise ValueError(f"{self.label} goes beyond address 0xFFFF")
        return self


class _MapFile(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    manufacturer: _Text
    model: _Text
    title: _Text
    function: _FunctionName
    word_order: _OrderName
    max_power_w: Annotated[int, Field(gt=0)]
    capacity_wh: Annotated[int, Field(gt=0)]
    max_words: Annotated[int, Field(ge=4, le=MAX_READ_WORDS)] = MAX_READ_WORDS
    max_gap: Annotated[int, Field(ge=0, lt=MAX_READ_WORDS)] = 0
    sources: Annotated[list[_Text], Field(min_length=2)]
    registers: Annotated[list[_RegisterEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> _MapFile:
        problems = [*_duplicates(self.registers), *_overlaps(self.registers)]
        if not any(r.quantity is Quantity.A_PLUS and r.zone == 0 for r in self.registers):
            problems.append("the sum of A+ (zone 0) is missing")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _duplicates(entries: list[_RegisterEntry]) -> Iterator[str]:
    seen: dict[tuple[Quantity, int], _RegisterEntry] = {}
    for entry in entries:
        first = seen.setdefault((entry.quantity, entry.zone), entry)
        if first is not entry:
            yield f"{entry.label} repeats {first.label}"


def _overlaps(entries: list[_RegisterEntry]) -> Iterator[str]:
    ordered = sorted(entries, key=lambda entry: entry.address)
    for left, right in pairwise(ordered):
        if right.address < left.end:
            yield f"{right.label} overlaps {left.label}"


def load_map(path: Path) -> RegisterMap:
    """Read and check one map file.

    Raises:
        ConfigurationError: The file cannot be read, or one line for each wrong key: file, key, reason.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        checked = _MapFile.model_validate(data)
    except OSError as error:
        raise ConfigurationError(detail=f"{path.name}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(detail=f"{path.name}: {error}") from error
    except ValidationError as error:
        lines = [f"{path.name}: {_problem(e)}" for e in error.errors(include_url=False)]
        raise ConfigurationError(detail="\n".join(lines)) from error
    if checked.name != path.stem:
        raise ConfigurationError(detail=f"{path.name}: name: {checked.name!r} must be the file's name")
    return _as_map(checked)


def _problem(error: ErrorDetails) -> str:
    """`registers[2].address: reason` of one pydantic error."""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    reason = error["msg"].removeprefix("Value error, ")
    return f"{key.lstrip('.')}: {reason}" if key else reason


def _as_map(checked: _MapFile) -> RegisterMap:
    fields = checked.model_dump(exclude={"registers", "sources", "capacity_wh"})
    registers = tuple(
        MapRegister(
            quantity=entry.quantity,
            zone=entry.zone,
            address=entry.address,
            type=entry.type,
            scale_wh=entry.scale_wh,
            capacity_wh=entry.capacity_wh or checked.capacity_wh,
            no_value=frozenset(entry.no_value),
        )
        for entry in sorted(checked.registers, key=lambda entry: entry.address)
    )
    return RegisterMap(**fields, registers=registers, sources=tuple(checked.sources))


_maps: dict[str, RegisterMap] = {}
_added: list[Path] = []


def add_maps(directory: Path) -> None:
    """Let every `load_maps` from now on read this directory too: the maps of an installed package."""
    if directory not in _added:
        _added.append(directory)


def load_maps(*directories: Path) -> tuple[RegisterMap, ...]:
    """Read our maps, those of installed packages and of `directories`; from now on only these are known.

    Call it at start: nothing changes when a file is wrong.

    Raises:
        ConfigurationError: A file is wrong, a directory is missing, or two maps have one name.
    """
    found: dict[str, RegisterMap] = {}
    for directory in (PACKAGE_MAPS, *_added, *directories):
        if not directory.is_dir():
            raise ConfigurationError(detail=f"{directory}: no such directory of register maps")
        for path in sorted(directory.glob("*.toml")):
            loaded = load_map(path)
            if loaded.name in found:
                raise ConfigurationError(detail=f"{path}: name: {loaded.name!r} is taken by another map")
            found[loaded.name] = loaded
    _maps.clear()
    _maps.update(found)
    return tuple(found.values())


def known_maps() -> tuple[RegisterMap, ...]:
    """The loaded maps by name; the package's own where nobody has loaded any yet."""
    if not _maps:
        load_maps()
    return tuple(sorted(_maps.values(), key=lambda known: known.name))


def map_named(name: str) -> RegisterMap:
    """The map called `name`.

    Raises:
        ConfigurationError: There is none; the message lists those there are.
    """
    found = _maps.get(name) or next((known for known in known_maps() if known.name == name), None)
    if found is None:
        names = ", ".join(known.name for known in known_maps())
        raise ConfigurationError(detail=f"no register map {name!r}; known: {names}")
    return found
