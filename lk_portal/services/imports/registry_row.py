"""One row of the registry's file: the cells, and what they mean. Pure; for `services.imports.registry`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo, available_timezones

from lk_portal.errors import N_, InputError
from lk_portal.models.address_text import search_words
from lk_portal.models.types import to_milliseconds
from lk_portal.services.imports.source import CellError
from lk_portal.services.registry_rules import NO_CODE, NO_MAP, NO_ZONE, URN, is_point_code, map_names
from lk_portal.services.replacement_form import energy_of, ratio_of
from lk_portal.services.resource.typed import wall_time
from lk_portal.services.texts import is_storable
from lk_portal.services.users import normal_email, normal_phone

COLUMNS = {
    "account": N_("Number of the personal account; needed"),
    "subscriber": N_("Full name of its owner; empty: nobody's yet"),
    "email": N_("E-mail of the owner"),
    "phone": N_("Phone of the owner"),
    "settlement": N_("Settlement, such as г. Омск; needed"),
    "street": N_("Street, such as ул. Ленина"),
    "house": N_("House"),
    "flat": N_("Flat"),
    "timezone": N_("Time zone, such as Asia/Omsk; needed"),
    "contract": N_("Number of the contract"),
    "amenities": N_("Degree of amenities"),
    "tariff": N_("Code of the tariff, as in the list of tariffs"),
    "point_code": N_("Code of the metering point, urn:uuid:...; empty: one is made"),
    "point_name": N_("What the subscriber calls the point"),
    "place": N_("Place of installation"),
    "meter_serial": N_("Serial number of the meter; empty: a row of the account alone"),
    "model": N_("Model, as on the plate; needed for a meter"),
    "map": N_("Register map; empty: not read over Modbus"),
    "ct": N_("CT ratio; empty: 1"),
    "vt": N_("VT ratio; empty: 1"),
    "installed_at": N_("Day, or day and time, of the installation; needed for a meter"),
    "initial_sum": N_("What the meter showed then, kWh: the sum"),
    "initial_t1": N_("The same of tariff 1"),
    "initial_t2": N_("The same of tariff 2"),
    "initial_t3": N_("The same of tariff 3"),
    "initial_t4": N_("The same of tariff 4"),
    "verified_on": N_("Day of the last verification"),
    "due_on": N_("Day by which the next one is due"),
    "seal": N_("Number of the seal"),
    "gateway_host": N_("Address of the gateway; empty: not connected"),
    "gateway_port": N_("Its port"),
    "device_id": N_("The meter's number on it"),
}
"""Names of the columns, in order, and what stands in them."""

LENGTHS = {
    "account": 32, "subscriber": 200, "email": 254, "phone": 40, "settlement": 120, "street": 120,
    "house": 20, "flat": 20, "timezone": 64, "contract": 64, "amenities": 120, "tariff": 32,
    "point_code": 64, "point_name": 60, "place": 120, "meter_serial": 32, "model": 64, "map": 64,
    "seal": 32, "gateway_host": 253,
}  # fmt: skip
OF_METERS = tuple(COLUMNS)[16:]
LONGEST = 300
MAX_PORT = 65_535
EARLIEST = date(1950, 1, 1)


class Row(NamedTuple):
    """What a row means; "" and None where nothing was given. Times in ms since 1970, energies in Wh.

    `person` is the e-mail by which a subscriber is told from namesakes; of one without e-mail and phone a
    mark with the account, for whom nobody can write to or call is somebody only by the account.
    """

    account: str
    subscriber: str
    person: str
    phone: str
    settlement: str
    street: str
    house: str
    flat: str
    timezone: str
    search_text: str
    contract: str
    amenities: str
    tariff: str
    point_code: str
    point_name: str
    place: str
    meter_serial: str
    model: str
    map_name: str
    ct: str
    vt: str
    installed_ms: int | None
    initial_sum: int | None
    initial_t1: int | None
    initial_t2: int | None
    initial_t3: int | None
    initial_t4: int | None
    verified_on: str | None
    due_on: str | None
    seal: str
    placed_on: str | None
    gateway_host: str
    gateway_port: int | None
    device_id: int | None


MARK = "?import:"
"""So begins the `person` of one without e-mail and phone; taken away again before the import ends."""


def read_row(cells: Sequence[str], *, now: datetime) -> Row:
    """The meaning of one row's cells.

    Args:
        cells: In the order of `COLUMNS`.
        now: Aware UTC; nothing may be later.

    Raises:
        CellError: One of them cannot be taken.
    """
    text = {name: _text(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)}
    for name in ("account", "settlement", "timezone"):
        if not text[name]:
            raise CellError(name, N_("must not be empty"))
    zone = _zone(text["timezone"])
    email = _with(text, "email", normal_email) if text["email"] else ""
    phone = _with(text, "phone", normal_phone) if text["phone"] else ""
    if (email or phone) and not text["subscriber"]:
        raise CellError("subscriber", N_("must not be empty beside an e-mail or a phone"))
    return Row(
        account=text["account"],
        subscriber=text["subscriber"],
        person=(email if email or phone else f"{MARK}{text['account']}") if text["subscriber"] else "",
        phone=phone,
        settlement=text["settlement"],
        street=text["street"],
        house=text["house"],
        flat=text["flat"],
        timezone=text["timezone"],
        search_text=_words(text["settlement"], text["street"]),
        contract=text["contract"],
        amenities=text["amenities"],
        tariff=text["tariff"],
        point_code=_point_code(text),
        point_name=text["point_name"],
        place=text["place"],
        meter_serial=text["meter_serial"],
        **_meter(text, zone, now),
    )


def _meter(text: dict[str, str], zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """The columns that only a row with a meter has."""
    if not text["meter_serial"]:
        given = next((name for name in OF_METERS if text[name]), None)
        if given is not None:
            raise CellError(given, N_("there is no meter_serial in this row"))
        return dict.fromkeys(Row._fields[17:], None) | dict.fromkeys(_EMPTY_TEXTS, "")
    for name in ("model", "installed_at"):
        if not text[name]:
            raise CellError(name, N_("must not be empty"))
    if text["map"] and text["map"] not in map_names():
        raise CellError("map", NO_MAP, names=", ".join(map_names()))
    installed = _moment(text["installed_at"], zone)
    if installed > now:
        raise CellError("installed_at", N_("lies in the future"))
    verified_on, due_on = _day(text, "verified_on"), _day(text, "due_on")
    if due_on is not None and (verified_on is None or due_on <= verified_on):
        raise CellError("due_on", N_("must be later than verified_on"))
    return {
        "model": text["model"],
        "map_name": text["map"],
        "ct": str(_with(text, "ct", ratio_of) if text["ct"] else Decimal(1)),
        "vt": str(_with(text, "vt", ratio_of) if text["vt"] else Decimal(1)),
        "installed_ms": to_milliseconds(installed),
        **_initial(text),
        "verified_on": verified_on,
        "due_on": due_on,
        "seal": text["seal"],
        "placed_on": installed.astimezone(zone).date().isoformat(),
        **_line(text),
    }


_EMPTY_TEXTS = ("model", "map_name", "ct", "vt", "seal", "gateway_host")


def _initial(text: dict[str, str]) -> dict[str, int | None]:
    """The readings; where only zones are given their sum too, for polls may bring the sum."""
    names = ("initial_sum", "initial_t1", "initial_t2", "initial_t3", "initial_t4")
    found: dict[str, int | None] = {
        name: _with(text, name, energy_of) if text[name] else None for name in names
    }
    zones = [value for value in (found[name] for name in names[1:]) if value is not None]
    if zones and found["initial_sum"] is None:
        found["initial_sum"] = sum(zones)
    return found


def _line(text: dict[str, str]) -> dict[str, Any]:
    if not text["gateway_host"]:
        for name in ("gateway_port", "device_id"):
            if text[name]:
                raise CellError(name, N_("there is no gateway_host in this row"))
        return {"gateway_host": "", "gateway_port": None, "device_id": None}
    if any(sign.isspace() for sign in text["gateway_host"]):
        raise CellError("gateway_host", N_("has a space in it"))
    port = _whole(text, "gateway_port", least=1)
    return {
        "gateway_host": text["gateway_host"],
        "gateway_port": port,
        "device_id": _whole(text, "device_id", least=0),
    }


def _text(name: str, cell: str) -> str:
    text = " ".join(cell.split())
    if not is_storable(text):
        raise CellError(name, N_("has characters that cannot be kept"))
    most = LENGTHS.get(name, LONGEST)
    if len(text) > most:
        raise CellError(name, N_("has more than {most} characters"), most=most)
    return text


def _with(text: dict[str, str], name: str, read: Callable[[str], Any]) -> Any:
    """A cell read by a function that people's forms use too."""
    try:
        return read(text[name])
    except InputError as error:
        raise CellError(name, error.text, **error.data) from None


