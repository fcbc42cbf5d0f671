"""/admin/acme_seals: the seals on meters, over the portal's own table."""

from lk_portal.errors import N_
from lk_portal.models import Meter, Seal
from lk_portal.services.resource import Column, FormField, Reference, resource

resource(
    Seal,
    route="/admin/acme_seals",
    title=N_("Acme's seals"),
    columns=[Column(Seal.number, N_("Number")), Column(Meter.serial, N_("Meter"))],
    search=[Meter.serial],
    form=[
        FormField(Seal.meter_id, N_("Meter*"), reference=Reference(Meter.serial)),
        FormField(Seal.number, N_("Number*")),
        FormField(Seal.placed_on, N_("Placed on*")),
    ],
)
