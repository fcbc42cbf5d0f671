"""What belongs to a subscriber: every query for her things starts here, so a foreign id finds nothing."""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam
from sqlalchemy import Table as CoreTable

from lk_portal.models import Account
from lk_portal.services.tables import table_of

OWNER: BindParameter[int] = bindparam("subscriber_id")
"""The parameter of statements that are built once: whose things are asked for."""


def is_owned(
    subscriber_id: int | ColumnElement[int] = OWNER, *, account: CoreTable | None = None
) -> ColumnElement[bool]:
    """The accounts in a subscriber's cabinet: hers, and not removed from it by herself.

    Args:
        subscriber_id: Whose; by default the parameter `subscriber_id`. A column, where the query looks for
            the persons whose a thing is.
        account: An alias of the table, where the query has one.
    """
    columns = (account if account is not None else table_of(Account)).c
    return and_(columns.subscriber_id == subscriber_id, columns.removed_at.is_(None))
