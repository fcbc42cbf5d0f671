"""What each person has seen: the items of her menu count what is newer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index, String
from sqlmodel import Field

from lk_portal.models.types import Table, UtcTime


class Section(StrEnum):
    """The portal's own items of the main menu that count what is new; packages add theirs as `Badge`s."""

    READINGS = "readings"
    EVENTS = "events"
    SUPPORT = "support"
    INFO = "info"


class SeenMarker(Table, table=True):
    """When a person last opened a section: what is newer is counted on its badge.

    `section` is a `Section`, or the name of a `Badge` of an installed package, also of one that is gone.
    `changed_at` is when the mark was written, whatever it says: by it open pages on every node learn of it.
    """

    __tablename__ = "seen_marker"
    __table_args__ = (Index("ix_seen_marker_changed_at", "changed_at"),)

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    section: str = Field(sa_column=Column(String(32), primary_key=True))
    seen_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    changed_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
