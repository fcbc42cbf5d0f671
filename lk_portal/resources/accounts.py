"""/admin/accounts: the personal accounts, of whom and for which address."""

from functools import partial

from sqlmodel import col

from lk_portal.errors import N_
from lk_portal.models import Account, Premises, Subscriber
from lk_portal.services.registry_columns import address_of, meters_of_account, search_in
from lk_portal.services.registry_rules import check_account
from lk_portal.services.resource import Choice, Column, Filter, FormField, MenuGroup, Reference, resource

resource(
    Account,
    route="/admin/accounts",
    title=N_("Personal accounts"),
    icon="bill",
    order=41,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(Account.number, N_("Number"), is_sortable=True, link=partial(search_in, "points")),
        Column(address_of(), N_("Address")),
        Column(Subscriber.full_name, N_("Subscriber"), link=partial(search_in, "subscribers")),
        Column(Account.contract_number, N_("Contract")),
        Column(meters_of_account(), N_("Meters")),
        Column(Premises.id, N_("Address No.")),
    ],
    search=[Account.number, Subscriber.full_name, Premises.street],
    search_hint=N_("number, subscriber or street"),
    filters=[
        Filter(
            "owner",
            N_("Owner"),
            [
                Choice("some", N_("Has one"), col(Account.subscriber_id).is_not(None)),
                Choice("none", N_("Has none"), col(Account.subscriber_id).is_(None)),
            ],
        )
    ],
    form=[
        FormField(Account.number, N_("Number*")),
        FormField(
            Account.premises_id,
            N_("Address No.*"),
            hint=N_("Its number in the list of addresses."),
            reference=Reference(Premises.id),
        ),
        FormField(
            Account.subscriber_id,
            N_("Subscriber No."),
            hint=N_(
                "Its number in the list of subscribers. Names that the owner before gave are taken away."
            ),
            reference=Reference(Subscriber.id),
        ),
        FormField(Account.contract_number, N_("Contract")),
        FormField(Account.amenities, N_("Degree of amenities")),
    ],
    whose=Account.subscriber_id,
    check=check_account,
)
