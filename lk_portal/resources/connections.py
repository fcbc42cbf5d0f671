"""/admin/connections: how each meter is reached, and how that goes."""

from sqlalchemy import case

from lk_portal.errors import N_
from lk_portal.i18n import _
from lk_portal.models import Gateway, Meter, MeterConnection
from lk_portal.services.connections import ask_now, connection_url, is_late, is_suspended
from lk_portal.services.poll_texts import kind_text
from lk_portal.services.resource import (
    Action,
    Choice,
    Column,
    Doing,
    Filter,
    FormField,
    MenuGroup,
    Reference,
    resource,
)
from lk_portal.services.resource.spec import column_of

_failures, _attempts = column_of(MeterConnection.failures_in_row), column_of(MeterConnection.attempts)
_error = case((_failures > 0, column_of(MeterConnection.last_error_code)), else_="")
_rate = case((_attempts > 0, column_of(MeterConnection.successes) * 100 / _attempts))


async def _poll_now(doing: Doing) -> None:
    await ask_now(doing.connection, doing.ids, now=doing.visit.at)


resource(
    MeterConnection,
    route="/admin/connections",
    title=N_("Connections"),
    icon="plug",
    order=51,
    group=MenuGroup.POLLING,
    columns=[
        Column(Meter.serial, N_("Meter"), link=connection_url),
        Column(Gateway.name, N_("Gateway")),
        Column(MeterConnection.device_id, N_("Address on the line")),
        Column(MeterConnection.is_enabled, N_("Enabled")),
        Column(MeterConnection.last_success_at, N_("Last read")),
        Column(_error, N_("Error"), show=kind_text),
        Column(_failures, N_("Failures in a row")),
        Column(_rate, N_("Success rate"), show=lambda share: _("{share} %", share=int(share))),
    ],
    search=[Meter.serial],
    search_hint=N_("the beginning of the serial number"),
    filters=[
        Filter(
            "state",
            N_("State"),
            [
                Choice("failing", N_("Does not answer"), _failures > 0),
                Choice("late", N_("Not read for 24 hours"), is_late),
                Choice("suspended", N_("Suspended"), is_suspended()),
            ],
        )
    ],
    form=[
        FormField(MeterConnection.meter_id, N_("Meter*"), reference=Reference(Meter.serial), is_fixed=True),
        FormField(
            MeterConnection.gateway_id,
            N_("Gateway*"),
            hint=N_("Its name"),
            reference=Reference(Gateway.name),
        ),
        FormField(MeterConnection.device_id, N_("Address on the line*")),
        FormField(MeterConnection.interval_s, N_("Seconds between polls"), hint=N_("Empty: as set")),
        FormField(MeterConnection.is_enabled, N_("Enabled")),
    ],
    actions=[Action("poll", N_("Poll now"), _poll_now)],
    can_remove=True,
)
