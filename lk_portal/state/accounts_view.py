"""Accounts and meters as the texts of /accounts and /meters. Pure, except for the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from lk_portal.errors import N_
from lk_portal.i18n import _, day_text, kwh, moment_text, ngettext
from lk_portal.metering.types import Quantity
from lk_portal.services.accounts import AccountCard, AccountLine, RegisterReading, Replacement
from lk_portal.services.meters import LastReading, MeterCard, PlacedMeter, Polling, SealView, Verifications
from lk_portal.services.quantity_texts import quantity_text, unit_of
from lk_portal.state.load_view import advice_text, reason_text, summary_of, time_text, word_of

Row = dict[str, str]
DASH = "—"

WHY_LATE = {
    "unreachable": N_("There is no connection to the meter."),
    "timeout": N_("The meter does not answer."),
    "auth": N_("The meter refuses to be read; the utility has to look at its settings."),
    "protocol": N_("The meter's answers cannot be understood; the utility has to look at it."),
    "device": N_("The meter refuses to answer; the utility has to look at it."),
    "unsupported": N_("The meter cannot be read in this way; the utility has to look at its settings."),
    "data": N_("The meter has sent impossible values; they are being looked at and are not counted."),
}
ANY_FAILURE = N_("The meter could not be read.")


def account_link(number: str) -> str:
    """Address of an account's page."""
    return f"/accounts/{_segment(number)}"


def meter_link(serial: str) -> str:
    """Address of a meter's page."""
    return f"/meters/{_segment(serial)}"


def _segment(name: str) -> str:
    """A name as one segment of a path; a slash encoded twice, as servers decode a path before parting it."""
    return quote(name, safe="").replace("%2F", "%252F")


def chart_link(serial: str) -> str:
    """Where the consumption of the meter's point is shown."""
    return f"/readings?{urlencode({'meter': serial})}"


def events_link(serial: str) -> str:
    """Where the meter's events are shown."""
    return f"/diagnostics?{urlencode({'meter': serial})}"


def account_row(line: AccountLine) -> Row:
    """One account of the list."""
    state, load = summary_of([meter.load for meter in line.meters])
    return {
        "number": line.number,
        "link": account_link(line.number),
        "address": line.address,
        "note": line.note,
        "meters": ngettext("{count} meter", "{count} meters", len(line.meters)),
        "load_state": state,
        "load": load,
        "rename_label": _("Rename account {number}", number=line.number),
        "remove_label": _("Remove account {number} from the cabinet", number=line.number),
    }


def account_facts(card: AccountCard) -> list[Row]:
    """The card of an account, as names and values."""
    return [
        _fact(_("Account number"), card.number),
        _fact(_("Address"), card.address),
        _fact(_("Owner"), card.owner),
        _fact(_("Note"), card.note),
        _fact(_("Tariff"), ", ".join(card.tariffs)),
        _fact(_("Degree of amenities"), card.amenities),
        _fact(_("Contract"), card.contract),
    ]


def meter_row(meter: PlacedMeter) -> Row:
    """One meter of an account."""
    return {
        "serial": meter.serial,
        "name": meter.name,
        "link": meter_link(meter.serial),
        "model": meter.model,
        "place": meter.place,
        "load_state": meter.load.state.value,
        "load": word_of(meter.load.state),
        "fresh": fresh_text(meter.data_until, meter.zone),
    }


def replacement_row(replacement: Replacement) -> Row:
    """One replacement: both meters, when, and what they showed, a line for each register."""
    final = [one for one in replacement.readings if one.is_final]
    initial = [one for one in replacement.readings if not one.is_final]
    return {
        "at": moment_text(replacement.at, replacement.new.zone),
        "old": replacement.old.serial,
        "old_link": meter_link(replacement.old.serial),
        "new": replacement.new.serial,
        "new_link": meter_link(replacement.new.serial),
        "final": _register_lines(final),
        "initial": _register_lines(initial),
    }


def _register_lines(readings: Iterable[RegisterReading]) -> str:
    lines = [
        f"{register_text(one.quantity, one.zone)}: {kwh(one.value_wh)} {unit_of(one.quantity)}"
        for one in readings
    ]
    return "\n".join(lines) or DASH


def register_text(quantity: Quantity, zone: int) -> str:
    """The name of a register: kind of energy, and the sum or the tariff zone."""
    part = _("sum") if zone == 0 else f"T{zone}"
    return f"{quantity_text(quantity)}, {part}"


