"""The house rules, read off the source: who imports whom, what every module has, how long things are.

The rules are tables; `broken_arrows` reads any tree that has an `lk_portal` in it. So each rule is tried
twice: on the real package, where it must find nothing, and on a small bad one, where it must find that.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "lk_portal"
MAX_LINES = 400
MAX_MEDIAN_FUNCTION = 15
LONG_MARKER = f"# over {MAX_LINES} lines:"


@dataclass(frozen=True)
class Room:
    """What the modules of one room may import of ours, and what they may never import of others.

    An entry of `may` is a room or a module (with all below it), without `lk_portal.`; `but` takes some away
    again. A room may always import itself.
    """

    may: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()


def room(may: str = "", *, but: str = "", never: str = "") -> Room:
    return Room(frozenset(may.split()), frozenset(but.split()), frozenset(never.split()))


IMPORTERS = ("import_module", "__import__")
DATABASE = "services.database services.migrations"
SQL = "sqlalchemy sqlmodel alembic psycopg aiosqlite sqlite3"
BELOW_STATE = "errors settings logs i18n security letters.agents metering.types services"
BELOW_JOBS = "errors settings logs i18n security letters metering models services"
EVERYTHING = f"{BELOW_JOBS} jobs web state components pages resources serving lk_portal commands cli"

ROOMS = {
    "": room("", never=f"reflex {SQL}"),
    "errors": room("", never=f"reflex {SQL}"),
    "setting_errors": room("errors", never=f"reflex {SQL}"),
    "settings": room("errors setting_errors", never=f"reflex {SQL}"),
    "logs": room("", never=f"reflex {SQL}"),
    "i18n": room("errors settings", never=f"reflex {SQL}"),
    "security": room("errors settings", never=f"reflex {SQL}"),
    "letters": room("errors settings i18n", never=f"reflex {SQL}"),
    "metering": room("errors", never=f"reflex {SQL}"),
    "models": room("errors metering.types", never="reflex"),
    "services": room(BELOW_JOBS, never="reflex"),
    "jobs": room(BELOW_JOBS, never="reflex"),
    "web": room(BELOW_JOBS, never="reflex"),
    "state": room(BELOW_STATE, but=DATABASE, never=SQL),
    "components": room(f"{BELOW_STATE} state", but=DATABASE, never=SQL),
    "pages": room(f"{BELOW_STATE} state components", but=DATABASE, never=SQL),
    "resources": room("errors i18n metering.types models services", but=DATABASE, never="reflex"),
    "serving": room(
        "errors settings services.context services.migrations services.plugins lk_portal", never=SQL
    ),
    "lk_portal": room(EVERYTHING),
    "commands": room(EVERYTHING),
    "cli": room(EVERYTHING),
    "__main__": room("cli"),
}


def test_every_import_goes_the_allowed_way() -> None:
    problems = broken_arrows(ROOT)

    assert not problems, "\n".join(problems)


def test_the_reader_sees_the_whole_package() -> None:
    seen = {target for path in modules(ROOT) for target in imports(path, ROOT)}

    assert len(list(modules(ROOT))) > 30
    assert {"lk_portal.errors", "lk_portal.metering.types", "sqlalchemy"} <= seen


# Module, what it says, and the target the reader must object to.
BAD = [
    ("errors.py", "import lk_portal.settings", "lk_portal.settings"),
    ("settings.py", "from lk_portal.models import User", "lk_portal.models"),
    ("i18n/x.py", "from lk_portal import services", "lk_portal.services"),
    ("security/x.py", "from lk_portal.models.access import Role", "lk_portal.models.access"),
    ("security/x.py", "import sqlalchemy", "sqlalchemy"),
    ("letters/x.py", "from lk_portal.models import LetterKind", "lk_portal.models"),
    ("metering/x.py", "from lk_portal.settings import Settings", "lk_portal.settings"),
    ("metering/x.py", "import lk_portal.models.reading", "lk_portal.models.reading"),
    ("metering/x.py", "import reflex as rx", "reflex"),
    ("metering/simulator/x.py", "from sqlmodel import Field", "sqlmodel"),
    ("models/x.py", "from lk_portal.metering import base", "lk_portal.metering.base"),
    ("models/x.py", "from ..services import database", "lk_portal.services.database"),
    ("models/x.py", "from reflex import Model", "reflex"),
    ("services/x.py", "from lk_portal.state.base import Base", "lk_portal.state.base"),
    ("services/x.py", "def f():\n    import reflex_base.config", "reflex_base.config"),
    ("services/x.py", "import lk_portal.cli", "lk_portal.cli"),
    ("services/x.py", "from tests.factories import account", "tests.factories"),
    ("jobs/x.py", "import lk_portal.web.routes", "lk_portal.web.routes"),
    ("jobs/x.py", "import reflex", "reflex"),
    ("web/x.py", "from lk_portal.pages import login", "lk_portal.pages"),
    ("web/x.py", "import reflex.app", "reflex.app"),
    ("resources/x.py", "import reflex as rx", "reflex"),
    ("resources/x.py", "from lk_portal.state.guard import public", "lk_portal.state.guard"),
    ("resources/x.py", "from lk_portal.services.database import Database", "lk_portal.services.database"),
    ("serving/x.py", "import lk_portal.pages", "lk_portal.pages"),
    ("state/x.py", "from lk_portal.models import User", "lk_portal.models"),
    ("state/x.py", "import lk_portal.metering.base", "lk_portal.metering.base"),
    ("state/x.py", "from lk_portal.services.database import Database", "lk_portal.services.database"),
    ("state/x.py", "from lk_portal.services import database", "lk_portal.services.database"),
    ("state/x.py", "from sqlalchemy import select", "sqlalchemy"),
    ("state/x.py", "import lk_portal.components", "lk_portal.components"),
    ("components/x.py", "import lk_portal.pages", "lk_portal.pages"),
    ("components/x.py", "import lk_portal.services.database", "lk_portal.services.database"),
    ("components/x.py", "import sqlalchemy.orm", "sqlalchemy.orm"),
    ("pages/x.py", "import lk_portal.services.database", "lk_portal.services.database"),
    ("pages/admin/x.py", "import sqlmodel", "sqlmodel"),
    ("pages/x.py", "import lk_portal.web.routes", "lk_portal.web.routes"),
    ("pages/x.py", "from lk_portal.lk_portal import app", "lk_portal.lk_portal"),
    ("models/x.py", "if TYPE_CHECKING:\n    import lk_portal.services", "lk_portal.services"),
    ("models/x.py", "importlib.import_module('lk_portal.services')", "lk_portal.services"),
]


@pytest.mark.parametrize(("module", "source", "target"), BAD, ids=[f"{m}: {s}" for m, s, _ in BAD])
def test_a_wrong_import_is_found(tmp_path: Path, module: str, source: str, target: str) -> None:
    for known in ("services/database.py", "metering/base.py", module):
        write(tmp_path, known, "")
    write(tmp_path, module, source)

    assert broken_arrows(tmp_path) == [f"{PACKAGE}/{module} -> {target}"]


def test_a_right_import_is_let_through(tmp_path: Path) -> None:
    write(
        tmp_path,
        "models/reading.py",
        "from lk_portal.metering.types import Quantity\nfrom sqlmodel import Field",
    )
    write(tmp_path, "pages/login.py", "import reflex as rx\nfrom lk_portal.components import field")
    write(tmp_path, "lk_portal.py", "from lk_portal.services.database import Database")

    assert broken_arrows(tmp_path) == []


def test_a_module_outside_every_room_is_found(tmp_path: Path) -> None:
    write(tmp_path, "helpers.py", "")

    assert broken_arrows(tmp_path) == [f"{PACKAGE}/helpers.py belongs to no room"]


def test_every_module_says_why_it_exists() -> None:
    assert without_docstring(ROOT) == []


def test_a_silent_module_is_found(tmp_path: Path) -> None:
    write(tmp_path, "services/loud.py", '"""Why."""\nX = 1')
    write(tmp_path, "services/silent.py", "X = 1")

    assert without_docstring(tmp_path) == [f"{PACKAGE}/services/silent.py"]


def test_no_time_is_naive() -> None:
    assert naive_times(ROOT) == []


@pytest.mark.parametrize(
    "call", ["datetime.utcnow()", "datetime.datetime.now()", "datetime.utcfromtimestamp(0)", "date.today()"]
)
def test_a_naive_time_is_found(tmp_path: Path, call: str) -> None:
    write(
        tmp_path,
        "services/clock.py",
        f"\nT = {call}\nok = datetime.now(UTC), datetime.now(tz=UTC), clock.now()",
    )

    assert naive_times(tmp_path) == [f"{PACKAGE}/services/clock.py:2"]


def test_no_module_is_long_without_a_reason() -> None:
    assert long_modules(ROOT) == []


def test_a_long_module_is_found(tmp_path: Path) -> None:
    write(tmp_path, "services/long.py", "X = 1\n" * (MAX_LINES + 1))
    write(tmp_path, "services/excused.py", f"{LONG_MARKER} one table\n" + "X = 1\n" * (MAX_LINES + 1))
    write(tmp_path, "services/short.py", "X = 1\n" * MAX_LINES)

    assert long_modules(tmp_path) == [f"{PACKAGE}/services/long.py: {MAX_LINES + 1} lines"]


def test_functions_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = sorted(length for path in modules(ROOT) for length in function_lengths(path))
    report = f"{len(lengths)} functions: median {median(lengths)} lines, longest {lengths[-1]}"
    with capsys.disabled():
        sys.stdout.write(f" [{report}] ")

    assert median(lengths) <= MAX_MEDIAN_FUNCTION, report


def test_a_function_is_measured_without_its_docstring(tmp_path: Path) -> None:
    path = write(
        tmp_path, "services/f.py", 'def f():\n    """Say\n    much.\n    """\n    a = 1\n    return a\n'
    )

    assert list(function_lengths(path)) == [2]


def modules(root: Path) -> Iterator[Path]:
    """Every Python file of the package under `root`."""
    yield from sorted((root / PACKAGE).rglob("*.py"))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Every node of the file's syntax tree."""
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))


