"""Holes of a meter's data, and what became of asking its archive, as texts. Pure; for `state.connection`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lk_portal.errors import N_
from lk_portal.i18n import _, clock_text, kwh, moment_text, ngettext
from lk_portal.services.archive_fill import Fate
from lk_portal.services.holes import Hole
from lk_portal.services.poll_texts import advice_text, kind_text
from lk_portal.services.quantity_texts import quantity_text, unit_of
from lk_portal.services.replay_view import ArchiveView, LastReplay
from lk_portal.services.replays import Part
from lk_portal.state.accounts_view import Row

_KEY = "-"
_MOST_SHOWN = 40


def archive_texts(found: ArchiveView, zone: ZoneInfo, *, now: datetime) -> dict[str, Any]:
    """What the page shows of holes and archive, by the names of its vars."""
    last = found.last
    return {
        "has_archive": found.profile is not None,
        "archive_note": _note(found),
        "holes": [_hole(one, zone) for one in found.holes],
        "holes_note": _hidden(found),
        "replay_phase": _phase(last),
        "replay": _headline(last, zone, now=now) if last else "",
        "replay_advice": advice_text(last.error_code) if last else "",
        "replay_parts": [_part(one, zone) for one in last.parts[:_MOST_SHOWN]] if last else [],
    }


def span_of(key: str) -> tuple[datetime, datetime] | None:
    """The hole that a key of `holes` names, aware UTC; None of what is no key."""
    numbers = key.split(_KEY)
    if len(numbers) != 2 or not all(one.isascii() and one.isdigit() and len(one) < 12 for one in numbers):
        return None
    start, end = (datetime.fromtimestamp(int(one), ZoneInfo("UTC")) for one in numbers)
    return start, end


def span_text(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """From when to when; the date once where it is the same."""
    is_one_day = start.astimezone(zone).date() == end.astimezone(zone).date()
    return f"{moment_text(start, zone)} – {clock_text(end, zone) if is_one_day else moment_text(end, zone)}"


def _note(found: ArchiveView) -> str:
    profile = found.profile
    if not found.is_polled:
        return _("The meter is not read, so nothing can be fetched from its archive.")
    if profile is None:
        return _(
            "What is missing cannot be fetched later: this model keeps no archive that the portal can read."
        )
    return _(
        "The meter keeps its consumption by {minutes} minutes for {days} days.",
        minutes=profile.interval // timedelta(minutes=1),
        days=profile.depth // timedelta(days=1),
    )


def _hole(one: Hole, zone: ZoneInfo) -> Row:
    parts = []
    if one.missing:
        parts.append(ngettext("{count} interval is missing", "{count} intervals are missing", one.missing))
    if one.estimated:
        text = ngettext("{count} interval is estimated", "{count} intervals are estimated", one.estimated)
        parts.append(text)
    return {
        "key": f"{int(one.start.timestamp())}{_KEY}{int(one.end.timestamp())}",
        "when": span_text(one.start, one.end, zone),
        "what": ", ".join(parts),
    }


def _hidden(found: ArchiveView) -> str:
    hidden = found.count - len(found.holes)
    return _("Shown: {shown} of {count}.", shown=len(found.holes), count=found.count) if hidden else ""


def _phase(last: LastReplay | None) -> str:
    if last is None:
        return ""
    if last.is_open and (last.error_code or not last.filled):
        return "waiting"
    return "bad" if last.error_code or not last.filled else "good"


def _headline(last: LastReplay, zone: ZoneInfo, *, now: datetime) -> str:
    if last.error_code:
        text = _("The archive could not be read: {reason}.", reason=_lowered(kind_text(last.error_code)))
        again = _("It is tried again with the next poll.")
        return f"{text} {again}" if last.is_open else text
    if not last.is_open:
        return _numbers(last)
    again = _("The archive is read right after the next poll.")
    if last.due_at > now:
        moment = moment_text(last.due_at, zone)
        again = _("The archive is read with the first poll after {moment}.", moment=moment)
    return f"{_numbers(last)} {again}" if last.filled else again


def _numbers(last: LastReplay) -> str:
    filled = ngettext("{count} interval was filled", "{count} intervals were filled", last.filled)
    left = ngettext("{count} was not", "{count} were not", last.left)
    return f"{filled}, {left}." if last.left else f"{filled}."


def _lowered(text: str) -> str:
    """A sentence's beginning, to go on with."""
    return text[:1].lower() + text[1:]


def _part(one: Part, zone: ZoneInfo) -> Row:
    return {
        "key": f"{one.quantity}:{one.start.timestamp():.0f}",
        "when": f"{quantity_text(one.quantity)}, {span_text(one.start, one.end, zone)}",
        "fate": _fate(one),
    }


def _fate(one: Part) -> str:
    unit = unit_of(one.quantity)
    archive, register = (f"{kwh(value)} {unit}" for value in (one.archive_wh, one.register_wh))
    return _(_FATES[one.fate], archive=archive, register=register)


_FATES = {
    Fate.FILLED: N_("filled, and the readings agree"),
    Fate.UNCHECKED: N_("filled; there are no readings before or after to compare with"),
    Fate.DISAGREES: N_("not taken: {archive} by the archive, {register} by the readings"),
    Fate.ABSENT: N_("not filled: the archive has no record, as when the meter had no power"),
    Fate.MARKED: N_("not filled: the meter itself says that the record is not to be used"),
    Fate.PARTIAL: N_("not filled: the archive has only a part of it"),
    Fate.OLD: N_("not filled: the archive does not go back so far"),
    Fate.SPLIT: N_("not filled: intervals of another length are stored there"),
}
