"""click's own words - "Usage:", "Missing option" - in the reader's language. For `cli` only.

click asks Python's gettext, which reads compiled catalogues from the system's folders. Ours are read as they
are, so the functions that click's modules took from there are replaced by those that ask our catalogue.
"""

from __future__ import annotations

from types import ModuleType

from click import core, decorators, exceptions, formatting, parser, termui, types

from lk_portal.commands.base import translated
from lk_portal.errors import N_

WORDS = (
    N_("Usage:"),
    N_("Options"),
    N_("Commands"),
    N_("Show this message and exit."),
    N_("default: {default}"),
    N_("required"),
    N_("Aborted!"),
    N_("Missing command."),
    N_("Missing option"),
    N_("Missing argument"),
    N_("Choose from:\n\t{choices}"),
    N_("No such option {name!r}."),
    N_("No such command {name!r}."),
    N_("Did you mean {possibility}?"),
    N_("(Did you mean one of: {possibilities}?)"),
    N_("Got unexpected extra argument ({args})"),
    N_("Got unexpected extra arguments ({args})"),
    N_("Option {name!r} does not take a value."),
    N_("Option {name!r} requires an argument."),
    N_("Invalid value: {message}"),
    N_("Invalid value for {param_hint}: {message}"),
    N_("{value!r} is not {choice}."),
    N_("{value!r} is not one of {choices}."),
    N_("{value!r} is not a valid {number_type}."),
    N_("{value} is not in the range {range}."),
    N_("{value!r} does not match the format {format}."),
    N_("{value!r} does not match the formats {formats}."),
    N_("file"),
    N_("directory"),
    N_("{name} {filename!r} does not exist."),
    N_("{name} {filename!r} is a directory."),
    N_("{name} {filename!r} is a file."),
    N_("{name} {filename!r} is not readable."),
    N_("Repeat for confirmation"),
    N_("Error: The two entered values do not match."),
)
"""What our commands can make click say, exactly as click has it: a test compares it with click's source."""

MODULES: tuple[ModuleType, ...] = (core, decorators, exceptions, formatting, parser, termui, types)


def translate_click() -> None:
    """Let click speak our language; doing it again changes nothing."""
    for module in MODULES:
        for name, ours in (("_", translated), ("ngettext", _plural)):
            if hasattr(module, name):
                setattr(module, name, ours)


def _plural(one: str, many: str, count: int) -> str:
    """None of these sentences has its number in it, so two forms are enough for any language."""
    return translated(one if count == 1 else many)
