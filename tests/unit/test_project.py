"""What surrounds the code: locks, licences, documents, the Makefile. They must agree with each other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lk_portal

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

ENTRY = re.compile(r"^([a-z0-9.-]+)==([^ \\]+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
ADDRESS = re.compile(r"\w+://|^--?[a-z]|(?:^|\s)/\w+/", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")

PYTHONS = ("3.11.0", "3.11.2", "3.11.9", "3.12.3", "3.13.5")
MACHINES = ("x86_64", "aarch64")
FORBIDDEN = re.compile(
    r"\bA?GPL|GNU (Affero )?General|BUSL|Business Source|SSPL|Commons Clause", re.IGNORECASE
)
LGPL = {"pi-heif", "psycopg", "psycopg-binary"}


def locked(lock: str) -> dict[str, str]:
    """Names and versions of a lock."""
    found = (ENTRY.match(line) for line in read(lock).splitlines())
    return {entry[1]: entry[2] for entry in found if entry}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def entries(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each entry of a lock with the lines that belong to it; comments left out."""
    lines: list[str] = []
    head = ""
    for line in [one for one in text.splitlines() if one and not one.lstrip().startswith("#")]:
        if not line.startswith(" "):
            if head:
                yield head, lines
            head, lines = line, []
        else:
            lines.append(line)
    if head:
        yield head, lines


def unhashed(text: str) -> list[str]:
    """Entries that are not exactly pinned with at least one hash."""
    return [
        head
        for head, lines in entries(text)
        if not (ENTRY.match(head) and lines and all(HASH.match(line) for line in lines))
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_with_hashes(lock: str) -> None:
    assert len(locked(lock)) > 50
    assert unhashed(read(lock)) == []


def test_an_entry_without_a_hash_is_found() -> None:
    good = f"good==1 \\\n    --hash=sha256:{'a' * 64}\n    # via x\n"

    assert unhashed(good + "bare==1\n") == ["bare==1"]
    assert unhashed(good + "loose>=1 \\\n    --hash=sha256:0\n") == ["loose>=1 \\"]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place(lock: str) -> None:
    assert ADDRESS.findall(read(lock)) == []


@pytest.mark.parametrize(
    "line", ["--index-url x", "-e .", "a @ https://b/c", "    # via -r /srv/a.in", "file:///x"]
)
def test_a_place_in_a_lock_is_found(line: str) -> None:
    assert ADDRESS.findall(f"a==1 \\\n{line}\n")


def test_the_tools_lock_has_all_that_runs_in_the_same_versions() -> None:
    run, tools = (locked(lock).items() for lock in LOCKS)

    assert run <= tools


def test_the_locks_have_what_the_project_asks_for() -> None:
    asked = {LOCKS[0]: PROJECT["dependencies"], LOCKS[1]: PROJECT["optional-dependencies"]["dev"]}

    for lock, requirements in asked.items():
        versions = locked(lock)
        for requirement in map(Requirement, requirements):
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def surroundings() -> Iterator[dict[str, str]]:
    """Environments the locks are meant for."""
    for python in PYTHONS:
        short = python.rpartition(".")[0]
        for machine in MACHINES:
            yield {
                "python_version": short,
                "python_full_version": python,
                "platform_machine": machine,
                "sys_platform": "linux",
                "extra": "",
            }


def missing(lock: dict[str, str], requirements: list[str]) -> list[str]:
    """Requirements that hold in some environment of ours and that the lock lacks."""
    return [
        text
        for text in requirements
        if (one := Requirement(text))
        and canonicalize_name(one.name) not in lock
        and (one.marker is None or any(one.marker.evaluate(where) for where in surroundings()))
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_complete_for_every_python_we_support(lock: str) -> None:
    versions = locked(lock)
    lacking = {name: missing(versions, installed(name).requires or []) for name in versions}

    assert {name: texts for name, texts in lacking.items() if texts} == {}


def test_what_only_an_older_python_needs_is_found() -> None:
    asked = [
        'async-timeout>=4; python_full_version < "3.11.3"',
        'tomli; python_version < "3.11"',
        'x; extra == "x"',
    ]

    assert missing({}, asked) == asked[:1]


def installed(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        pytest.fail(f"{name} is in the lock but not installed; run make lint", pytrace=False)


def licence(name: str) -> str:
    """What the installed package says of its licence, all of it."""
    about = installed(name).metadata
    said = [about.get("License-Expression"), *(about.get("License") or "").splitlines()[:1]]
    said += [line for line in about.get_all("Classifier") or [] if line.startswith("License")]
    return " | ".join(line for line in said if line)


def is_forbidden(text: str) -> bool:
    return bool(FORBIDDEN.search(text))


def test_no_licence_forbids_to_ship() -> None:
    licences = {name: licence(name) for name in locked(LOCKS[0])}

    assert {name for name, text in licences.items() if not text} == set()
    assert {name for name, text in licences.items() if is_forbidden(text)} == set()
    assert {name for name, text in licences.items() if "LGPL" in text or "Lesser" in text} == LGPL


@pytest.mark.parametrize(
    "text", ["GPL-3.0-only", "GNU General Public License v2", "AGPL-3.0", "BUSL-1.1", "SSPL-1.0"]
)
def test_a_forbidden_licence_is_found(text: str) -> None:
    assert is_forbidden(text)
    assert not is_forbidden("LGPL-3.0-only")


def test_every_dependency_is_explained() -> None:
    rows = {}
    for line in read("docs/dependencies.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4:
            rows[cells[0]] = cells[1:]
    versions = locked(LOCKS[0])

    for requirement in map(Requirement, PROJECT["dependencies"]):
        name = canonicalize_name(requirement.name)
        version, said, why = rows.get(name, ("", "", ""))
        assert (name, version) == (name, versions[name])
        assert why
        assert said in licence(name) or said.split("-")[0] in licence(name), (name, said, licence(name))


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == lk_portal.__version__
    assert f"## [{PROJECT['version']}]" in read("CHANGELOG.md")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))


def commands(text: str) -> set[str]:
    """Targets of make that a document names as commands."""
    return set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_the_documents_exist(document: Path) -> None:
    assert commands(document.read_text(encoding="utf-8")) <= targets()


def test_the_readme_has_its_two_commands() -> None:
    assert {"run", "test"} <= commands(read("README.md"))
    assert commands("`make nothing`") - targets() == {"nothing"}


def dead_links(document: Path) -> list[str]:
    """Relative links of a document that lead nowhere."""
    links = LINK.findall(document.read_text(encoding="utf-8"))
    return [link for link in links if "://" not in link and not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    assert dead_links(document) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("[a](a.md) [b](b.md#part) [c](https://example.org) [d](#here)", encoding="utf-8")

    assert dead_links(document) == ["b.md"]


def test_ci_runs_tests_and_checks() -> None:
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert commands(script.read_text(encoding="utf-8")) == {"test", "lint"}
    assert "export CI=true" in script.read_text(encoding="utf-8")
