"""What meters report about themselves: the entries of their journals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field

from lk_portal.metering.types import Severity
from lk_portal.models.types import Named, Table, UtcTime


class MeterEvent(Table, table=True):
    """Событие: one entry of a meter's journal (journal and code as in СТО 34.01-5.1-006)."""

    __tablename__ = "meter_event"
    __table_args__ = (
        UniqueConstraint("meter_id", "occurred_at", "journal", "code"),
        Index("ix_meter_event_received_at", "received_at"),
        Index("ix_meter_event_nearest", "meter_id", "journal", "code", "occurred_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    meter_id: int = Field(foreign_key="meter.id")
    occurred_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    journal: int = Field(description="e of 0.0.96.11.e.255")
    code: int
    severity: Severity = Field(sa_column=Column(Named(Severity), nullable=False))
    received_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
