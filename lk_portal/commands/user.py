"""`lk user`: who may sign in. Passwords are asked for or read from stdin, never taken as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lk_portal.commands.base import LocalGroup, command, read_password, start, translated, with_portal
from lk_portal.errors import N_

if TYPE_CHECKING:
    from lk_portal.services.context import Portal

ROLES = ("subscriber", "operator", "admin")
_from_stdin = click.option(
    "--password-stdin", is_flag=True, help=N_("Read the password from the first line of stdin.")
)


@click.group(
    cls=LocalGroup,
    help=N_("Add, disable or reset those who may sign in."),
    epilog="lk user create --email anna@utility.example --role operator --name 'Анна Петрова'",
)
def user() -> None:
    """The group itself does nothing."""


@command(
    name="create",
    help=N_("Add a person who may sign in; asks for the password."),
    example="lk user create --email anna@utility.example --role operator --name 'Анна Петрова'",
)
@click.option("--email", required=True, help=N_("Login; letters go there."))
@click.option("--phone", default=None, help=N_("A second login, e.g. +7 913 000-00-00."))
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="operator",
    show_default=True,
    help=N_("What the person may do."),
)
@click.option("--name", default="", help=N_("Name shown on the pages; the e-mail when not given."))
@click.option(
    "--account",
    default=None,
    metavar="NUMBER",
    help=N_("For a subscriber: a personal account of hers or his."),
)
@_from_stdin
def create(
    email: str, phone: str | None, role: str, name: str, account: str | None, *, password_stdin: bool
) -> None:
    """Create a user."""
    if (role == "subscriber") != bool(account):
        raise click.UsageError(translated(N_("--account is needed for a subscriber, and only then.")))
    settings = start()
    password = read_password(is_stdin=password_stdin)

    from lk_portal.i18n import _
    from lk_portal.models import Role
    from lk_portal.services import access

    async def add(portal: Portal) -> None:
        await access.create_user(
            portal.database,
            settings,
            email=email,
            phone=phone,
            role=Role(role),
            display_name=name or email,
            password=password,
            subscriber_id=await _subscriber_of(portal, account) if account else None,
            now=portal.clock(),
        )

    with_portal(settings, add)
    click.echo(_("{login} may sign in.", login=email))


@command(
    name="disable",
    help=N_("Take the right to sign in away and end every session."),
    example="lk user disable anna@utility.example",
)
@click.argument("login")
def disable(login: str) -> None:
    """Disable a user."""
    settings = start()

    from lk_portal.i18n import _
    from lk_portal.services import access

    with_portal(
        settings, lambda portal: access.disable_user(portal.database, login=login, now=portal.clock())
    )
    click.echo(_("{login} may not sign in any more.", login=login))


@command(
    name="reset",
    help=N_("Set a new password, end every session and let the person sign in again."),
    example="lk user reset anna@utility.example --password-stdin < new-password",
)
@click.argument("login")
@click.option("--drop-second-factor", is_flag=True, help=N_("Take a lost second factor away as well."))
@_from_stdin
def reset(login: str, *, password_stdin: bool, drop_second_factor: bool) -> None:
    """Reset a password."""
    settings = start()
    password = read_password(is_stdin=password_stdin)

    from lk_portal.i18n import _
    from lk_portal.services import access

    with_portal(
        settings,
        lambda portal: access.reset_password(
            portal.database,
            settings,
            login=login,
            password=password,
            now=portal.clock(),
            is_factor_dropped=drop_second_factor,
        ),
    )
    click.echo(_("{login} has a new password.", login=login))


for _command in (create, disable, reset):
    user.add_command(_command)


async def _subscriber_of(portal: Portal, number: str) -> int:
    """The subscriber who has the account `number`.

    Raises:
        InputError: There is no such account, or it has no owner.
    """
    from sqlalchemy import select

    from lk_portal.errors import N_, InputError
    from lk_portal.models import Account
    from lk_portal.services.tables import table_of

    account = table_of(Account)
    async with portal.database.reading() as connection:
        found = await connection.scalar(select(account.c.subscriber_id).where(account.c.number == number))
    if found is None:
        raise InputError(N_("There is no account {number} with an owner."), field="account", number=number)
    return int(found)
