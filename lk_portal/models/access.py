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


class Duty(StrEnum):
    """What a person must do before a session opens the cabinet.

    VIEWING is of staff who look through a subscriber's eyes: that must be ended first, and is not theirs.
    """

    NONE = "none"
    NEW_PASSWORD = "new_password"  # noqa: S105 - a name, no password
    CONSENT = "consent"
    SECOND_FACTOR = "second_factor"
    ENROL = "enrol"
    VIEWING = "viewing"


class Theme(StrEnum):
    """How pages look to a person."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class User(Table, table=True):
    """A person who may sign in, by e-mail or phone. Passwords are kept as peppered bcrypt hashes only.

    Without a lasting password (`password_hash` is empty) the registration was never finished: whoever knows
    the account and its address may begin it anew.
    """

    __tablename__ = "portal_user"
    # The audit names users by number: without this SQLite would give the newest one's to the next.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=254, unique=True, description="Lower case")
    phone: str | None = Field(default=None, max_length=20, unique=True, description="E.164")
    role: Role = Field(sa_column=Column(Named(Role), nullable=False))
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", unique=True)
    display_name: str = Field(max_length=200)
    password_hash: str = Field(max_length=200)
    temporary_hash: str = Field(default="", max_length=200, description="Of a mailed password; one use")
    temporary_until: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    locale: str = Field(default="", max_length=8, description="Of letters; empty: the portal's own")
    theme: Theme = Field(default=Theme.SYSTEM, sa_column=Column(Named(Theme), nullable=False))
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
    duty: Duty = Field(default=Duty.NONE, sa_column=Column(Named(Duty), nullable=False))
    address: str = Field(default="", max_length=45)
    agent: str = Field(default="", max_length=200)
    device_hash: str = Field(default="", max_length=64, description="SHA-256 of the browser's mark")


class Attempt(Table, table=True):
    """Something that may be tried only so often, e.g. a wrong password. Kept for hours, under hashes."""

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_key_at", "key", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64, description="SHA-256 of what is counted")
    at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class CaptchaChallenge(Table, table=True):
    """A picture of digits somebody was shown. The row goes at the first answer, right or wrong.

    The digits are in clear: they live for minutes, and whoever can read the database needs no picture.
    """

    __tablename__ = "captcha_challenge"

    id: str = Field(primary_key=True, max_length=64, description="Random, unguessable")
    purpose: str = Field(max_length=16)
    browser_hash: str = Field(max_length=64, description="SHA-256 of the client it was shown to")
    answer: str = Field(max_length=8)
    expires_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))


class EmailChange(Table, table=True):
    """A new e-mail that waits for the code sent to it; the job that sends the letter makes the code."""

    __tablename__ = "email_change"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    new_email: str = Field(max_length=254, description="Lower case, domain in ASCII")
    code_hash: str = Field(default="", max_length=64, description="Empty until the code is made")
    failures: int = Field(default=0, description="Wrong codes typed")
    expires_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class SecondFactor(Table, table=True):
    """The key of a person's authenticator application, encrypted; unconfirmed, with her new codes."""

    __tablename__ = "second_factor"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    box: str = Field(max_length=1000, description="See security.locked_box")
    last_step: int = Field(default=0, description="Of time, whose code was used last; 30 s each since 1970")
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    confirmed_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))


class RecoveryCode(Table, table=True):
    """A code that stands in for a lost second factor once; the row goes when it is used."""

    __tablename__ = "recovery_code"

    code_hash: str = Field(primary_key=True, max_length=64, description="Keyed; see security.codes")
    user_id: int = Field(foreign_key="portal_user.id", index=True, ondelete="CASCADE")


class Viewing(Table, table=True):
    """A member of staff looks through a subscriber's eyes, in one session, until a time; never deleted."""

    __tablename__ = "viewing"

    id: int | None = Field(default=None, primary_key=True)
    session_hash: str = Field(max_length=64, index=True, description="Of the session's token meanwhile")
    actor_user_id: int = Field(description="Who looks; `portal_user.id`, also of one deleted")
    subscriber_id: int = Field(description="Whose cabinet; `subscriber.id`")
    subject_user_id: int | None = Field(default=None, description="The subscriber's login then")
    began_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    until: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcTime(), index=True))
    back_to: str = Field(default="/", max_length=300, description="The page it was begun from")
