"""/admin/verifications: when each meter was verified, and when it must be again."""

from datetime import date, datetime, timedelta
from functools import partial

from lk_portal.errors import N_
from lk_portal.models import Meter, Verification, VerificationKind
from lk_portal.services.context import current
from lk_portal.services.desk_counts import is_due
from lk_portal.services.registry_columns import is_due_between, search_in
from lk_portal.services.registry_rules import check_verification
from lk_portal.services.resource import Choice, Column, Filter, FormField, MenuGroup, Reference, resource

WARNED_FOR = timedelta(days=60)
KINDS = {VerificationKind.PERIODIC: N_("periodic"), VerificationKind.INSTRUMENTAL: N_("instrumental")}


def today(now: datetime) -> date:
    """The day at the utility."""
    return now.astimezone(current().settings.zone).date()


def soon(now: datetime) -> date:
    """Until when it is time to think of it."""
    return today(now) + WARNED_FOR


resource(
    Verification,
    route="/admin/verifications",
    title=N_("Verifications"),
    icon="calendar",
    order=47,
    group=MenuGroup.REGISTRY,
    newest_first=True,
    columns=[
        Column(Meter.serial, N_("Meter"), link=partial(search_in, "meters")),
        Column(Meter.model, N_("Model")),
        Column(Verification.kind, N_("Kind"), texts=KINDS),
        Column(Verification.verified_on, N_("Verified")),
        Column(Verification.due_on, N_("Next one due")),
    ],
    search=[Meter.serial],
    search_hint=N_("serial number"),
    filters=[
        Filter(
            "due",
            N_("Due"),
            [
                Choice("due", N_("Overdue or due within 60 days"), lambda now: is_due(today(now))),
                Choice("overdue", N_("Overdue"), lambda now: is_due_between(None, today(now))),
                Choice("soon", N_("Due within 60 days"), lambda now: is_due_between(today(now), soon(now))),
                Choice("later", N_("Later"), lambda now: is_due_between(soon(now), None)),
            ],
        )
    ],
    form=[
        FormField(Verification.meter_id, N_("Meter*"), reference=Reference(Meter.serial)),
        FormField(Verification.kind, N_("Kind*"), texts=KINDS),
        FormField(Verification.verified_on, N_("Verified*")),
        FormField(Verification.due_on, N_("Next one due")),
    ],
    can_remove=True,
    check=check_verification,
)
