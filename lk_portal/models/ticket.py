"""Обращения: what subscribers ask the utility, as dialogues with files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index, LargeBinary, Text, text
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class TicketStatus(StrEnum):
    """Whose turn it is: Новое, В работе, Ждет ответа абонента, Закрыто."""

    NEW = "new"
    IN_WORK = "in_work"
    WAITING = "waiting"
    CLOSED = "closed"


class TicketCategory(StrEnum):
    """What a ticket is about; the promised time of an answer goes by it."""

    READINGS = "readings"
    METER = "meter"
    LOAD = "load"
    ACCOUNT = "account"
    CABINET = "cabinet"
    OTHER = "other"


class Ticket(Table, table=True):
    """Обращение: a dialogue of one subscriber with the utility about one of her accounts.

    It belongs to the subscriber, not to the login: it stays when the login is erased. `closed_at` is set as
    long as the status is CLOSED.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_subscriber_id_updated_at", "subscriber_id", "updated_at"),
        Index("ix_ticket_status_reply_by", "status", "reply_by"),
        Index("ix_ticket_updated_at", "updated_at"),
        # The staff's queue, whose open part stays small however many tickets were closed.
        Index(
            "ix_ticket_open",
            "reply_by",
            "id",
            "status",
            "assigned_user_id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_ticket_closed",
            "closed_at",
            "id",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id")
    account_id: int = Field(foreign_key="account.id", index=True)
    author_user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    category: TicketCategory = Field(sa_column=Column(Named(TicketCategory), nullable=False))
    subject: str = Field(max_length=120)
    status: TicketStatus = Field(sa_column=Column(Named(TicketStatus), nullable=False))
    event_id: int | None = Field(default=None, foreign_key="meter_event.id", ondelete="SET NULL")
    assigned_user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    reply_by: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))


class TicketMessage(Table, table=True):
    """One turn of the dialogue. Internal ones are notes of the staff, which the subscriber never sees.

    `send_key` comes with the form: a form that is sent twice makes one message.
    """

    __tablename__ = "ticket_message"
    __table_args__ = (Index("ix_ticket_message_ticket_id_created_at", "ticket_id", "created_at"),)

    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", ondelete="CASCADE")
    author_user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    is_staff: bool
    is_internal: bool = Field(default=False)
    text: str = Field(sa_column=Column(Text(), nullable=False))
    send_key: str = Field(max_length=64, unique=True)
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class TicketPresence(Table, table=True):
    """Who of the staff writes on a ticket just now, for the colleagues who have it open too.

    Of no value after a minute. `changed_at` is when anything of the row, or a note of that person's, was
    written: by it open pages of the staff on every node learn of it.
    """

    __tablename__ = "ticket_presence"
    __table_args__ = (Index("ix_ticket_presence_changed_at", "changed_at"),)

    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", ondelete="CASCADE")
    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    typed_at: datetime | None = Field(
        default=None, sa_column=Column(UtcTime()), description="None: sent, or nothing typed yet"
    )
    changed_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class AnswerTemplate(Table, table=True):
    """Шаблон ответа: words that the staff needs again and again, by their place in the list."""

    __tablename__ = "answer_template"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=120)
    text: str = Field(sa_column=Column(Text(), nullable=False))
    position: int = Field(default=0)


class Attachment(Table, table=True):
    """A file of a message; its bytes are in `AttachmentContent`, so that lists do not load them."""

    __tablename__ = "attachment"

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="ticket_message.id", ondelete="CASCADE", index=True)
    key: str = Field(max_length=64, unique=True, description="Random; what its address has")
    name: str = Field(max_length=120, description="As its sender called it, for people only")
    media_type: str = Field(max_length=64, description="By its content")
    size: int = Field(ge=0)
    sha256: str = Field(max_length=64)
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class AttachmentContent(Table, table=True):
    """The bytes of a file.

    In the database and not in a folder: they come and go with their message's transaction, are in every
    backup, and every node of several has them.
    """

    __tablename__ = "attachment_content"

    attachment_id: int = Field(primary_key=True, foreign_key="attachment.id", ondelete="CASCADE")
    content: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
