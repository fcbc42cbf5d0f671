"""`lk doctor`: what an administrator asks first when something does not work."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from lk_portal.commands.base import EXIT_FAILED, command, start, with_portal
from lk_portal.errors import N_, PortalError

if TYPE_CHECKING:
    from lk_portal.services.context import Portal
    from lk_portal.settings import Settings

LEAST_FREE_MB = 500
SILENT_AFTER = timedelta(hours=24)
MAIL_PATIENCE_S = 10.0
MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says.

    Attributes:
        text: For people, in their language.
        is_fault: Whether something does not work, as opposed to being good to know.
    """

    text: str
    is_fault: bool = False


def _well(message: str = N_("ok"), **data: object) -> Finding:
    from lk_portal.i18n import _

    return Finding(_(message, **data))


def _fault(message: str, **data: object) -> Finding:
    from lk_portal.i18n import _

    return Finding(_(message, **data), is_fault=True)


@command(
    name="doctor",
    help=N_(
        "Check the settings, the databases, the register maps and the pages; exit 1 when something is wrong."
    ),
    example="lk doctor",
)
def doctor() -> int:
    """Run every check and print a line for each; exit code 1 when one found a fault."""
    settings = start()

    from lk_portal.i18n import _, say

    faults = 0
    for name, check in CHECKS.items():
        try:
            finding = check(settings)
        except PortalError as error:
            finding = Finding(say(error), is_fault=True)
        faults += finding.is_fault
        click.echo(f"{'!' if finding.is_fault else ' '} {_(name)}: {finding.text}")
    if faults:
        end = _("Something is wrong: see the lines with an exclamation mark.")
        click.echo(f"lk: {end}", err=True)
    return EXIT_FAILED if faults else 0


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK):
        return _fault(N_("{folder} cannot be written"), folder=folder)
    free_mb = shutil.disk_usage(there).free // 2**20
    if free_mb < LEAST_FREE_MB:
        return _fault(N_("{folder}: only {free} MB are free"), folder=folder, free=free_mb)
    return _well(N_("{folder}, {free} MB are free"), folder=folder, free=free_mb)


def _secret(settings: Settings) -> Finding:
    kept = settings.data_dir / "secret_key"
    if settings.secret_key.get_secret_value():
        return _well(N_("from LK_SECRET_KEY"))
    if kept.exists() and kept.stat().st_mode & 0o077:
        return _fault(N_("others can read {file}; `chmod 600` it"), file=kept)
    return _well(N_("kept in {file}"), file=kept)


def _database(settings: Settings) -> Finding:
    from lk_portal.services.migrations import is_current

    if is_current(settings.database_address):
        return _well()
    return _fault(N_("cannot be reached or is not up to date; run `lk migrate`"))


def _packages(settings: Settings) -> Finding:
    from lk_portal.services import plugins
    from lk_portal.services.migrations import left_behind, missing_of, undeclared

    plugins.load()
    missing = missing_of(settings.database_address)
    if waiting := ", ".join(name for name in missing if name):
        return _fault(
            N_("the tables of {packages} are missing or not up to date; run `lk migrate`"), packages=waiting
        )
    if not missing and (unknown := undeclared(settings.database_address)):
        return _fault(
            N_("it is not said whose the rows of {tables} are: they are in no download and are never erased"),
            tables=", ".join(unknown),
        )
    here = ", ".join(f"{one.name} {one.version}".strip() for one in plugins.installed())
    gone = {} if missing else left_behind(settings.database_address)
    if gone:
        tables = ", ".join(table for tables in gone.values() for table in tables)
        return _well(
            N_("{here}; {gone} is not installed any more, its tables stay: {tables}"),
            here=here or _none(),
            gone=", ".join(gone),
            tables=tables,
        )
    return Finding(here or _none())


def _none() -> str:
    from lk_portal.i18n import _

    return _("none")


def _maps(settings: Settings) -> Finding:
    from lk_portal.jobs.protocols import load_protocols
    from lk_portal.metering.base import known_protocols
    from lk_portal.metering.maps import known_maps

    load_protocols(settings)
    return _well(
        N_("ok; protocols: {protocols}; maps: {maps}"),
        protocols=", ".join(known_protocols()),
        maps=", ".join(one.name for one in known_maps()),
    )


def _meters(settings: Settings) -> Finding:
    from lk_portal.services.migrations import is_current

    if not is_current(settings.database_address):
        return _well(N_("not known without the database"))
    connected, silent = with_portal(settings, _count_meters)
    if silent:
        return _fault(
            N_("{silent} of {connected} were not read for a day"), silent=silent, connected=connected
        )
    return _well(N_("{connected} connected, none silent for a day"), connected=connected)


