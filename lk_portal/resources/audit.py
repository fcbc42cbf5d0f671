"""/admin/audit: who did what, to whose things, when and from where. Read only."""

from __future__ import annotations

from datetime import timedelta

from lk_portal.errors import N_
from lk_portal.models import AuditEntry
from lk_portal.services.audit_about import by_holder
from lk_portal.services.audit_list import WHO, WHOSE, action_text, by_login, detail_text, is_of, since
from lk_portal.services.resource import ADMIN, Choice, Column, Filter, MenuGroup, resource

KINDS = [
    Choice(
        "sign-in",
        N_("Signing in and out"),
        is_of("web:session:", "web:temporary-password:", "web:recovery:", "web:second-factor:"),
    ),
    Choice(
        "profile",
        N_("Profile and password"),
        is_of("web:password:", "web:email:", "web:phone:", "web:name:", "web:notifications:", "web:push:"),
    ),
    Choice("data", N_("Personal data"), is_of("web:documents:", "web:data:", "web:registration:")),
    Choice("accounts", N_("Accounts and meters"), is_of("web:account:", "web:meter:")),
    Choice("tickets", N_("Requests"), is_of("web:ticket:", "desk:ticket:")),
    Choice("info", N_("Information pages"), is_of("web:info:")),
    Choice("users", N_("Users and roles"), is_of("command:user:", "registry:users:")),
    Choice("viewing", N_("Looking through a subscriber's eyes"), is_of("desk:cabinet:")),
    Choice("registry", N_("Registry"), is_of("registry:")),
    Choice("files", N_("Imports and exports"), is_of("command:", "web:consumption:")),
]
PERIODS = [
    Choice("day", N_("Last 24 hours"), since(timedelta(days=1))),
    Choice("week", N_("Last 7 days"), since(timedelta(days=7))),
    Choice("month", N_("Last 30 days"), since(timedelta(days=30))),
    Choice("year", N_("Last 365 days"), since(timedelta(days=365))),
]

resource(
    AuditEntry,
    route="/admin/audit",
    title=N_("Audit"),
    icon="list",
    order=900,
    group=MenuGroup.SYSTEM,
    readers=ADMIN,
    writers=ADMIN,
    newest_first=True,
    columns=[
        Column(AuditEntry.at, N_("When"), is_sortable=True),
        Column(WHO, N_("Who")),
        Column(AuditEntry.action, N_("What was done"), show=action_text),
        Column(WHOSE, N_("Whose")),
        Column(AuditEntry.address, N_("From where")),
        Column(AuditEntry.detail, N_("Details"), show=detail_text),
    ],
    search=[by_login, by_holder],
    search_hint=N_("beginning of an e-mail, phone, name or account number"),
    filters=[Filter("kind", N_("Kind of action"), KINDS), Filter("period", N_("Period"), PERIODS)],
)
