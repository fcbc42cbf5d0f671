"""What all commands share: help in the reader's language, settings, logging, and errors as one sentence."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lk_portal.services.context import Portal
    from lk_portal.settings import Settings

from lk_portal.errors import N_

EXIT_FAILED = 1
EXIT_USAGE = 2
_Result = TypeVar("_Result")


def translated(message: str, **data: object) -> str:
    """`message` in the language of LK_LOCALE; English where the settings cannot be read."""
    from lk_portal.errors import ConfigurationError
    from lk_portal.i18n import _

    try:
        return _(message, **data)
    except ConfigurationError:
        return message.format(**data) if data else message


class LocalCommand(click.Command):
    """A command whose help is translated when it is shown, not when it is defined."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Translate, then write as click does."""
        _translate(self)
        super().format_help(ctx, formatter)

    def get_short_help_str(self, limit: int = 60) -> str:
        """For the list of the group."""
        return _short_help(self, limit)


class LocalGroup(click.Group):
    """A group of such commands."""

    command_class = LocalCommand

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Translate, then write as click does."""
        _translate(self)
        super().format_help(ctx, formatter)

    def get_short_help_str(self, limit: int = 60) -> str:
        """For the list of the group above."""
        return _short_help(self, limit)


def _short_help(command: click.Command, limit: int) -> str:
    return click.Command(command.name, help=translated(command.help or "")).get_short_help_str(limit)


def _translate(command: click.Command) -> None:
    """In place: a process has one language, and what is translated already is found in no catalogue."""
    command.help = translated(command.help or "")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = translated(parameter.help)
    if command.epilog and not command.epilog.startswith("\b"):
        # "\b" keeps click from wrapping an example that is to be copied.
        command.epilog = "\b\n" + translated(N_("Example: {example}"), example=command.epilog)


def command(*, name: str, help: str, example: str) -> Callable[[Callable[..., Any]], click.Command]:  # noqa: A002
    """Make a function a command with `help` (an English message id) and an example of its use."""
    return click.command(name=name, cls=LocalCommand, help=help, epilog=example)


def start(**overrides: object) -> Settings:
    """Read the settings, choose the language and set logging up; the first thing a command does.

    The data directory is made absolute, for the server changes the working directory.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    from lk_portal import logs
    from lk_portal.i18n import use_locale
    from lk_portal.settings import load_settings

    settings = load_settings(**overrides)
    use_locale(settings.locale)
    logs.configure(level=settings.log_level, is_json=settings.is_log_json)
    return settings.model_copy(update={"data_dir": settings.data_dir.absolute()})


def with_portal(settings: Settings, use: Callable[[Portal], Awaitable[_Result]]) -> _Result:
    """Open the portal's database, run `use` with it, close it.

    Raises:
        PortalError: The database is missing or not current, or `use` failed.
    """
    from lk_portal.services.context import Portal, install

    require_current(settings)

    async def run() -> _Result:
        portal = install(Portal.from_settings(settings))
        try:
            return await use(portal)
        finally:
            await portal.close()

    return asyncio.run(run())


def require_current(settings: Settings) -> None:
    """Refuse to work on a database that is not at this code's schema.

    Raises:
        PortalError: It cannot be opened, or `lk migrate` is missing.
    """
    from lk_portal.errors import PortalError
    from lk_portal.services.migrations import is_current

    if not is_current(settings.database_address):
        raise PortalError(N_("The database cannot be reached or is not up to date; run `lk migrate`."))


def require_free_port(settings: Settings) -> None:
    """Refuse an address that somebody listens on: the server would share it, and each get half the people.

    Raises:
        PortalError: It is taken, or not this machine's.
    """
    from lk_portal.errors import PortalError

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # connections that just ended do not count
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortalError(
                N_("Cannot listen on {host}:{port} ({reason}); LK_PORT chooses another port."),
                host=settings.host,
                port=settings.port,
                reason=error.strerror,
            ) from error


def run_until_stopped(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` until it ends or the process is told to stop (SIGINT, SIGTERM): then it is cancelled."""

    async def run() -> None:
        task = asyncio.ensure_future(main)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            return

    asyncio.run(run())


def speak(error: Exception) -> tuple[str, int]:
    """An error as a sentence in the reader's language, and the exit code it calls for."""
    from lk_portal.errors import ConfigurationError, PortalError
    from lk_portal.i18n import say

    code = EXIT_USAGE if isinstance(error, ConfigurationError) else EXIT_FAILED
    if not isinstance(error, PortalError):
        return _outside_trouble(error) or _unexpected(error), code
    try:
        return say(error), code
    except ConfigurationError:  # the language itself could not be read
        return str(error), code


def _outside_trouble(error: Exception) -> str:
    """What is wrong around the portal - disk, network, database - and not in it; "" for the rest."""
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, DBAPIError):
        return translated(N_("The database failed: {reason}"), reason=error.orig)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) if isinstance(error, OSError) else ""


def _unexpected(error: Exception) -> str:
    from lk_portal import logs

    if not logging.getLogger().handlers:
        logs.configure()
    number = logs.report(error)
    return translated(N_("Something went wrong (error {number}); the log has more."), number=number)


def read_password(*, is_stdin: bool) -> str:
    """A password typed twice, or the first line of stdin; never an argument, which others could see."""
    if is_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt(translated(N_("Password")), hide_input=True, confirmation_prompt=True)
    return password
