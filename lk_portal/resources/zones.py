"""/admin/zones: the daily spans of the tariffs' zones, version by version."""

from functools import partial

from lk_portal.errors import N_
from lk_portal.models import Tariff, TariffZone
from lk_portal.services.registry_columns import search_in
from lk_portal.services.registry_rules import check_zone
from lk_portal.services.resource import Column, FormField, MenuGroup, Reference, resource
from lk_portal.services.resource.typed import clock_of

resource(
    TariffZone,
    route="/admin/zones",
    title=N_("Tariff zones"),
    icon="sun",
    order=71,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(Tariff.code, N_("Tariff"), link=partial(search_in, "tariffs")),
        Column(TariffZone.valid_from, N_("In force from")),
        Column(TariffZone.zone, N_("Zone")),
        Column(TariffZone.start_minute, N_("From"), show=clock_of),
        Column(TariffZone.end_minute, N_("To"), show=clock_of),
    ],
    search=[Tariff.code],
    search_hint=N_("code of the tariff"),
    form=[
        FormField(TariffZone.tariff_id, N_("Tariff*"), reference=Reference(Tariff.code)),
        FormField(
            TariffZone.valid_from,
            N_("In force from*"),
            hint=N_("All spans of a tariff with the same day are one version."),
        ),
        FormField(TariffZone.zone, N_("Zone*"), hint=N_("1 to 8")),
        FormField(TariffZone.start_minute, N_("From*"), hint=N_("By the clock: 7:00"), is_clock=True),
        FormField(
            TariffZone.end_minute,
            N_("To*"),
            hint=N_("The end of the day is 24:00; less than the beginning: over midnight"),
            is_clock=True,
        ),
    ],
    can_remove=True,
    check=check_zone,
)
