"""`lk`: finds the command that was asked for, and says in one line what went wrong.

Each command is a module of `lk_portal.commands` and is imported only when it is needed; what it needs it
imports when it runs. So `lk --help` answers at once, and a broken setting breaks only what reads it.
"""

from __future__ import annotations

import importlib
import keyword
import sys
from collections.abc import Sequence

import click

from lk_portal.commands.base import EXIT_FAILED, EXIT_USAGE, LocalGroup, speak
from lk_portal.errors import N_

COMMANDS = {
    "demo": "demo",
    "serve": "portal",
    "worker": "portal",
    "migrate": "portal",
    "user": "user",
    "simulate": "metering",
    "poll": "metering",
    "import": "imports",
    "export": "exports",
    "backup": "backup",
    "restore": "backup",
    "doctor": "doctor",
}
"""Command and the module of `lk_portal.commands` that has a function of its name."""
INTERRUPTED = 130


class LazyGroup(LocalGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        # `import` is a word of Python's own, so its function has a line below its name.
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(f"lk_portal.commands.{module}"), name)
        return command


@click.group(
    cls=LazyGroup,
    help=N_("Personal cabinet of an electricity utility's subscribers. Settings are LK_* variables."),
    epilog="lk demo",
)
def cli() -> None:
    """The group itself does nothing."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 well, 1 the job failed, 2 wrong arguments or a broken setting."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code; a failure is one line on stderr, never a traceback."""
    try:
        result = cli.main(
            args=None if arguments is None else list(arguments), prog_name="lk", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)  # the help itself, as it is laid out
        return EXIT_USAGE
    except click.UsageError as error:
        return _fail(error.format_message(), EXIT_USAGE)
    except click.ClickException as error:
        return _fail(error.format_message(), EXIT_FAILED)
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)
        return INTERRUPTED
    except Exception as error:
        return _fail(*speak(error))
    return result if isinstance(result, int) else 0


def _fail(sentence: str, code: int) -> int:
    click.echo(f"lk: {' '.join(sentence.split())}", err=True)
    return code
