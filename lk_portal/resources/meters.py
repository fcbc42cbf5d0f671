"""/admin/meters: the devices, where each stands now, and the way to its replacement."""

from functools import partial
from urllib.parse import quote

from lk_portal.errors import N_
from lk_portal.i18n import _
from lk_portal.models import Account, Meter, MeteringPoint, PointFreshness
from lk_portal.resources.verifications import soon, today
from lk_portal.services.registry_columns import (
    address_of,
    due_of_meter,
    is_standing,
    meters_due_between,
    of_standing,
    search_in,
)
from lk_portal.services.registry_rules import check_meter
from lk_portal.services.resource import Choice, Column, Filter, FormField, MenuGroup, resource
from lk_portal.services.tables import table_of


def replace_url(serial: str) -> str:
    """Where a meter is replaced."""
    return f"/admin/meters/{quote(quote(serial, safe=''), safe='')}/replace"


resource(
    Meter,
    route="/admin/meters",
    title=N_("Meters"),
    icon="meter",
    order=42,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(Meter.serial, N_("Serial number"), is_sortable=True, link=partial(search_in, "installations")),
        Column(Meter.model, N_("Model")),
        Column(
            of_standing(table_of(Account).c.number),
            N_("Personal account"),
            link=partial(search_in, "accounts"),
        ),
        Column(of_standing(address_of()), N_("Address")),
        Column(of_standing(table_of(MeteringPoint).c.place), N_("Place of installation")),
        Column(due_of_meter(), N_("Verification due")),
        Column(of_standing(table_of(PointFreshness).c.data_until), N_("Data until")),
        Column(
            Meter.serial,
            N_("Replacement"),
            show=lambda _serial: _("Replace"),
            link=replace_url,
            is_way=True,
        ),
    ],
    search=[Meter.serial],
    search_hint=N_("serial number"),
    filters=[
        Filter(
            "place",
            N_("Place"),
            [
                Choice("standing", N_("Installed"), is_standing()),
                Choice("store", N_("Not installed"), ~is_standing()),
            ],
        ),
        Filter(
            "due",
            N_("Verification"),
            [
                Choice("overdue", N_("Overdue"), lambda now: meters_due_between(None, today(now))),
                Choice(
                    "soon", N_("Due within 60 days"), lambda now: meters_due_between(today(now), soon(now))
                ),
            ],
        ),
    ],
    form=[
        FormField(Meter.serial, N_("Serial number*")),
        FormField(Meter.model, N_("Model*"), hint=N_("As on the plate")),
        FormField(
            Meter.map_name, N_("Register map"), hint=N_("Empty: the portal does not read it over Modbus.")
        ),
    ],
    check=check_meter,
)
