"""The models' tables for SQLAlchemy Core. For services whose statements are built once and run often."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table as CoreTable

from lk_portal.models import Table


def table_of(model: type[Table]) -> CoreTable:
    """The Core table behind a model."""
    return cast("CoreTable", model.__table__)  # type: ignore[attr-defined]
