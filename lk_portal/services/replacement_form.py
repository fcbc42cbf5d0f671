"""What a clerk types when a meter is replaced, as values. Pure; for `services.replacement` and its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from lk_portal.errors import N_, FormError, InputError
from lk_portal.metering.types import Quantity, RegisterValue
from lk_portal.services.intervals import MAX_VALUE_WH
from lk_portal.services.registry_rules import require_map
from lk_portal.services.resource.typed import wall_time
from lk_portal.services.texts import checked, is_storable

FINAL, INITIAL = "final", "initial"
MAX_SERIAL, MAX_MODEL, MAX_SEAL = 32, 64, 32
MAX_RATIO = Decimal(100_000)
NO_NUMBER = N_("This is no number of kWh with at most three digits after the comma.")
Register = tuple[Quantity, int]
"""Which register: of what energy, and of which zone; 0 is the sum."""
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A replacement as it is to be registered; times are aware UTC, energies Wh before ratios.

    Attributes:
        removed_at: When the old meter was taken away.
        final: What its registers showed then.
        serial: Of the new meter.
        model: As on its plate; "" for a meter that is known already.
        map_name: Its register map; "": none, or as it is known.
        installed_at: When it was put there.
        initial: What its registers showed then.
        ct_ratio: КТТ.
        vt_ratio: КТН.
        keeps_line: It answers at the old one's gateway and device number.
        seal: Number of the seal put on it; "": none.
        verified_on: When it was verified; None: not told.
        due_on: When it is to be verified again.
    """

    removed_at: datetime
    final: tuple[RegisterValue, ...]
    serial: str
    model: str
    map_name: str
    installed_at: datetime
    initial: tuple[RegisterValue, ...]
    ct_ratio: Decimal = Decimal(1)
    vt_ratio: Decimal = Decimal(1)
    keeps_line: bool = False
    seal: str = ""
    verified_on: date | None = None
    due_on: date | None = None


def field_of(side: str, register: Register) -> str:
    """The name of a reading's field, e.g. final-A_PLUS-0."""
    return f"{side}-{register[0].name}-{register[1]}"


def read_replacement(
    form: Mapping[str, object],
    *,
    final: Iterable[Register],
    initial: Iterable[Register],
    zone: ZoneInfo,
) -> Replacement:
    """The values of a form.

    Args:
        form: What was sent; anything at all.
        final: The registers of the old meter that were asked for.
        initial: Those of the new one.
        zone: Of the premises, whose wall clock times are typed by.

    Raises:
        FormError: Fields cannot be accepted, each with its sentence.
    """
    read = _Reader(form)
    removed_at = read.value("removed_at", lambda text: _moment(text, zone))
    found: dict[str, Any] = {
        "removed_at": removed_at,
        "final": read.registers(FINAL, final),
        "serial": read.value("serial", lambda text: checked(text, field="serial", most=MAX_SERIAL)),
        "model": read.optional("model", lambda text: checked(text, field="model", most=MAX_MODEL), ""),
        "map_name": read.optional("map_name", _map, ""),
        "installed_at": read.optional("installed_at", lambda text: _moment(text, zone), removed_at),
        "initial": read.registers(INITIAL, initial),
        "ct_ratio": read.optional("ct_ratio", ratio_of, Decimal(1)),
        "vt_ratio": read.optional("vt_ratio", ratio_of, Decimal(1)),
        "keeps_line": form.get("keeps_line") in (True, "on", "yes"),
        "seal": read.optional("seal", lambda text: checked(text, field="seal", most=MAX_SEAL), ""),
        "verified_on": read.optional("verified_on", _day, None),
        "due_on": read.optional("due_on", _day, None),
    }
    _check_days(read, found)
    read.refuse()
    return Replacement(**found)


class _Reader:
    """Reads field after field and remembers what is wrong with each."""

    def __init__(self, form: Mapping[str, object]) -> None:
        self._form = form
        self.errors: dict[str, InputError] = {}

    def text(self, name: str) -> str:
        typed = self._form.get(name, "")
        return typed.strip() if isinstance(typed, str) else ""

    def value(self, name: str, parse: Callable[[str], _Value]) -> _Value | None:
        """A field that must be filled."""
        if not self.text(name):
            self.errors[name] = InputError(N_("Fill this in."), field=name)
            return None
        found: _Value | None = self.optional(name, parse, None)
        return found

    def optional(self, name: str, parse: Callable[[str], _Value], nothing: Any) -> Any:
        text = self.text(name)
        if not text:
            return nothing
        try:
            if not is_storable(text):
                raise InputError(N_("This has characters that cannot be kept."), field=name)
            return parse(text)
        except InputError as error:
            self.errors[name] = error
            return nothing

    def registers(self, side: str, registers: Iterable[Register]) -> tuple[RegisterValue, ...]:
        """The readings that were typed; one of active energy, the sum or zones, has to be there."""
        found, wanted = [], list(registers)
        for register in wanted:
            value = self.optional(field_of(side, register), energy_of, None)
            if value is not None:
                found.append(RegisterValue(*register, value))
        if not any(one.quantity is Quantity.A_PLUS for one in found):
            name = field_of(side, next((one for one in wanted if one[0] is Quantity.A_PLUS), wanted[0]))
            self.errors.setdefault(name, InputError(N_("Fill this in."), field=name))
        return tuple(found)

    def refuse(self) -> None:
        """Raise if anything is wrong."""
        if self.errors:
            raise FormError(self.errors)


def _check_days(read: _Reader, found: Mapping[str, Any]) -> None:
    if found["due_on"] is not None and found["verified_on"] is None:
        read.errors.setdefault("verified_on", InputError(N_("Fill this in."), field="verified_on"))
    elif found["due_on"] is not None and found["due_on"] <= found["verified_on"]:
        wrong = InputError(N_("The next verification must be later than this one."), field="due_on")
        read.errors.setdefault("due_on", wrong)


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        return wall_time(text, zone)
    except (ValueError, OverflowError):
        raise InputError(N_("This is no date and time.")) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(N_("This is no date.")) from None


def _decimal(text: str, sentence: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", ".").replace("\u00a0", "").replace(" ", ""))
    except InvalidOperation:
        raise InputError(sentence) from None
    if not number.is_finite():
        raise InputError(sentence)
    return number


def energy_of(text: str) -> int:
    """Wh of a text in kWh.

    Raises:
        InputError: It is no such number.
    """
    value = _decimal(text, NO_NUMBER)
    if not 0 <= value <= MAX_VALUE_WH // 1000 or value * 1000 != int(value * 1000):
        raise InputError(NO_NUMBER)
    return int(value * 1000)


def ratio_of(text: str) -> Decimal:
    """A transformer ratio.

    Raises:
        InputError: It is none.
    """
    ratio = _decimal(text, N_("A ratio is a number above zero."))
    if not 0 < ratio <= MAX_RATIO or ratio != round(ratio, 4):
        raise InputError(N_("A ratio is a number above zero."))
    return ratio


def _map(text: str) -> str:
    require_map(text, field="map_name")
    return text
