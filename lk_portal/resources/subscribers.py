"""/admin/subscribers: the people who have accounts. Who may sign in is another list."""

from functools import partial

from lk_portal.errors import N_
from lk_portal.i18n import _
from lk_portal.models import Subscriber
from lk_portal.services.registry_columns import accounts_of_subscriber, search_in
from lk_portal.services.resource import Column, FormField, MenuGroup, resource
from lk_portal.services.viewing import viewing_url

resource(
    Subscriber,
    route="/admin/subscribers",
    title=N_("Subscribers"),
    icon="user",
    order=40,
    group=MenuGroup.REGISTRY,
    columns=[
        Column(Subscriber.id, N_("No."), is_sortable=True),
        Column(Subscriber.full_name, N_("Full name"), is_sortable=True, link=partial(search_in, "accounts")),
        Column(Subscriber.email, N_("Email")),
        Column(Subscriber.phone, N_("Phone")),
        Column(accounts_of_subscriber(), N_("Accounts")),
        Column(
            Subscriber.id,
            N_("Personal cabinet"),
            show=lambda _number: _("Look into it"),
            link=lambda number: viewing_url(number, back="/admin/subscribers"),
            is_way=True,
        ),
    ],
    search=[Subscriber.full_name, Subscriber.email, Subscriber.phone],
    search_hint=N_("name, e-mail or phone"),
    form=[
        FormField(Subscriber.full_name, N_("Full name*")),
        FormField(
            Subscriber.email, N_("Email"), hint=N_("For letters; the login has an address of its own.")
        ),
        FormField(Subscriber.phone, N_("Phone"), hint=N_("Such as +79130000000")),
    ],
    whose=Subscriber.id,
)
