"""The outbox: letters that were decided on in a transaction and are sent by a job."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class LetterKind(StrEnum):
    """What a letter is about; each has a template in every language."""

    WELCOME = "welcome"
    RECOVERY = "recovery"
    ACCESS_GIVEN = "access_given"
    ALREADY_REGISTERED = "already_registered"
    CLAIM_KEPT = "claim_kept"
    CLAIM_ACCEPTED = "claim_accepted"
    CLAIM_REFUSED = "claim_refused"
    ACCOUNT_MOVED = "account_moved"
    EMAIL_CODE = "email_code"
    EMAIL_CHANGED = "email_changed"
    PHONE_CHANGED = "phone_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name, no password
    SECOND_FACTOR_DROPPED = "second_factor_dropped"
    NEW_DEVICE = "new_device"
    METER_EVENT = "meter_event"
    UNUSUAL_CONSUMPTION = "unusual_consumption"
    VERIFICATION_DUE = "verification_due"
    ERASED = "erased"
    TICKET_ANSWERED = "ticket_answered"


class LetterStatus(StrEnum):
    """What has become of a letter."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class Letter(Table, table=True):
    """The intent to write to somebody. Passwords and codes are made when it is sent, and are never here."""

    __tablename__ = "letter"
    __table_args__ = (Index("ix_letter_status_next_attempt_at", "status", "next_attempt_at"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: LetterKind = Field(sa_column=Column(Named(LetterKind), nullable=False))
    to_address: str = Field(max_length=254)
    user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL", index=True)
    locale: str = Field(max_length=8)
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="Fills the template")
    message_id: str = Field(max_length=128, unique=True, description="The same at every attempt")
    status: LetterStatus = Field(sa_column=Column(Named(LetterStatus), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    next_attempt_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    attempts: int = Field(default=0)
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    last_error: str = Field(default="", max_length=400)
