"""Reads the catalogues of installed packages, for `i18n`; refuses at once what would break a page later."""

from __future__ import annotations

import re
from gettext import c2py
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from lk_portal.errors import ConfigurationError
from lk_portal.settings import KNOWN_LOCALES

FILE = "messages.po"
_NUMBERS = range(201)
"""Those a plural rule is tried with: every language repeats itself by then."""
_LINE = re.compile(
    r'\s*(#.*|((msgctxt|msgid|msgid_plural|msgstr(\[\d+\])?)\s+)?"([^"\\]|\\.)*"\s*)?', re.DOTALL
)
"""A line of a .po file. Babel reads past some that are none, and a text would stay untranslated."""


def read_catalogues(folder: Path) -> dict[str, Catalog]:
    """The catalogues `<locale>/messages.po` in a package's folder, for the languages the portal has.

    What the translator has marked as doubtful (`#, fuzzy`) is left out, as everywhere in gettext.

    Raises:
        ConfigurationError: A file cannot be read, lies where it would not be found, or has a translation that
            could not be filled in; the file is named.
    """
    for path in sorted(folder.rglob("*.po")):
        if path.name != FILE or path.parent.parent != folder:
            raise ConfigurationError(detail=f"{path}: a catalogue lies at {folder.name}/<language>/{FILE}")
    files = {locale: folder / locale / FILE for locale in KNOWN_LOCALES}
    return {locale: _read(path, locale) for locale, path in files.items() if path.is_file()}


def _read(path: Path, locale: str) -> Catalog:
    try:
        content = path.read_bytes()
        _look_at_lines(content)
        catalog = read_po(BytesIO(content), locale=locale, abort_invalid=True)
        _look_at_plurals(catalog)
        for entry in [one for one in catalog if one.id]:
            _keep_or_drop(catalog, entry)
    except (PoFileError, ArithmeticError, LookupError, OSError, ValueError) as error:
        raise ConfigurationError(detail=f"{path}: {error}") from error
    return catalog


def _look_at_lines(content: bytes) -> None:
    for number, line in enumerate(content.decode("utf-8-sig").splitlines(), 1):
        if not _LINE.fullmatch(line):
            raise ValueError(f"line {number} is no line of a catalogue: {line.strip()[:60]}")


def _look_at_plurals(catalog: Catalog) -> None:
    rule = c2py(catalog.plural_expr)
    if not all(0 <= rule(number) < catalog.num_plurals for number in _NUMBERS):
        raise ValueError(f"Plural-Forms gives a form that is none of {catalog.num_plurals}")


def _keep_or_drop(catalog: Catalog, entry: Message) -> None:
    """See that every translation of a message can be filled with what the code fills the message with."""
    if entry.fuzzy:
        catalog.delete(entry.id, entry.context)
        return
    ids = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
    said = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
    try:
        fields = set().union(*map(_fields, ids))
    except ValueError:
        return  # such a text is never filled
    is_plural = len(ids) > 1
    for text in filter(None, said):
        # A form for "one" may do without the number; who says one thing must say all of it.
        wrong = _fields(text) - fields - {"{count}"} if is_plural else _fields(text) ^ fields
        if wrong:
            raise ValueError(f"{ids[0]!r}: only one of both texts has {', '.join(sorted(wrong))}")


def _fields(text: str) -> set[str]:
    """The places of a text that are filled, as they are written: `{number}`.

    Raises:
        ValueError: Its braces are no places.
    """
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from error
    return {
        "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
        for _literal, name, spec, conversion in parts
        if name is not None
    }
