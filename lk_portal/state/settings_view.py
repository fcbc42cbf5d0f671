"""What the services know of a person, as the texts of /settings. Pure, except for the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import phonenumbers

from lk_portal.i18n import _, moment_text
from lk_portal.letters.agents import browser_name
from lk_portal.services.audit import Entry
from lk_portal.services.own_data import Accepted
from lk_portal.services.sessions import OwnSession

Row = dict[str, str]
YES = "yes"


def phone_text(phone: str) -> str:
    """A stored number as people write it, e.g. +7 913 123-45-67; "" when there is none."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def browser_text(agent: str) -> str:
    """A browser in plain words; nobody's own words come out of it."""
    name = browser_name(agent)
    return _("Unknown browser") if name == "-" else name


def session_row(session: OwnSession, zone: ZoneInfo) -> Row:
    """One open session: `is_current` is "yes" or ""."""
    browser = browser_text(session.agent)
    return {
        "reference": session.reference,
        "browser": browser,
        "address": session.address,
        "began": moment_text(session.began_at, zone),
        "seen": moment_text(session.seen_at, zone),
        "is_current": YES if session.is_current else "",
        "end_label": _("End session: {browser}, {address}", browser=browser, address=session.address),
    }


def history_row(entry: Entry, zone: ZoneInfo, *, utility: str = "") -> Row:
    """One line of the person's own history; what staff did bears the utility's name, not their place."""
    return {
        "at": moment_text(entry.at, zone),
        "text": _(entry.text),
        "address": utility if entry.is_utilitys else entry.address,
        "browser": browser_text(entry.agent) if entry.address else "",
    }


def document_rows(accepted: Iterable[Accepted], zone: ZoneInfo) -> list[Row]:
    """The accepted texts, with the time of acceptance and, where it was taken back, of that."""
    return [
        {
            "title": one.title,
            "version": _("version {number}", number=one.version),
            "accepted": moment_text(one.accepted_at, zone),
            "withdrawn": moment_text(one.withdrawn_at, zone) if one.withdrawn_at else "",
            "link": f"/info/{one.kind.value}?version={one.version}",
        }
        for one in accepted
    ]
