"""Шаблоны ответов: what the staff writes again and again. Read here; the list in `resources` writes them.

The caller checks the role.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from lk_portal.errors import NotFoundError
from lk_portal.models import AnswerTemplate
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

MOST = 100
"""So many are offered; a longer list is no quicker than typing."""

_template = table_of(AnswerTemplate)


@dataclass(frozen=True, slots=True)
class OfferedTemplate:
    """A template in the list. Its text is asked for when it is taken: all of them would be a heavy page."""

    id: int
    title: str


async def offered(database: Database) -> tuple[OfferedTemplate, ...]:
    """The templates in their order."""
    query = select(_template.c.id, _template.c.title).order_by(_template.c.position, _template.c.id)
    async with database.reading() as connection:
        return tuple(OfferedTemplate(*row) for row in await connection.execute(query.limit(MOST)))


async def text_of(database: Database, *, template_id: int) -> str:
    """The words of one.

    Raises:
        NotFoundError: There is none of this number.
    """
    async with database.reading() as connection:
        found: str | None = await connection.scalar(
            select(_template.c.text).where(_template.c.id == template_id)
        )
    if found is None:
        raise NotFoundError
    return found
