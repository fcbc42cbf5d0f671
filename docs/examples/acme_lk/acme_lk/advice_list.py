"""/admin/acme_advice: what Acme advises, for the staff, over the package's own table."""

from acme_lk.models import Advice
from lk_portal.errors import N_
from lk_portal.models import Account
from lk_portal.services.resource import Column, FormField, Reference, resource

resource(
    Advice,
    route="/admin/acme_advice",
    title=N_("Acme's advice to subscribers"),
    columns=[
        Column(Account.number, N_("Personal account")),
        Column(Advice.text, N_("Text")),
        Column(Advice.changed_at, N_("Changed"), is_sortable=True),
    ],
    search=[Account.number],
    form=[
        FormField(Advice.account_id, N_("Personal account*"), reference=Reference(Account.number)),
        FormField(Advice.text, N_("Text*")),
    ],
    can_remove=True,
    whose=Account.subscriber_id,
)
