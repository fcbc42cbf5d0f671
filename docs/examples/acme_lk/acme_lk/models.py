"""The package's own table; the migration in `migrations` makes it."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field

from lk_portal.models import Table
from lk_portal.models.types import UtcTime
from lk_portal.services.context import utc_now


class Advice(Table, table=True):
    """What Acme advises whoever has a personal account."""

    __tablename__ = "acme_advice"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    text: str = Field(max_length=500)
    changed_at: datetime = Field(
        default_factory=utc_now, sa_column=Column(UtcTime(), nullable=False, onupdate=utc_now, index=True)
    )
