"""/admin/points: the metering points. Consumption belongs to them, meters come and go."""

from functools import partial

from lk_portal.errors import N_
from lk_portal.models import Account, MeteringPoint, Tariff
from lk_portal.services.registry_columns import data_of_point, meter_at_point, search_in
from lk_portal.services.registry_rules import check_point
from lk_portal.services.resource import Column, FormField, MenuGroup, Reference, resource

resource(
    MeteringPoint,
    route="/admin/points",
    title=N_("Metering points"),
    icon="plug",
    order=45,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(MeteringPoint.code, N_("Code"), is_sortable=True, link=partial(search_in, "installations")),
        Column(Account.number, N_("Personal account"), link=partial(search_in, "accounts")),
        Column(MeteringPoint.place, N_("Place of installation")),
        Column(Tariff.code, N_("Tariff"), link=partial(search_in, "tariffs")),
        Column(meter_at_point(), N_("Meter"), link=partial(search_in, "meters")),
        Column(data_of_point(), N_("Data until")),
    ],
    search=[MeteringPoint.code, Account.number],
    search_hint=N_("code or account"),
    form=[
        FormField(
            MeteringPoint.code, N_("Code*"), hint=N_("Such as urn:uuid:5a3f0c9e-7d1b-4c52-9a80-2f6b1e0d4c77")
        ),
        FormField(MeteringPoint.account_id, N_("Personal account*"), reference=Reference(Account.number)),
        FormField(MeteringPoint.tariff_id, N_("Tariff"), reference=Reference(Tariff.code)),
        FormField(MeteringPoint.place, N_("Place of installation")),
    ],
    whose=Account.subscriber_id,
    check=check_point,
)
