"""/admin/installations: which meter stood at which point from when to when, with its ratios.

Consumption was worked out by these rows, so of one that is there only its end can be set; a meter that takes
another one's place comes in by the form of the replacement.
"""

from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from lk_portal.errors import N_
from lk_portal.models import Account, Installation, Meter, MeteringPoint
from lk_portal.services.context import current
from lk_portal.services.registry_columns import search_in
from lk_portal.services.registry_rules import check_installation
from lk_portal.services.resource import Choice, Column, Filter, FormField, MenuGroup, Reference, resource


async def _check(connection: AsyncConnection, values: dict[str, Any], key: int | None) -> None:
    await check_installation(connection, values, key, now=current().clock())


resource(
    Installation,
    route="/admin/installations",
    title=N_("Installations of meters"),
    icon="list",
    order=46,
    group=MenuGroup.REGISTRY,
    newest_first=True,
    columns=[
        Column(Meter.serial, N_("Meter"), link=partial(search_in, "meters")),
        Column(Account.number, N_("Personal account"), link=partial(search_in, "accounts")),
        Column(MeteringPoint.code, N_("Metering point"), link=partial(search_in, "points")),
        Column(Installation.installed_at, N_("Installed")),
        Column(Installation.removed_at, N_("Removed")),
        Column(Installation.ct_ratio, N_("CT ratio")),
        Column(Installation.vt_ratio, N_("VT ratio")),
    ],
    search=[Meter.serial, MeteringPoint.code, Account.number],
    search_hint=N_("serial number, code of the point or account"),
    filters=[
        Filter(
            "now",
            N_("State"),
            [
                Choice("standing", N_("Installed"), col(Installation.removed_at).is_(None)),
                Choice("removed", N_("Removed"), col(Installation.removed_at).is_not(None)),
            ],
        )
    ],
    form=[
        FormField(Installation.meter_id, N_("Meter*"), reference=Reference(Meter.serial), is_fixed=True),
        FormField(
            Installation.point_id,
            N_("Code of the point*"),
            reference=Reference(MeteringPoint.code),
            is_fixed=True,
        ),
        FormField(Installation.installed_at, N_("Installed*"), is_fixed=True),
        FormField(Installation.removed_at, N_("Removed")),
        FormField(Installation.ct_ratio, N_("CT ratio"), is_fixed=True),
        FormField(Installation.vt_ratio, N_("VT ratio"), is_fixed=True),
    ],
    whose=Account.subscriber_id,
    check=_check,
)
