"""/admin/tariffs: the tariffs that metering points go by."""

from functools import partial

from lk_portal.errors import N_
from lk_portal.models import Tariff
from lk_portal.services.registry_columns import search_in
from lk_portal.services.resource import Column, FormField, MenuGroup, resource

resource(
    Tariff,
    route="/admin/tariffs",
    title=N_("Tariffs"),
    icon="bill",
    order=70,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(Tariff.code, N_("Code"), is_sortable=True, link=partial(search_in, "zones")),
        Column(Tariff.name, N_("Name")),
    ],
    search=[Tariff.code],
    search_hint=N_("the beginning of the code"),
    form=[FormField(Tariff.code, N_("Code*")), FormField(Tariff.name, N_("Name*"))],
    can_remove=True,
)
