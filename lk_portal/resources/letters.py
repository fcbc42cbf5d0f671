"""/admin/letters: the outbox."""

from sqlalchemy import case

from lk_portal.errors import N_, InputError
from lk_portal.models import Letter, LetterStatus
from lk_portal.services.desk_counts import is_unsent
from lk_portal.services.letters import send_again
from lk_portal.services.outbox_texts import KINDS, STATUSES, masked_email, without_addresses
from lk_portal.services.resource import Action, Choice, Column, Doing, Filter, MenuGroup, resource
from lk_portal.services.resource.spec import column_of

_status = column_of(Letter.status)
_next_attempt = case((_status == LetterStatus.WAITING, column_of(Letter.next_attempt_at)))


async def _send_again(doing: Doing) -> None:
    if await send_again(doing.connection, doing.ids, now=doing.visit.at) != len(doing.ids):
        raise InputError(N_("Only letters that were given up can be sent again."))


resource(
    Letter,
    route="/admin/letters",
    title=N_("Letters"),
    icon="mail",
    order=60,
    group=MenuGroup.SYSTEM,
    columns=[
        Column(Letter.kind, N_("Letter"), texts=KINDS),
        Column(Letter.to_address, N_("Recipient"), show=masked_email),
        Column(Letter.status, N_("Status"), texts=STATUSES),
        Column(Letter.created_at, N_("Written")),
        Column(Letter.attempts, N_("Attempts")),
        Column(_next_attempt, N_("Next attempt")),
        Column(Letter.last_error, N_("Last error"), show=without_addresses),
    ],
    filters=[
        Filter(
            "status",
            N_("Status"),
            [
                Choice("unsent", N_("Not sent"), is_unsent),
                Choice("dead", N_("Given up"), _status == LetterStatus.DEAD),
                Choice("waiting", N_("Waiting"), _status == LetterStatus.WAITING),
                Choice("sent", N_("Sent"), _status == LetterStatus.SENT),
            ],
        )
    ],
    actions=[
        Action(
            "resend", N_("Send again"), _send_again, confirm=N_("Letters to be sent again: {count}. Go on?")
        )
    ],
    newest_first=True,
)
