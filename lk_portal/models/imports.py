"""Files of the registry that staff sent in, and what became of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field

from lk_portal.models.types import Named, Table, UtcTime


def _text(most: int, description: str) -> Any:
    return Field(
        default="", max_length=most, sa_column_kwargs={"server_default": ""}, description=description
    )


class ImportStatus(StrEnum):
    """How far a file is. It is checked first; a person then has it written."""

    CHECKING = "checking"
    CHECKED = "checked"
    WRITING = "writing"
    DONE = "done"
    REFUSED = "refused"


class ImportRun(Table, table=True):
    """One file, and what is wished for: while `status` is CHECKING or WRITING, a worker does it.

    `told_at` is when it was asked for, or when whoever is at it last told of itself; while it writes on
    SQLite it cannot tell.
    """

    __tablename__ = "import_run"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    name: str = Field(max_length=120, description="As its sender called it, for people only")
    status: ImportStatus = Field(sa_column=Column(Named(ImportStatus), nullable=False))
    rows: int = Field(default=0)
    report: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="How many were new")
    problem: str = Field(default="", max_length=400, description="A message id")
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="Fills the message")
    bad_rows: list[Any] = Field(
        sa_column=Column(JSON, nullable=False), description="Number, column, message id and data of each"
    )
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    told_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    asked_by: int | None = Field(
        default=None,
        foreign_key="portal_user.id",
        ondelete="SET NULL",
        description="Who has it written; the audit names them",
    )
    asked_at: datetime | None = Field(default=None, sa_column=Column(UtcTime(), nullable=True))
    address: str = _text(45, "From where it was asked to be written")
    agent: str = _text(200, "With which browser")
    claimed_by: str = _text(120, "The worker that is at it; empty: nobody")
    attempts: int = Field(
        default=0,
        sa_column_kwargs={"server_default": "0"},
        description="So often it was begun; one that was given back in good order does not count",
    )


class ImportFile(Table, table=True):
    """The bytes of a file until it is written or refused: any node can go on with it."""

    __tablename__ = "import_file"

    run_id: int = Field(primary_key=True, foreign_key="import_run.id", ondelete="CASCADE")
    content: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
