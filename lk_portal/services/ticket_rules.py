"""The rules of обращения: what may be written, when an answer is promised, how long they can be reopened.

Pure; for the services of tickets, and for the texts of pages and letters.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from lk_portal.errors import N_, InputError
from lk_portal.models import TicketCategory, TicketStatus
from lk_portal.security.tokens import hash_of
from lk_portal.services.texts import is_storable

MAX_SUBJECT = 120
MAX_TEXT = 10_000
REOPEN_WITHIN = timedelta(days=14)
DAY = timedelta(hours=24)
TICKETS_A_DAY = 20
MESSAGES_A_DAY = 60
BYTES_A_DAY = 200 * 2**20

WORKING_DAYS = MappingProxyType(
    {
        TicketCategory.READINGS: 5,
        TicketCategory.METER: 5,
        TicketCategory.LOAD: 3,
        TicketCategory.ACCOUNT: 5,
        TicketCategory.CABINET: 3,
        TicketCategory.OTHER: 10,
    }
)
"""By category, within how many working days the utility answers."""
END_OF_WORK = time(18)
_SATURDAY = 5

CATEGORIES = MappingProxyType(
    {
        TicketCategory.READINGS: N_("Readings and consumption"),
        TicketCategory.METER: N_("Meter and its verification"),
        TicketCategory.LOAD: N_("No electricity"),
        TicketCategory.ACCOUNT: N_("Account and contract"),
        TicketCategory.CABINET: N_("Work of the cabinet"),
        TicketCategory.OTHER: N_("Other question"),
    }
)
STATUSES = MappingProxyType(
    {
        TicketStatus.NEW: N_("New"),
        TicketStatus.IN_WORK: N_("In work"),
        TicketStatus.WAITING: N_("Waits for the subscriber's answer"),
        TicketStatus.CLOSED: N_("Closed"),
    }
)
"""Message ids."""

_SEND_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_TURNS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_OF_TEXT = frozenset("\t\n")


def reply_by(category: TicketCategory, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Until when the utility answers what was written `now`, aware UTC.

    The end of the last of the category's working days, of which the first is the day after `now` by the
    clock of `zone`. Working days are Monday to Friday: the portal knows no holidays, so around them the
    utility must be quicker than it seems to promise.
    """
    day = now.astimezone(zone).date()
    for _number in range(WORKING_DAYS[category]):
        day = _next_working_day(day)
    return datetime.combine(day, END_OF_WORK, zone).astimezone(now.tzinfo)


def can_reopen(closed_at: datetime | None, *, now: datetime) -> bool:
    """Whether a ticket closed then can be opened again by its subscriber."""
    return closed_at is not None and now <= closed_at + REOPEN_WITHIN


def checked_subject(typed: str) -> str:
    """One line of 1 to `MAX_SUBJECT` characters.

    Raises:
        InputError: It is not; its field is "subject".
    """
    subject = " ".join(typed.split())
    if not is_storable(subject) or any(_is_hidden(sign) for sign in subject):
        raise InputError(N_("The subject has characters that no keyboard types."), field="subject")
    if not 1 <= len(subject) <= MAX_SUBJECT:
        raise InputError(
            N_("The subject must have 1 to {most} characters."), field="subject", most=MAX_SUBJECT
        )
    return subject


def checked_text(typed: str) -> str:
    """A text of 1 to `MAX_TEXT` characters with its lines, without spaces around it.

    Raises:
        InputError: It is not; its field is "text".
    """
    text = typed.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not is_storable(text) or any(_is_hidden(sign) for sign in text if sign not in _OF_TEXT):
        raise InputError(N_("The text has characters that no keyboard types."), field="text")
    if not 1 <= len(text) <= MAX_TEXT:
        raise InputError(N_("The text must have 1 to {most} characters."), field="text", most=MAX_TEXT)
    return text


def checked_category(given: str) -> TicketCategory:
    """The category of that name.

    Raises:
        InputError: There is none; its field is "category".
    """
    try:
        return TicketCategory(given)
    except ValueError:
        raise InputError(N_("Choose a category."), field="category") from None


def stored_key(send_key: str, *, user_id: int) -> str:
    """What is kept of the key that came with a form: one person's keys cannot meet another's.

    Raises:
        InputError: It is no key that a page of ours makes.
    """
    if not _SEND_KEY.fullmatch(send_key):
        raise InputError(N_("The page was open for too long. Send the form again."))
    return hash_of(f"ticket-message:{user_id}:{send_key}")


def _next_working_day(day: date) -> date:
    day += timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


def _is_hidden(sign: str) -> bool:
    """Controls, and marks that turn the direction of writing: a text could seem to say something else."""
    return unicodedata.category(sign) == "Cc" or unicodedata.bidirectional(sign) in _TURNS
