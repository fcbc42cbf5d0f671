"""Who did what to whose things, when and from where; and requests that people must decide."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class AuditEntry(Table, table=True):
    """One deed. Added in the deed's own transaction; triggers of the database refuse every change.

    Users stand here by number only, without a foreign key: a number names nobody any more once the login is
    erased or deleted, is never given to another, and the entry need not be touched for that.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject_user_id_at", "subject_user_id", "at"),
        Index("ix_audit_entry_actor_user_id_at", "actor_user_id", "at"),
        Index("ix_audit_entry_action", "action", postgresql_ops={"action": "text_pattern_ops"}),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))
    action: str = Field(max_length=64, description="source:subject:action, e.g. web:session:begin")
    actor_user_id: int | None = Field(default=None, description="`portal_user.id`, also of one deleted")
    subject_user_id: int | None = Field(default=None, description="`portal_user.id`, also of one deleted")
    address: str = Field(default="", max_length=45)
    agent: str = Field(default="", max_length=200)
    detail: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    previous: str = Field(max_length=64, description="`hash` of the entry before; of the first, zeros")
    hash: str = Field(max_length=64, description="SHA-256 in hex of all the above; see services.audit_chain")


class AuditHead(Table, table=True):
    """The newest entry of the audit, in one row: who adds one locks it, and what is cut off is missed."""

    __tablename__ = "audit_head"

    id: int = Field(default=1, primary_key=True)
    entry_id: int = Field(description="`audit_entry.id`; 0: there is none yet")
    hash: str = Field(max_length=64)


class ClaimReason(StrEnum):
    """Why a registration could not be finished without the utility."""

    ACCOUNT_OWNED = "account_owned"
    PHONE_IN_USE = "phone_in_use"


class AccountClaim(Table, table=True):
    """A registration for the utility's staff to decide; open until `closed_at`."""

    __tablename__ = "account_claim"

    id: int | None = Field(default=None, primary_key=True)
    reason: ClaimReason = Field(sa_column=Column(Named(ClaimReason), nullable=False))
    account_id: int = Field(foreign_key="account.id", index=True)
    full_name: str = Field(max_length=200)
    email: str = Field(max_length=254)
    phone: str = Field(max_length=20)
    address: str = Field(default="", max_length=45, description="Network address")
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcTime(), index=True))
