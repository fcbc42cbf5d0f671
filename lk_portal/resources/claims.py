"""/admin/claims: registrations and accounts that people must decide on."""

from functools import partial

from lk_portal.errors import N_
from lk_portal.models import Account, AccountClaim, ClaimReason, Subscriber
from lk_portal.services.claim_decisions import accept, refuse
from lk_portal.services.registry_columns import address_of, search_in
from lk_portal.services.resource import Action, Choice, Column, Doing, Filter, MenuGroup, resource
from lk_portal.services.resource.spec import column_of

REASONS = {
    ClaimReason.ACCOUNT_OWNED: N_("The account has an owner"),
    ClaimReason.PHONE_IN_USE: N_("The phone number is somebody else's login"),
}
_reason = column_of(AccountClaim.reason)


async def _accept(doing: Doing) -> None:
    await accept(doing.connection, doing.ids, staff_id=doing.actor, visit=doing.visit)


async def _refuse(doing: Doing) -> None:
    await refuse(doing.connection, doing.ids, staff_id=doing.actor, visit=doing.visit)


resource(
    AccountClaim,
    route="/admin/claims",
    title=N_("Registrations to check"),
    icon="user",
    order=25,
    group=MenuGroup.REQUESTS,
    columns=[
        Column(Account.number, N_("Personal account"), link=partial(search_in, "accounts")),
        Column(address_of(), N_("Address")),
        Column(Subscriber.full_name, N_("Whose it is now"), link=partial(search_in, "subscribers")),
        Column(AccountClaim.reason, N_("Why"), texts=REASONS),
        Column(AccountClaim.full_name, N_("Who asks")),
        Column(AccountClaim.email, N_("E-mail")),
        Column(AccountClaim.phone, N_("Phone")),
        Column(AccountClaim.created_at, N_("Asked")),
    ],
    search=[Account.number],
    search_hint=N_("the beginning of the account"),
    filters=[
        Filter(
            "reason", N_("Why"), [Choice(one.value, text, _reason == one) for one, text in REASONS.items()]
        )
    ],
    actions=[
        Action(
            "accept",
            N_("Accept"),
            _accept,
            confirm=N_(
                "The account goes to whoever asked, and its owner loses it. Requests: {count}. Go on?"
            ),
        ),
        Action(
            "refuse", N_("Refuse"), _refuse, confirm=N_("A letter will say no. Requests: {count}. Go on?")
        ),
    ],
    only=column_of(AccountClaim.closed_at).is_(None),
)
