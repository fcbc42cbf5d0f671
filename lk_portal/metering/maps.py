"""Register maps: which registers a meter model has, as data.

The Modbus adapter and the simulator read them; a new meter model is a new TOML file, not code. The maps of
the package lie in `metering/maps/`; an installation may add directories of its own. A typo is refused at
start with the file, the key and the reason, never discovered at night by a wrong bill.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from lk_portal.errors import ConfigurationError
from lk_portal.metering.map_fields import (
    MAX_READ_WORDS,
    QUANTITIES,
    FunctionName,
    MapRegister,
    NoValueName,
    OrderName,
    QuantityName,
    ReadFunction,
    Scale,
    Strict,
    Text,
    TypeName,
    WordOrder,
)
from lk_portal.metering.profile_maps import ProfileEntry, ProfileMap
from lk_portal.metering.types import Quantity

PACKAGE_MAPS = Path(__file__).parent / "maps"


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
        profile: The load profile, of models that keep one.
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
    profile: ProfileMap | None = None

    def register(self, quantity: Quantity, zone: int = 0) -> MapRegister | None:
        """The register that counts `quantity` in `zone`, if the model has one."""
        return next((r for r in self.registers if (r.quantity, r.zone) == (quantity, zone)), None)


class _RegisterEntry(Strict):
    quantity: QuantityName
    zone: Annotated[int, Field(ge=0, le=8)] = 0
    address: Annotated[int, Field(ge=0, le=0xFFFF)]
    type: TypeName
    scale_wh: Scale
    capacity_wh: Annotated[int, Field(gt=0)] | None = None
    no_value: Annotated[list[NoValueName], Field(default_factory=list)]
    source: Text | None = None

    @property
    def end(self) -> int:
        return self.address + self.type.words

    @property
    def label(self) -> str:
        """`A+ zone 1 at 0x0046`, as the messages call it."""
        name = next(text for text, quantity in QUANTITIES.items() if quantity is self.quantity)
        return f"{name} zone {self.zone} at 0x{self.address:04X}"

    @model_validator(mode="after")
    def _fits(self) -> _RegisterEntry:
        if self.end > 0x10000:
            raise ValueError(f"{self.label} goes beyond address 0xFFFF")
        return self


class _MapFile(Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    manufacturer: Text
    model: Text
    title: Text
    function: FunctionName
    word_order: OrderName
    max_power_w: Annotated[int, Field(gt=0)]
    capacity_wh: Annotated[int, Field(gt=0)]
    max_words: Annotated[int, Field(ge=4, le=MAX_READ_WORDS)] = MAX_READ_WORDS
    max_gap: Annotated[int, Field(ge=0, lt=MAX_READ_WORDS)] = 0
    sources: Annotated[list[Text], Field(min_length=2)]
    registers: Annotated[list[_RegisterEntry], Field(min_length=1)]
    profile: ProfileEntry | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> _MapFile:
        problems = [*_duplicates(self.registers), *_overlaps(self.registers)]
        if not any(r.quantity is Quantity.A_PLUS and r.zone == 0 for r in self.registers):
            problems.append("the sum of A+ (zone 0) is missing")
        sums = {r.quantity for r in self.registers if r.zone == 0}
        # Without a register nothing could tell whether what the profile says is true.
        problems += [
            f"the profile has {value.quantity.name}, of which there is no sum register"
            for value in (self.profile.values if self.profile else ())
            if value.quantity not in sums
        ]
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
    fields = checked.model_dump(exclude={"registers", "sources", "capacity_wh", "profile"})
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
    profile = checked.profile.as_map() if checked.profile else None
    return RegisterMap(**fields, registers=registers, sources=tuple(checked.sources), profile=profile)


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
