"""Who did what, to whose things, when and from where. Written in the deed's own transaction, never changed.

An action is called `source:subject:action`. What somebody typed who was not known is never kept. Entries are
chained (`services.audit_chain`) and kept for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_
from lk_portal.models import AuditEntry
from lk_portal.services.audit_chain import Deed, append
from lk_portal.services.database import Database, at_the_end
from lk_portal.services.tables import table_of
from lk_portal.services.texts import storable
from lk_portal.services.visit import Visit

SIGNED_IN = "web:session:begin"
SIGN_IN_FAILED = "web:session:refuse"
SIGN_IN_THROTTLED = "web:session:throttle"
SIGNED_OUT = "web:session:end"
SESSION_ENDED = "web:session:revoke"
TEMPORARY_USED = "web:temporary-password:use"
PASSWORD_SET = "web:password:set"  # noqa: S105 - a name, no password
PASSWORD_CHANGED = "web:password:change"  # noqa: S105
OLD_PASSWORD_WRONG = "web:password:refuse"  # noqa: S105
DOCUMENTS_ACCEPTED = "web:documents:accept"
CONSENT_WITHDRAWN = "web:documents:withdraw"
EMAIL_ASKED = "web:email:ask"
EMAIL_CODE_WRONG = "web:email:refuse"
EMAIL_CANCELLED = "web:email:cancel"
EMAIL_CHANGED = "web:email:change"
PHONE_CHANGED = "web:phone:change"
NAME_CHANGED = "web:name:change"
NOTIFICATIONS_CHOSEN = "web:notifications:choose"
LIMIT_CHOSEN = "web:notifications:limit"
PUSH_BEGUN = "web:push:begin"
PUSH_ENDED = "web:push:end"
PREFERENCES_CHOSEN = "web:preferences:choose"
DATA_EXPORTED = "web:data:export"
ERASE_REFUSED = "web:data:refuse"
DATA_ERASED = "web:data:erase"
INFO_SAVED = "web:info:save"
INFO_PUBLISHED = "web:info:publish"
INFO_WITHDRAWN = "web:info:withdraw"
INFO_RESTORED = "web:info:restore"
INFO_PICTURE_ADDED = "web:info:picture"
DOCUMENT_PUBLISHED = "web:documents:publish"
CONSENTS_EXPORTED = "web:documents:export"
CONSUMPTION_EXPORTED = "web:consumption:export"
INTERVALS_IMPORTED = "command:intervals:import"
READINGS_IMPORTED = "command:readings:import"
EVENTS_IMPORTED = "command:events:import"
TICKET_CREATED = "web:ticket:create"
TICKET_WRITTEN = "web:ticket:write"
TICKET_CLOSED = "web:ticket:close"
TICKET_REOPENED = "web:ticket:reopen"
TICKET_ASSIGNED = "desk:ticket:assign"
TICKET_RELEASED = "desk:ticket:release"
TICKET_ANSWERED = "desk:ticket:answer"
TICKET_NOTED = "desk:ticket:note"
TICKET_SETTLED = "desk:ticket:close"
TICKET_RESUMED = "desk:ticket:reopen"
USER_CREATED = "command:user:create"
USER_DISABLED = "command:user:disable"
USER_RESET = "command:user:reset"

TEXTS = {
    SIGNED_IN: N_("Signed in"),
    SIGN_IN_FAILED: N_("A wrong password was typed"),
    SIGN_IN_THROTTLED: N_("Too many wrong passwords; further attempts have to wait"),
    SIGNED_OUT: N_("Signed out"),
    SESSION_ENDED: N_("A session was ended"),
    TEMPORARY_USED: N_("Signed in with a temporary password"),
    PASSWORD_SET: N_("A new password was set after a temporary one"),
    PASSWORD_CHANGED: N_("The password was changed"),
    OLD_PASSWORD_WRONG: N_("A wrong old password was typed in the settings"),
    DOCUMENTS_ACCEPTED: N_("Documents were accepted"),
    CONSENT_WITHDRAWN: N_("The consent was withdrawn"),
    EMAIL_ASKED: N_("A new e-mail was asked for"),
    EMAIL_CODE_WRONG: N_("A wrong code for a new e-mail was typed"),
    EMAIL_CANCELLED: N_("The change of the e-mail was cancelled"),
    EMAIL_CHANGED: N_("The e-mail was changed"),
    PHONE_CHANGED: N_("The phone number was changed"),
    NAME_CHANGED: N_("The name was changed"),
    NOTIFICATIONS_CHOSEN: N_("Notifications were chosen"),
    LIMIT_CHOSEN: N_("A threshold of consumption was chosen"),
    PUSH_BEGUN: N_("Notifications to a device were turned on"),
    PUSH_ENDED: N_("Notifications to a device were turned off"),
    PREFERENCES_CHOSEN: N_("The language or the look was chosen"),
    DATA_EXPORTED: N_("Own data were downloaded"),
    CONSUMPTION_EXPORTED: N_("Readings were downloaded"),
    INTERVALS_IMPORTED: N_("The utility imported intervals"),
    READINGS_IMPORTED: N_("The utility imported readings"),
    EVENTS_IMPORTED: N_("The utility imported meter events"),
    ERASE_REFUSED: N_("A wrong password was typed to erase the data"),
    DATA_ERASED: N_("The data were erased"),
    INFO_SAVED: N_("An information page was written"),
    INFO_PUBLISHED: N_("An information page was published"),
    INFO_WITHDRAWN: N_("An information page was made a draft again"),
    INFO_RESTORED: N_("An earlier text of an information page was brought back"),
    INFO_PICTURE_ADDED: N_("A picture was added for information pages"),
    DOCUMENT_PUBLISHED: N_("A new version of a document was published"),
    CONSENTS_EXPORTED: N_("The report of consents was downloaded"),
    TICKET_CREATED: N_("A request was sent to the utility"),
    TICKET_WRITTEN: N_("A message was added to a request"),
    TICKET_CLOSED: N_("A request was closed"),
    TICKET_REOPENED: N_("A request was opened again"),
    TICKET_ASSIGNED: N_("The utility took up a request"),
    TICKET_RELEASED: N_("The utility put a request back into its queue"),
    TICKET_ANSWERED: N_("The utility answered a request"),
    TICKET_NOTED: N_("The utility noted something on a request"),
    TICKET_SETTLED: N_("The utility closed a request"),
    TICKET_RESUMED: N_("The utility opened a request again"),
    USER_CREATED: N_("The utility created the login"),
    USER_DISABLED: N_("The utility disabled the login"),
    USER_RESET: N_("The utility set a new password"),
}
"""What an action is called to the person it concerns, as message ids; other services may add theirs."""
REGISTRY = "registry:"
"""So begin the actions of declared lists: registry:<name of the list>:<verb>."""
REGISTRY_TEXTS = {
    "create": N_("The utility added something to its registry"),
    "change": N_("The utility changed something in its registry"),
    "remove": N_("The utility removed something from its registry"),
    "export": N_("The utility downloaded a list of its registry"),
}

_entry = table_of(AuditEntry)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a person's own history; `text` is a message id, `is_utilitys` what staff did."""

    at: datetime
    action: str
    text: str
    address: str
    agent: str
    is_utilitys: bool = False