def _zone(name: str) -> ZoneInfo:
    if name not in available_zones():
        raise CellError("timezone", NO_ZONE)
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def available_zones() -> frozenset[str]:
    """The names of all time zones; reading them from the disk takes a while."""
    return frozenset(available_timezones())


@lru_cache(maxsize=4096)
def _words(settlement: str, street: str) -> str:
    return search_words(settlement, street)


def _point_code(text: dict[str, str]) -> str:
    """The given code, else one that is the same for the same meter of the same account every time."""
    if text["point_code"]:
        if not is_point_code(text["point_code"]):
            raise CellError("point_code", NO_CODE)
        return text["point_code"]
    if not text["meter_serial"]:
        return ""
    name = f"lk:{text['account']}/{text['meter_serial']}"
    return f"{URN}{uuid5(NAMESPACE_URL, name)}"


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        found = wall_time(text, zone)
    except (ValueError, OverflowError):
        raise CellError(
            "installed_at", N_("no day such as 2026-01-31 or time such as 2026-01-31T12:00")
        ) from None
    if found.date() < EARLIEST:
        raise CellError("installed_at", N_("too long ago"))
    return found


def _day(text: dict[str, str], name: str) -> str | None:
    if not text[name]:
        return None
    try:
        found = date.fromisoformat(text[name])
    except ValueError:
        raise CellError(name, N_("no day such as 2026-01-31")) from None
    if found < EARLIEST:
        raise CellError(name, N_("too long ago"))
    return found.isoformat()


def _whole(text: dict[str, str], name: str, *, least: int) -> int:
    typed = text[name]
    value = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= len(str(MAX_PORT)) else -1
    if not least <= value <= MAX_PORT:
        raise CellError(name, N_("no whole number from {least} to {most}"), least=least, most=MAX_PORT)
    return value