def meter_facts(placed: PlacedMeter) -> list[Row]:
    """The card of a meter, as names and values."""
    facts = [
        _fact(_("Model"), placed.model),
        _fact(_("Serial number"), placed.serial),
        _fact(_("Date of installation"), _day(placed.installed_at.astimezone(placed.zone).date())),
        _fact(_("Place of installation"), placed.place),
        _fact(_("Tariff"), placed.tariff),
        _fact(_("Metering point code"), placed.code),
        _fact(_("Degree of amenities"), placed.amenities),
    ]
    if placed.ratio != 1:
        facts.append(_fact(_("Transformer ratio"), _ratio(placed.ratio)))
    return facts


def _ratio(value: Decimal) -> str:
    return f"{value.normalize():f}"


def verification_facts(verifications: Verifications) -> list[Row]:
    """Поверка: the last ones and the next."""
    return [
        _fact(_("Date of the last instrumental verification"), _day(verifications.instrumental_on)),
        _fact(_("Date of the last verification"), _day(verifications.last_on)),
        _fact(_("Date of the next verification"), _day(verifications.due_on)),
    ]


def verification_warning(verifications: Verifications, today: date) -> str:
    """What to do when a verification comes due or is overdue; else ""."""
    if verifications.due_on is None:
        return ""
    if verifications.is_overdue(today):
        return _(
            "The verification has been overdue since {day}. Ask the utility in the section Support for a new "
            "one: without it the readings may not be counted.",
            day=day_text(verifications.due_on),
        )
    if verifications.due_on == today:
        return _("The verification is due today. The utility will agree on a time with you.")
    if verifications.is_due_soon(today):
        days = (verifications.due_on - today).days
        return ngettext(
            "The verification is due in {count} day. The utility will agree on a time with you.",
            "The verification is due in {count} days. The utility will agree on a time with you.",
            days,
        )
    return ""


def seal_texts(seals: Sequence[SealView]) -> tuple[str, list[str]]:
    """The numbers of the present seals, and the earlier ones with their days."""
    present = ", ".join(seal.number for seal in seals if seal.removed_on is None)
    earlier = [
        _(
            "{number}: from {start} to {end}",
            number=seal.number,
            start=day_text(seal.placed_on, "short"),
            end=day_text(seal.removed_on, "short"),
        )
        for seal in seals
        if seal.removed_on is not None
    ]
    return present or DASH, earlier


def reading_row(reading: LastReading, zone: ZoneInfo) -> Row:
    """The newest value of a register."""
    return {
        "register": register_text(reading.quantity, reading.zone),
        "value": f"{kwh(reading.value_wh)} {unit_of(reading.quantity)}",
        "at": moment_text(reading.at, zone),
    }


def fresh_text(until: datetime | None, zone: ZoneInfo) -> str:
    """Until when there are data."""
    return _("Data as of {moment}", moment=moment_text(until, zone)) if until else _("There are no data yet.")


def late_text(polling: Polling | None) -> str:
    """Why there are no newer data, in plain words; "" when all goes well."""
    if polling is None:
        return _("This meter is not read automatically.")
    return _(WHY_LATE.get(polling.error_code, ANY_FAILURE)) if polling.error_code else ""


def next_text(polling: Polling | None, *, now: datetime, zone: ZoneInfo) -> str:
    """When the meter is read next; "" when nobody knows."""
    if polling is None:
        return ""
    if polling.next_at is None or polling.next_at <= now:
        return _("The meter will be read next in a few minutes.")
    return _("The meter will be read next at {moment}", moment=moment_text(polling.next_at, zone))


def gone_text(card: MeterCard) -> str:
    """That the meter stands there no more, since when, and what took its place; "" of one that does."""
    placed = card.placed
    if placed.removed_at is None:
        return ""
    moment = moment_text(placed.removed_at, placed.zone)
    if card.replaced_by:
        return _(
            "This meter was replaced on {moment} by the meter {serial}.",
            moment=moment,
            serial=card.replaced_by,
        )
    return _("This meter was removed on {moment}.", moment=moment)


def load_texts(card: MeterCard) -> Row:
    """The relay's state with its time, reason and advice."""
    placed = card.placed
    return {
        "load_state": placed.load.state.value,
        "load": word_of(placed.load.state),
        "load_at": time_text(placed.load, placed.zone),
        "reason": reason_text(placed.load, card.story, placed.zone),
        "advice": advice_text(placed.load, card.story),
    }


def _fact(name: str, value: str) -> Row:
    return {"name": name, "value": value or DASH}


def _day(value: date | None) -> str:
    return day_text(value) if value else DASH
