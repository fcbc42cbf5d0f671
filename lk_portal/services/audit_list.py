"""The audit as a list for the utility's administrator: its columns, how it is searched, its words.

For the resource /admin/audit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, union_all

from lk_portal.errors import N_
from lk_portal.i18n import _
from lk_portal.models import AuditEntry, User
from lk_portal.services import audit
from lk_portal.services.resource import resource_named
from lk_portal.services.resource.beginning import begins, is_among
from lk_portal.services.tables import table_of

MOST = 1000
VERBS = {"create": N_("added"), "change": N_("changed"), "remove": N_("removed"), "export": N_("downloaded")}

_entry, _user = table_of(AuditEntry), table_of(User)


def _login(number: Any) -> ColumnElement[Any]:
    return select(_user.c.email).where(_user.c.id == number).scalar_subquery()


WHO, WHOSE = _login(_entry.c.actor_user_id), _login(_entry.c.subject_user_id)
"""E-mails of the users; of an erased one the name of nobody, of a deleted one nothing."""


def action_text(action: str) -> str:
    """An action in words; of a list's, with the list's title."""
    name, _mark, verb = action.removeprefix(audit.REGISTRY).partition(":")
    found = resource_named(name) if action.startswith(audit.REGISTRY) and action not in audit.TEXTS else None
    if found is None:
        return _(audit.text_of(action))
    own = found.action(verb)
    return f"{_(found.title)}: {_(own.label) if own else _(VERBS.get(verb, VERBS['change']))}"


def detail_text(detail: Mapping[str, Any]) -> str:
    """The facts that were noted, one after the other."""
    return "; ".join(f"{name}: {fact}" for name, fact in detail.items())


def by_login(spellings: Sequence[str]) -> Select[Any]:
    """Entries of what users did, or what was done to them, whose e-mail or phone begins so; the newest."""
    users = select(_user.c.id).where(
        or_(*(begins(column, one) for one in spellings for column in (_user.c.email, _user.c.phone)))
    )
    parts = []
    for column in (_entry.c.actor_user_id, _entry.c.subject_user_id):
        # The offset keeps PostgreSQL from walking all entries backwards until it has found enough of theirs.
        deeds = select(_entry.c.id).where(is_among(column, users)).offset(0).subquery()
        newest = select(deeds.c.id).order_by(deeds.c.id.desc()).limit(MOST)
        parts.append(select(newest.subquery().c[0]))
    return select(union_all(*parts).subquery().c[0]).distinct()


def is_of(*beginnings: str) -> ColumnElement[bool]:
    """The condition that an action begins with one of these."""
    return or_(*(begins(_entry.c.action, one) for one in beginnings))


def since(ago: timedelta) -> Callable[[datetime], ColumnElement[bool]]:
    """The condition that it was done no longer ago."""
    return lambda now: _entry.c.at >= now - ago
