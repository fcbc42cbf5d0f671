"""/admin/billing: from which month on the utility's billing months begin on which day."""

from lk_portal.errors import N_
from lk_portal.models import BillingDay
from lk_portal.services.reading_days import check_billing_day
from lk_portal.services.resource import Column, FormField, MenuGroup, resource

resource(
    BillingDay,
    route="/admin/billing",
    title=N_("Billing days"),
    icon="calendar",
    order=72,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(BillingDay.since, N_("From the month of"), is_sortable=True),
        Column(BillingDay.day, N_("Day of the month")),
    ],
    form=[
        FormField(
            BillingDay.since,
            N_("From the month of*"),
            hint=N_("Its first day. Until the first change the day is that of the portal's settings."),
        ),
        FormField(
            BillingDay.day,
            N_("Day of the month*"),
            hint=N_(
                "1 to 28: the billing month begins on it. The month in which it changes is longer or shorter."
            ),
        ),
    ],
    can_remove=True,
    check=check_billing_day,
)
