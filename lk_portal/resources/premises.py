"""/admin/premises: the addresses, with the clock that their days go by."""

from lk_portal.errors import N_
from lk_portal.models import Premises
from lk_portal.services.registry_columns import accounts_of_premises
from lk_portal.services.registry_rules import check_premises
from lk_portal.services.resource import Column, FormField, MenuGroup, resource

resource(
    Premises,
    route="/admin/premises",
    title=N_("Addresses"),
    icon="home",
    order=44,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(Premises.id, N_("No."), is_sortable=True),
        Column(Premises.settlement, N_("Settlement")),
        Column(Premises.street, N_("Street"), is_sortable=True),
        Column(Premises.house, N_("House")),
        Column(Premises.flat, N_("Flat")),
        Column(Premises.timezone, N_("Time zone")),
        Column(accounts_of_premises(), N_("Accounts")),
    ],
    search=[Premises.settlement, Premises.street],
    search_hint=N_("settlement or street as in the list"),
    form=[
        FormField(Premises.settlement, N_("Settlement*")),
        FormField(Premises.street, N_("Street")),
        FormField(Premises.house, N_("House")),
        FormField(Premises.flat, N_("Flat")),
        FormField(
            Premises.timezone,
            N_("Time zone*"),
            hint=N_("Such as Asia/Omsk; it stays, for days and zones were counted by it."),
            is_fixed=True,
        ),
    ],
    check=check_premises,
)