async def _count_meters(portal: Portal) -> tuple[int, int]:
    """Polled meters, and those of them that were tried and not read for a day."""
    from sqlalchemy import and_, func, or_, select

    from lk_portal.models import MeterConnection
    from lk_portal.services.tables import table_of

    link = table_of(MeterConnection).c
    since = portal.clock() - SILENT_AFTER
    is_silent = and_(link.attempts > 0, or_(link.last_success_at.is_(None), link.last_success_at < since))
    query = select(func.count(), func.count().filter(is_silent)).where(link.is_enabled.is_(True))
    async with portal.database.reading() as connection:
        connected, silent = (await connection.execute(query)).one()
        return int(connected), int(silent)


def _hours(settings: Settings) -> Finding:
    from lk_portal.services.migrations import is_current
    from lk_portal.services.validation import WINDOW, disagreements

    if not is_current(settings.database_address):
        return _well(N_("not known without the database"))
    found = with_portal(settings, lambda portal: disagreements(portal.database, now=portal.clock()))
    if not found:
        return _well(N_("agree with the registers of the last {days} days"), days=WINDOW.days)
    serials = list(dict.fromkeys(one.serial for one in found))
    shown = ", ".join(serials[:MAX_NAMED]) + (" ..." if len(serials) > MAX_NAMED else "")
    return _fault(N_("do not agree with the register: {serials}"), serials=shown)


def _audit(settings: Settings) -> Finding:
    from lk_portal.services.audit_chain import verify
    from lk_portal.services.migrations import is_current

    if not is_current(settings.database_address):
        return _well(N_("not known without the database"))
    chain = with_portal(settings, lambda portal: verify(portal.database))
    if chain.broken_at is not None:
        return _fault(N_("entry {number} is not as it was written"), number=chain.broken_at)
    if chain.is_cut:
        return _fault(N_("the newest entries are not those that were written last"))
    if not chain.is_guarded:
        return _fault(N_("the database does not refuse changes of it any more: triggers are missing"))
    return _well(
        N_("{count} entries, unbroken; the newest is {hash}"), count=chain.entries, hash=chain.newest
    )


def _bun(settings: Settings) -> Finding:  # noqa: ARG001 - a check's signature
    beside = Path(sys.executable).with_name("bun")
    if beside.exists() or shutil.which("bun"):
        return _well()
    return _fault(N_("not found; it comes with the Python packages"))


def _pages(settings: Settings) -> Finding:
    from lk_portal.serving.frontend import is_built

    return _well() if is_built(settings) else _well(N_("not built; `lk serve` builds them"))


def _letters(settings: Settings) -> Finding:
    from lk_portal.settings import Encryption

    server, (_name, sender) = settings.mail_server, settings.mail_sender
    if server is None:
        return _well(
            N_("no LK_SMTP_URL: letters are written as .eml files into {folder}"), folder=settings.letters_dir
        )
    place = f"{server.host}:{server.port}"
    if trouble := asyncio.run(_greet(settings)):
        return _fault(N_("{place} takes no letters: {reason}"), place=place, reason=trouble)
    if sender.endswith("@localhost"):
        return _fault(N_("letters come from {sender}: set LK_MAIL_FROM to a real address"), sender=sender)
    if server.encryption is Encryption.NONE:
        return _well(
            N_("{place} answers, without encryption; letters come from {sender}"), place=place, sender=sender
        )
    return _well(N_("{place} answers; letters come from {sender}"), place=place, sender=sender)


async def _greet(settings: Settings) -> str:
    """Connect to the mail server as the mail job does, and leave; gives what went wrong."""
    from lk_portal.jobs.post import NotTakenError, PostLimits, open_post

    post = open_post(settings, PostLimits(connect_s=MAIL_PATIENCE_S, answer_s=MAIL_PATIENCE_S))
    try:
        await post.open()
    except NotTakenError as error:
        return str(error)
    finally:
        await post.close()
    return ""


def _outbox(settings: Settings) -> Finding:
    from lk_portal.services.letters import count_letters
    from lk_portal.services.migrations import is_current

    if not is_current(settings.database_address):
        return _well(N_("not known without the database"))
    outbox = with_portal(settings, lambda portal: count_letters(portal.database, now=portal.clock()))
    if outbox.overdue:
        return _fault(
            N_("{overdue} should have been sent long ago: does `lk serve` or `lk worker` run?"),
            overdue=outbox.overdue,
        )
    return _well(
        N_("{waiting} wait, {delayed} of them after a failed attempt; {dead} could not be sent"),
        waiting=outbox.waiting,
        delayed=outbox.delayed,
        dead=outbox.dead,
    )


def _address(settings: Settings) -> Finding:
    url = settings.public_url
    if settings.is_https or urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1"):
        return Finding(url)
    return _fault(N_("{address} is not https: passwords would go over the network in the clear"), address=url)


CHECKS: dict[str, Callable[[Settings], Finding]] = {
    N_("data directory"): _data_dir,
    N_("secret"): _secret,
    N_("database"): _database,
    N_("packages that extend it"): _packages,
    N_("register maps"): _maps,
    N_("meters"): _meters,
    N_("hours"): _hours,
    N_("audit"): _audit,
    N_("bun"): _bun,
    N_("pages"): _pages,
    N_("letters"): _letters,
    N_("letters to be sent"): _outbox,
    N_("address"): _address,
}
