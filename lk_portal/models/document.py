"""The documents a person agrees to, in versions, and who agreed to which text."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class DocumentKind(StrEnum):
    """What is agreed to: two documents, two ticks (152-ФЗ)."""

    AGREEMENT = "agreement"
    CONSENT = "consent"


class DocumentVersion(Table, table=True):
    """A published text. It never changes: a correction is the next version."""

    __tablename__ = "document_version"
    __table_args__ = (UniqueConstraint("kind", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: DocumentKind = Field(sa_column=Column(Named(DocumentKind), nullable=False))
    version: int = Field(ge=1)
    title: str = Field(max_length=200)
    text: str = Field(sa_column=Column(Text(), nullable=False), description="Markdown")
    text_hash: str = Field(max_length=64, description="SHA-256 of the text")
    published_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class Acceptance(Table, table=True):
    """Somebody's agreement to one text; withdrawn, it stays as the record of both."""

    __tablename__ = "acceptance"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="portal_user.id", index=True, ondelete="CASCADE")
    document_id: int = Field(foreign_key="document_version.id")
    text_hash: str = Field(max_length=64)
    accepted_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    address: str = Field(default="", max_length=45, description="Network address")
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
