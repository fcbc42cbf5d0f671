"""/admin/seals: the seals on meters."""

from functools import partial

from sqlmodel import col

from lk_portal.errors import N_
from lk_portal.models import Meter, Seal
from lk_portal.services.registry_columns import search_in
from lk_portal.services.registry_rules import check_seal
from lk_portal.services.resource import Choice, Column, Filter, FormField, MenuGroup, Reference, resource

resource(
    Seal,
    route="/admin/seals",
    title=N_("Seals"),
    icon="check",
    order=48,
    group=MenuGroup.REGISTRY,
    newest_first=True,
    columns=[
        Column(Seal.number, N_("Seal No."), is_sortable=True),
        Column(Meter.serial, N_("Meter"), link=partial(search_in, "meters")),
        Column(Seal.placed_on, N_("Placed")),
        Column(Seal.removed_on, N_("Removed")),
    ],
    search=[Seal.number, Meter.serial],
    search_hint=N_("number of the seal or of the meter"),
    filters=[
        Filter(
            "now",
            N_("State"),
            [
                Choice("there", N_("In place"), col(Seal.removed_on).is_(None)),
                Choice("removed", N_("Removed"), col(Seal.removed_on).is_not(None)),
            ],
        )
    ],
    form=[
        FormField(Seal.meter_id, N_("Meter*"), reference=Reference(Meter.serial)),
        FormField(Seal.number, N_("Seal No.*")),
        FormField(Seal.placed_on, N_("Placed*")),
        FormField(Seal.removed_on, N_("Removed")),
    ],
    can_remove=True,
    check=check_seal,
)