def broken_arrows(root: Path) -> list[str]:
    """Every import that the rooms' rules do not allow, as `file -> target`."""
    return [problem for path in modules(root) for problem in _problems(path, root)]


def _problems(path: Path, root: Path) -> list[str]:
    file = path.relative_to(root).as_posix()
    own = _dotted(path, root).removeprefix(PACKAGE).removeprefix(".")
    name = own.split(".")[0]
    rules = ROOMS.get(name)
    if rules is None:
        return [f"{file} belongs to no room"]
    return [f"{file} -> {target}" for target in imports(path, root) if not _is_allowed(target, name, rules)]


def _is_allowed(target: str, name: str, rules: Room) -> bool:
    top = target.split(".", maxsplit=1)[0]
    if top != PACKAGE:
        return top != "tests" and not any(top == word or top.startswith(f"{word}_") for word in rules.never)
    ours = target.removeprefix(PACKAGE).removeprefix(".")
    if not ours:  # only __version__ and the docstring live in the package itself
        return True
    return _is_within(ours, rules.may | {name}) and not _is_within(ours, rules.but)


def _is_within(module: str, places: frozenset[str]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def imports(path: Path, root: Path) -> Iterator[str]:
    """The dotted name of every module that the file imports, at its top, late, for types or by name."""
    for node in nodes(path):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                base = _base(node, path, root)
                yield from dict.fromkeys(_member(base, alias.name, root) for alias in node.names)
            case ast.Call(args=[ast.Constant(value=str(name)), *_]) if _called(node) in IMPORTERS:
                yield name


def _base(node: ast.ImportFrom, path: Path, root: Path) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parent.parts
    above = package[: len(package) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _member(base: str, name: str, root: Path) -> str:
    """`from base import name`: the module `base.name` if there is one, else `base`."""
    place = root.joinpath(*base.split("."), name)
    is_module = place.with_suffix(".py").exists() or place.is_dir()
    return f"{base}.{name}" if is_module or (base == PACKAGE and not name.startswith("__")) else base


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _dotted(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def without_docstring(root: Path) -> list[str]:
    """Modules with code but no docstring; an empty `__init__` has nothing to say."""
    trees = ((path, ast.parse(path.read_text(encoding="utf-8"))) for path in modules(root))
    return [
        path.relative_to(root).as_posix() for path, tree in trees if tree.body and not ast.get_docstring(tree)
    ]


def naive_times(root: Path) -> list[str]:
    """Where a time without a zone is made, as `file:line`."""
    return [
        f"{path.relative_to(root).as_posix()}:{node.lineno}"
        for path in modules(root)
        for node in nodes(path)
        if isinstance(node, ast.Call) and _is_naive(node)
    ]


def _is_naive(node: ast.Call) -> bool:
    match node.func:
        case ast.Attribute(attr="utcnow" | "utcfromtimestamp"):
            return True
        case ast.Attribute(value=owner, attr="now" | "today"):
            is_clock = ast.unparse(owner).split(".")[-1] in ("datetime", "date")
            return is_clock and not node.args and not node.keywords
    return False


def long_modules(root: Path) -> list[str]:
    """Modules longer than the house likes that do not say why in a comment."""
    texts = ((path, path.read_text(encoding="utf-8")) for path in modules(root))
    return [
        f"{path.relative_to(root).as_posix()}: {text.count(chr(10))} lines"
        for path, text in texts
        if text.count("\n") > MAX_LINES and LONG_MARKER not in text
    ]


def function_lengths(path: Path) -> Iterator[int]:
    """Lines of each function's body, docstring aside."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def write(root: Path, module: str, source: str) -> Path:
    """Put a module into the package under `root`."""
    path = root / PACKAGE / module
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path
