"""Collects the texts of the code into the catalogues: `make messages`. For developers and for a test.

New messages are added empty, messages that are gone are removed; the translator fills in the rest.

`python -m lk_portal.i18n.extract FOLDER` does it for a package that extends the portal. Its catalogue gets
only the messages that the portal does not have: those it has it translates itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from lk_portal.i18n import FOLDER, our_messages

PACKAGE = FOLDER.parent
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
TRANSLATED = ("ru",)


def collect(package: Path = PACKAGE) -> Catalog:
    """A catalogue of every message in a package's modules; of an installed one, those that are not ours."""
    is_ours = package == PACKAGE
    ours = frozenset() if is_ours else our_messages()
    found = Catalog(project="lk-portal" if is_ours else package.name, charset="utf-8", fuzzy=False)
    for path, _line, message, _comments, _context in extract_from_dir(package, keywords=KEYWORDS):
        if (message if isinstance(message, str) else message[0]) not in ours:
            found.add(message, locations=[(path, 0)])
    return found


def missing(locale: str, package: Path = PACKAGE) -> list[str]:
    """Messages of the code that have no translation in a language."""
    with catalog_path(locale, package).open("rb") as file:
        known = read_po(file, locale=locale)
    return [str(entry.id) for entry in collect(package) if entry.id and not _is_translated(known, entry.id)]


def _is_translated(known: Catalog, message: object) -> bool:
    found = known.get(message)  # type: ignore[arg-type]
    if found is None or not found.string:
        return False
    return all(found.string) if isinstance(found.string, tuple | list) else True


def update(locale: str, package: Path = PACKAGE) -> None:
    """Bring a language's catalogue up to date with the code."""
    path = catalog_path(locale, package)
    path.parent.mkdir(parents=True, exist_ok=True)
    collected = collect(package)
    catalog = Catalog(locale=locale, project=collected.project, charset="utf-8", fuzzy=False)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale)
    catalog.update(collected, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalog, omit_header=False, sort_output=True, include_lineno=False, width=110)


def catalog_path(locale: str, package: Path = PACKAGE) -> Path:
    """Where a language's catalogue lies."""
    return (FOLDER if package == PACKAGE else package / FOLDER.name) / locale / "messages.po"


def main(arguments: Sequence[str] = ()) -> int:
    """Update every catalogue, ours or those of the package in a folder; tell what is left to translate."""
    package = Path(arguments[0]).resolve() if arguments else PACKAGE
    if not (package / "__init__.py").is_file():
        sys.stderr.write(f"{package} is no folder of a Python package\n")
        return 2
    left = 0
    for locale in TRANSLATED:
        update(locale, package)
        for message in missing(locale, package):
            left += 1
            sys.stdout.write(f"{locale}: {message}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
