"""What the services know of обращения, as the texts of /support. Pure, except for the reader's language."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from lk_portal.errors import NotFoundError
from lk_portal.i18n import _, active_locale, day_text, moment_text, ngettext
from lk_portal.security.navigation import FILES, SUPPORT
from lk_portal.services.events import OwnEvent
from lk_portal.services.ticket_desk_view import DeskMessage
from lk_portal.services.ticket_rules import CATEGORIES, REOPEN_WITHIN, STATUSES
from lk_portal.services.ticket_view import FileLine, MessageLine, OfferedAccount, TicketLine

Row = dict[str, str]
STAFF = "staff"
MAX_NUMBER_DIGITS = 12
_KB, _MB = 1024, 1024 * 1024


def ticket_row(ticket: TicketLine) -> Row:
    """One ticket of a list, or the head of its own page; a text is "" when there is nothing to say."""
    return {
        "number": str(ticket.id),
        "link": f"{SUPPORT}/{ticket.id}",
        "subject": ticket.subject,
        "status": ticket.status.value,
        "status_text": _(STATUSES[ticket.status]),
        "category": _(CATEGORIES[ticket.category]),
        "account": account_text(ticket.account, ticket.address),
        "created": moment_text(ticket.created_at, ticket.zone),
        "updated": moment_text(ticket.updated_at, ticket.zone),
        "promise": promise_text(ticket),
        "closed": moment_text(ticket.closed_at, ticket.zone) if ticket.closed_at else "",
    }


def promise_text(ticket: TicketLine) -> str:
    """Until which day the utility answers, where it is its turn."""
    if ticket.reply_by is None:
        return ""
    return _("We answer by {day}", day=day_text(ticket.reply_by.astimezone(ticket.zone).date()))


def reopen_text(ticket: TicketLine) -> str:
    """Until which moment a closed ticket can be opened again."""
    if ticket.closed_at is None:
        return ""
    until = ticket.closed_at + REOPEN_WITHIN - timedelta(minutes=1)
    return _("It can be opened again until {moment}.", moment=moment_text(until, ticket.zone))


def message_row(message: MessageLine, ticket: TicketLine) -> Row:
    """One turn of the dialogue: `author` is "staff" or ""."""
    return {
        "id": str(message.id),
        "author": STAFF if message.is_staff else "",
        "text": message.text,
        "at": moment_text(message.created_at, ticket.zone),
    }


def file_rows(message: MessageLine | DeskMessage) -> list[list[str]]:
    """The files of a message: name, size, address."""
    return [[file.name, size_text(file), f"{FILES}/{file.key}"] for file in message.files]


def earlier_text(count: int) -> str:
    """What the button says that shows more of a long dialogue; "" when there is no more."""
    if not count:
        return ""
    return ngettext("Show {count} earlier message", "Show {count} earlier messages", count)


def ticket_number(text: str) -> int:
    """The number that an address names.

    Raises:
        NotFoundError: It can be none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_DIGITS and int(text)):
        raise NotFoundError
    return int(text)


def size_text(file: FileLine) -> str:
    """A size as people read it: "2,4 МБ", "12 КБ"."""
    if file.size < _MB:
        return _("{size} KB", size=-(-file.size // _KB))
    separator = "," if active_locale() == "ru" else "."
    whole, tenth = divmod(round(file.size * 10 / _MB), 10)
    return _("{size} MB", size=f"{whole}{separator}{tenth}")


def account_row(account: OfferedAccount) -> list[str]:
    """An account for the form: its number, and what is shown."""
    return [account.number, account_text(account.number, account.address)]


def account_text(number: str, address: str) -> str:
    """An account as people know it."""
    return " · ".join(part for part in (number, address) if part)


def event_text(event: OwnEvent) -> str:
    """A meter's event in one line."""
    return _(
        "Event of meter {serial}, {moment}: {name}",
        serial=event.serial,
        moment=moment_text(event.occurred_at, ZoneInfo(event.timezone)),
        name=event_name(event),
    )


def event_name(event: OwnEvent) -> str:
    """What the event is called."""
    return event.entry.name(active_locale())
