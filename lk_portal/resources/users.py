"""/admin/users: who may sign in, and as what."""

from __future__ import annotations

from lk_portal.errors import N_
from lk_portal.models import Role, User
from lk_portal.services import staff
from lk_portal.services.resource import ADMIN, Action, Choice, Column, Filter, FormField, MenuGroup, resource
from lk_portal.services.resource.spec import column_of

ROLES = {
    Role.OPERATOR: N_("Operator"),
    Role.ADMIN: N_("Administrator"),
    Role.SUBSCRIBER: N_("Subscriber"),
}
_is_active = column_of(User.is_active)

resource(
    User,
    route="/admin/users",
    title=N_("Users and roles"),
    icon="user",
    order=890,
    group=MenuGroup.SYSTEM,
    readers=ADMIN,
    writers=ADMIN,
    columns=[
        Column(User.email, N_("E-mail"), is_sortable=True),
        Column(User.phone, N_("Phone")),
        Column(User.display_name, N_("Full name")),
        Column(User.role, N_("Role"), texts=ROLES),
        Column(User.is_active, N_("May sign in")),
        Column(User.created_at, N_("Added")),
    ],
    search=[User.email, User.phone],
    search_hint=N_("beginning of an e-mail or phone"),
    filters=[
        Filter(
            "role",
            N_("Role"),
            [Choice(role.value, text, column_of(User.role) == role) for role, text in ROLES.items()],
        ),
        Filter(
            "state",
            N_("State"),
            [
                Choice("active", N_("May sign in"), _is_active.is_(True)),
                Choice("disabled", N_("Disabled"), _is_active.is_(False)),
            ],
        ),
    ],
    form=[
        FormField(User.email, N_("E-mail*"), hint=N_("Temporary passwords go there"), is_fixed=True),
        FormField(User.display_name, N_("Full name*")),
        FormField(User.phone, N_("Phone"), is_fixed=True),
        FormField(User.role, N_("Role*"), texts=ROLES, is_fixed=True),
    ],
    make=staff.invite,
    actions=[
        Action(
            "disable",
            N_("Disable"),
            staff.disable,
            N_("Logins that will not be able to sign in any more: {count}. Go on?"),
        ),
        Action("enable", N_("Enable"), staff.enable, N_("Logins that may sign in again: {count}. Go on?")),
        Action(
            "operator",
            N_("Make operator"),
            staff.make_operator,
            N_("Logins that become operators: {count}. Their sessions end. Go on?"),
        ),
        Action(
            "admin",
            N_("Make administrator"),
            staff.make_admin,
            N_("Logins that become administrators: {count}. Their sessions end. Go on?"),
        ),
        Action(
            "sessions",
            N_("End sessions"),
            staff.end_sessions,
            N_("Logins that will be signed out everywhere: {count}. Go on?"),
        ),
        Action(
            "password",
            N_("Send a new password"),
            staff.reset_password,
            N_("Logins whose password becomes void and who get a temporary one by letter: {count}. Go on?"),
        ),
        Action(
            "factor",
            N_("Reset the second factor"),
            staff.drop_second_factor,
            N_("Logins that will sign in by password alone until they set up a new one: {count}. Go on?"),
        ),
    ],
    only=staff.IS_SOMEBODYS,
)
