"""Who may sign in, with what, and the sessions that are open."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class Role(StrEnum):
    """What a signed-in person is to the utility."""

    SUBSCRIBER = "subscriber"
    OPERATOR = "operator"
    ADMIN = "admin"


class User(Table, table=True):
    """A person who may sign in, by e-mail or phone. The password is kept as a peppered bcrypt hash only."""

    __tablename__ = "portal_user"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=254, unique=True, description="Lower case")
    phone: str | None = Field(default=None, max_length=20, unique=True, description="E.164")
    role: Role = Field(sa_column=Column(Named(Role), nullable=False))
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", unique=True)
    display_name: str = Field(max_length=200)
    password_hash: str = Field(max_length=200)
    is_active: bool = Field(default=True)
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class UserSession(Table, table=True):
    """An open session. The cookie's token is not kept, only its SHA-256."""

    __tablename__ = "user_session"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="portal_user.id", index=True, ondelete="CASCADE")
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    seen_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))
    address: str = Field(default="", max_length=45)
    agent: str = Field(default="", max_length=200)


class SignInAttempt(Table, table=True):
    """A failed sign-in, counted by login and by address so that guessing grows slow. Hashes, not logins."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_key_at", "key", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64, description="SHA-256 of what is counted")
    at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
