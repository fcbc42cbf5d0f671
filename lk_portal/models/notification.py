"""What a person is told without asking: her choices, her devices, what waits to be pushed to them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class NotificationKind(StrEnum):
    """What a person may be told of, or not."""

    NEW_DEVICE = "new_device"
    ANSWER = "answer"
    CRITICAL_EVENT = "critical_event"
    WARNING_EVENT = "warning_event"
    UNUSUAL_CONSUMPTION = "unusual_consumption"
    VERIFICATION_DUE = "verification_due"


class Channel(StrEnum):
    """How a person is told."""

    LETTER = "letter"
    PUSH = "push"


class NotificationChoice(Table, table=True):
    """Whether a person wants a kind of notification in a way, where she chose; else the kind's default."""

    __tablename__ = "notification_setting"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    kind: NotificationKind = Field(sa_column=Column(Named(NotificationKind), primary_key=True))
    channel: Channel = Field(sa_column=Column(Named(Channel), primary_key=True))
    is_wanted: bool


class ConsumptionLimit(Table, table=True):
    """A person's own threshold: she is told when a metering point used more than this in a month."""

    __tablename__ = "consumption_limit"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    point_id: int = Field(primary_key=True, foreign_key="metering_point.id", ondelete="CASCADE")
    month_wh: int = Field(sa_type=BigInteger, ge=1)


class Notified(Table, table=True):
    """That a person was told of something once: she is not told again."""

    __tablename__ = "notified"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    kind: NotificationKind = Field(sa_column=Column(Named(NotificationKind), primary_key=True))
    key: str = Field(primary_key=True, max_length=80, description="E.g. the event's id, or point and month")
    at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))


class PushSubscription(Table, table=True):
    """A browser that may be pushed to (Web Push, RFC 8030), with the keys it gave (RFC 8291)."""

    __tablename__ = "push_subscription"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    endpoint: str = Field(max_length=1000, unique=True)
    p256dh: str = Field(max_length=128)
    auth: str = Field(max_length=64)
    agent: str = Field(default="", max_length=200)
    device_hash: str = Field(default="", max_length=64, description="Of the session it was made in")
    locale: str = Field(default="", max_length=8)
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class PushMessage(Table, table=True):
    """Something to push to one browser; sent by a job like letters, and gone when it was taken."""

    __tablename__ = "push_message"
    __table_args__ = (Index("ix_push_message_next_attempt_at", "next_attempt_at"),)

    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int = Field(foreign_key="push_subscription.id", ondelete="CASCADE", index=True)
    kind: NotificationKind = Field(sa_column=Column(Named(NotificationKind), nullable=False))
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="Fills the text")
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    next_attempt_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    attempts: int = Field(default=0)
