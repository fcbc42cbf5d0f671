"""The package's own table, and whose its rows are; the migration in `migrations` makes it."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field

from lk_portal.models import Account, Table
from lk_portal.models.types import UtcTime
from lk_portal.services.context import utc_now
from lk_portal.services.personal import personal


class Advice(Table, table=True):
    """What Acme advises whoever has a personal account."""

    __tablename__ = "acme_advice"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    text: str = Field(max_length=500)
    changed_at: datetime = Field(
        default_factory=utc_now, sa_column=Column(UtcTime(), nullable=False, onupdate=utc_now, index=True)
    )


personal(
    Advice,
    whose=Account.subscriber_id,
    shown={"account": Account.number, "text": Advice.text, "changed_at": Advice.changed_at},
)
