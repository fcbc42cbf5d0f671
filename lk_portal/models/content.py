"""Страницы информации and news: what the utility writes for its subscribers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


class InfoKind(StrEnum):
    """Where a page stands: among the pages, among the news, or as a block of another page."""

    PAGE = "page"
    NEWS = "news"
    BLOCK = "block"


class InfoPage(Table, table=True):
    """One text in one language. It is shown from `published_at` on; without one it is a draft.

    A block (`login-welcome`) is a text inside a page of the portal and has no address of its own.
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
