"""What the services know of обращения, as the texts of the staff's desk. Pure, except for the language."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from lk_portal.i18n import _, active_locale, moment_text
from lk_portal.security.navigation import DESK
from lk_portal.services.ticket_desk_view import DeskEvent, DeskMessage, DeskTicket, SubscriberCard
from lk_portal.services.ticket_queue import Queue, QueueCounts, QueueLine, is_overdue
from lk_portal.services.ticket_view import TicketLine
from lk_portal.state.accounts_view import fresh_text
from lk_portal.state.home_view import severity_text
from lk_portal.state.load_view import word_of
from lk_portal.state.tickets_view import Row, ticket_row

OWN, NOTE, STAFF = "", "note", "staff"
"""Whose turn of the dialogue it is: the subscriber's, or the staff's, who keep it or send it."""
YES = "yes"


def queue_address(queue: Queue, *, typed: str = "", after: str = "") -> str:
    """The address of a queue, searched for `typed`, from `after` on."""
    asked = {"queue": queue.value, "q": typed, "after": after}
    return f"{DESK}?{urlencode({name: value for name, value in asked.items() if value})}"


def queue_row(line: QueueLine, *, now: datetime) -> Row:
    """A ticket in the queue; `now` is aware UTC."""
    ticket = line.ticket
    return {
        **ticket_row(ticket),
        "link": f"{DESK}/{ticket.id}",
        "due": due_text(ticket),
        "overdue": YES if is_overdue(ticket, now=now) else "",
        "subscriber": line.subscriber,
        "assignee": line.assignee,
    }


def due_text(ticket: TicketLine) -> str:
    """By when it has to be answered; "" when it is not the utility's turn."""
    if ticket.reply_by is None:
        return ""
    return _("Reply by {moment}", moment=moment_text(ticket.reply_by, ticket.zone))


def counts_row(counts: QueueCounts) -> Row:
    """How much waits, by queue; nothing where nothing waits."""
    found = {
        Queue.NEW: counts.new,
        Queue.OVERDUE: counts.overdue,
        Queue.MINE: counts.mine,
        Queue.OPEN: counts.open,
    }
    return {queue.value: str(count) if count else "" for queue, count in found.items()}


def head_row(found: DeskTicket, *, staff_id: int, now: datetime) -> Row:
    """The head of a ticket; `now` is aware UTC."""
    ticket = found.ticket
    return {
        **ticket_row(ticket),
        "due": due_text(ticket),
        "overdue": YES if is_overdue(ticket, now=now) else "",
        "assignee": found.assignee,
        "is_mine": YES if found.assignee_id == staff_id else "",
    }


def desk_message_row(message: DeskMessage, ticket: TicketLine) -> Row:
    """One turn of the dialogue, or a note."""
    kind = NOTE if message.is_internal else STAFF if message.is_staff else OWN
    return {
        "id": str(message.id),
        "kind": kind,
        "author": message.author or _("Login erased"),
        "text": message.text,
        "at": moment_text(message.created_at, ticket.zone),
    }


def writing_text(names: tuple[str, ...]) -> str:
    """Who else writes an answer; "" when nobody does."""
    if not names:
        return ""
    if len(names) == 1:
        return _("{name} is answering", name=names[0])
    return _("{names} are answering", names=", ".join(names))


def card_facts(card: SubscriberCard, ticket: TicketLine) -> list[Row]:
    """Whose ticket it is, as names and values."""
    return [
        {"name": _("Full name"), "value": card.name},
        {"name": _("Phone"), "value": card.phone or "—"},
        {"name": _("Email"), "value": card.email or "—"},
        {"name": _("Personal account"), "value": ticket.account},
        {"name": _("Address"), "value": ticket.address},
    ]


def card_meters(card: SubscriberCard) -> list[Row]:
    """The meters of the account, with what they do now and until when there are data."""
    return [
        {
            "serial": meter.serial,
            "model": meter.model,
            "load_state": meter.load.state.value,
            "load": word_of(meter.load.state),
            "fresh": fresh_text(meter.data_until, meter.zone),
        }
        for meter in card.meters
    ]


def card_events(card: SubscriberCard, ticket: TicketLine) -> list[Row]:
    """The last events of those meters."""
    return [_event(one, ticket) for one in card.events]


def _event(one: DeskEvent, ticket: TicketLine) -> Row:
    return {
        "kind": one.severity.value,
        "word": severity_text(one.severity),
        "name": one.entry.name(active_locale()),
        "at": moment_text(one.occurred_at, ticket.zone),
        "serial": one.serial,
    }