async def record(
    connection: AsyncConnection,
    *,
    action: str,
    visit: Visit,
    actor: int | None,
    subject: int | None,
    **detail: str | int,
) -> None:
    """Add an entry in the caller's transaction; it is written when that ends.

    Args:
        connection: Of the transaction that does the deed.
        action: source:subject:action.
        visit: From where and when.
        actor: The user who did it; None: a visitor, a job or a command.
        subject: The user whose things it concerns; None: nobody's, or nobody known.
        detail: A few facts that tell two such entries apart; no secrets, nothing a stranger typed.
    """
    facts = {name: storable(fact, 200) if isinstance(fact, str) else fact for name, fact in detail.items()}
    deed = Deed(
        at=visit.at,
        action=action,
        actor_user_id=actor,
        subject_user_id=subject,
        address=storable(visit.address, 45),
        agent=storable(visit.agent, 200),
        detail=facts,
    )
    at_the_end(connection, append, deed)


async def own_entries(database: Database, *, user_id: int, limit: int = 20) -> tuple[Entry, ...]:
    """The newest entries that concern a person, newest first; of others' deeds not where they sat."""
    is_others = _entry.c.actor_user_id != user_id
    query = (
        select(
            _entry.c.at,
            _entry.c.action,
            case((is_others, ""), else_=_entry.c.address).label("address"),
            case((is_others, ""), else_=_entry.c.agent).label("agent"),
            case((is_others, True), else_=False).label("is_utilitys"),
        )
        .where(_entry.c.subject_user_id == user_id)
        .order_by(_entry.c.at.desc(), _entry.c.id.desc())
        .limit(limit)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(
        Entry(row.at, row.action, text_of(row.action), row.address, row.agent, bool(row.is_utilitys))
        for row in rows
    )


def text_of(action: str) -> str:
    """The message id for an action, also for one that has no words of its own."""
    if action in TEXTS:
        return TEXTS[action]
    verb = action.rpartition(":")[2]
    if action.startswith(REGISTRY):
        return REGISTRY_TEXTS.get(verb, REGISTRY_TEXTS["change"])
    return N_("Something was changed")
