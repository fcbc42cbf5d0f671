"""/admin/gateways: the lines to the meters."""

from sqlalchemy import func, select

from lk_portal.errors import N_
from lk_portal.models import Gateway, MeterConnection
from lk_portal.services.gateways import check_gateway
from lk_portal.services.resource import Choice, Column, Filter, FormField, MenuGroup, resource
from lk_portal.services.resource.spec import column_of

_behind = (
    select(func.count())
    .where(column_of(MeterConnection.gateway_id) == column_of(Gateway.id))
    .correlate(column_of(Gateway.id).table)
    .scalar_subquery()
)
_failing = _behind.where(column_of(MeterConnection.failures_in_row) > 0)

resource(
    Gateway,
    route="/admin/gateways",
    title=N_("Gateways"),
    icon="server",
    order=50,
    group=MenuGroup.POLLING,
    columns=[
        Column(Gateway.name, N_("Name")),
        Column(Gateway.protocol, N_("Protocol")),
        Column(Gateway.host, N_("Host")),
        Column(Gateway.port, N_("Port")),
        Column(_behind, N_("Meters")),
        Column(_failing, N_("Do not answer")),
        Column(Gateway.timeout_s, N_("Time-out, s")),
        Column(Gateway.is_enabled, N_("Enabled")),
    ],
    search=[Gateway.host],
    search_hint=N_("the beginning of the host"),
    filters=[
        Filter(
            "state",
            N_("State"),
            [
                Choice("on", N_("Enabled"), column_of(Gateway.is_enabled).is_(True)),
                Choice("off", N_("Switched off"), column_of(Gateway.is_enabled).is_(False)),
            ],
        )
    ],
    form=[
        FormField(Gateway.name, N_("Name*")),
        FormField(Gateway.protocol, N_("Protocol*"), hint=N_("modbus-tcp or modbus-rtu-over-tcp")),
        FormField(Gateway.host, N_("Host*"), hint=N_("A name or an address")),
        FormField(Gateway.port, N_("Port*")),
        FormField(Gateway.timeout_s, N_("Time-out, s")),
        FormField(Gateway.is_enabled, N_("Enabled")),
    ],
    row_link=lambda key: f"/admin/polling/{key}",
    check=check_gateway,
    can_remove=True,
)
