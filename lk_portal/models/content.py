"""Страницы информации and news: the utility's words, now and before, and its pictures."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class InfoKind(StrEnum):
    """Where a page stands: among the pages, among the news, or as a block of another page."""

    PAGE = "page"
    NEWS = "news"
    BLOCK = "block"


class InfoPage(Table, table=True):
    """One text in one language. It is shown from `published_at` on; without one it is a draft.

    A block (`login-welcome`) is a text inside a page of the portal and has no address of its own. `version`
    counts every change, so that who changes a page can say which state of it was in front of her.
    """

    __tablename__ = "info_page"
    __table_args__ = (UniqueConstraint("slug", "locale"),)

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(max_length=80, description="Small Latin letters, digits and dashes")
    locale: str = Field(max_length=8)
    kind: InfoKind = Field(sa_column=Column(Named(InfoKind), nullable=False))
    title: str = Field(max_length=200)
    text: str = Field(sa_column=Column(Text(), nullable=False), description="Markdown")
    position: int = Field(default=0, description="Among pages, small first")
    is_public: bool = Field(default=True, description="Visible before login")
    published_at: datetime | None = Field(default=None, sa_column=Column(UtcTime(), index=True))
    updated_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class InfoRevision(Table, table=True):
    """What a page said at one time. It never changes; a text that is brought back is a further revision."""

    __tablename__ = "info_revision"
    __table_args__ = (UniqueConstraint("page_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="info_page.id", ondelete="CASCADE")
    number: int = Field(ge=1)
    title: str = Field(max_length=200)
    text: str = Field(sa_column=Column(Text(), nullable=False), description="Markdown")
    author_user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    saved_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class InfoPicture(Table, table=True):
    """A picture for pages; its bytes are in `InfoPictureContent`, so that lists do not load them."""

    __tablename__ = "info_picture"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64, unique=True, description="By its content; what its address has")
    media_type: str = Field(max_length=64)
    author_user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class InfoPictureContent(Table, table=True):
    """The bytes of a picture; in the database for the reasons of `AttachmentContent`."""

    __tablename__ = "info_picture_content"

    picture_id: int = Field(primary_key=True, foreign_key="info_picture.id", ondelete="CASCADE")
    content: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))


class InfoPictureUse(Table, table=True):
    """Which page shows which picture: whoever may read one of its pages may see it."""

    __tablename__ = "info_picture_use"

    page_id: int = Field(primary_key=True, foreign_key="info_page.id", ondelete="CASCADE")
    picture_id: int = Field(primary_key=True, foreign_key="info_picture.id", ondelete="CASCADE", index=True)
