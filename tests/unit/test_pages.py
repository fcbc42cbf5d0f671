"""How pages register, what the guard admits, and the outermost layer's small parts."""

from __future__ import annotations

import ast
import pkgutil
import re
from itertools import product
from pathlib import Path

import pytest
import reflex as rx

import lk_portal.lk_portal  # registers every page
from lk_portal import pages
from lk_portal.components.icons import PATHS, icon
from lk_portal.components.menu import MenuItem, MenuPart
from lk_portal.errors import ConfigurationError
from lk_portal.i18n import _
from lk_portal.pages import registry
from lk_portal.pages.registry import all_pages, main_menu, menu_pages, portal_page, staff_menu
from lk_portal.services.access import Identity, Role
from lk_portal.services.badges import Badge
from lk_portal.services.menu_groups import GROUP_TITLES, MenuGroup
from lk_portal.services.resource import STAFF, all_resources
from lk_portal.services.seen import Section
from lk_portal.state.guard import Access
from lk_portal.web.client import client_address
from lk_portal.web.guard import Bucket


def layout() -> rx.Component:
    return rx.el.div()


@pytest.mark.parametrize(
    ("route", "menu", "reason"),
    [("/readings", "", "taken"), ("tips", "", "begin with /"), ("/things/[thing]", "main", "menu")],
)
def test_a_wrong_page_is_refused_with_its_reason(route: str, menu: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        portal_page(route=route, title="x", menu=menu)(layout)  # type: ignore[arg-type]


@pytest.mark.parametrize(("menu", "badge"), [("admin", Section.INFO), ("", Badge("acme", len))])  # type: ignore[arg-type]
def test_only_the_main_menu_has_badges(menu: str, badge: Section | Badge) -> None:
    with pytest.raises(ConfigurationError, match="main menu"):
        portal_page(route="/counted", title="x", menu=menu, badge=badge)(layout)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("menu", "group", "reason"),
    [
        ("admin", "registry", "no group"),
        ("admin", None, "no group"),
        ("main", MenuGroup.SITE, "groups are of"),
    ],
)
def test_a_wrong_group_is_refused(menu: str, group: object, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        portal_page(route="/admin/x", title="x", menu=menu, group=group)(layout)  # type: ignore[arg-type]

    assert "/admin/x" not in {page.route for page in all_pages()}


@pytest.mark.usefixtures("own_pages")
def test_the_staffs_menu_has_its_groups_in_order_and_strangers_last() -> None:
    before = staff_menu(frozenset({Role.ADMIN}))
    portal_page(route="/admin/x", title="Икс", menu="admin", roles={Role.ADMIN})(layout)
    portal_page(route="/admin/y", title="Игрек", menu="admin", roles=STAFF, group=MenuGroup.POLLING)(layout)
    after = staff_menu(frozenset({Role.ADMIN}))

    assert [part.title for part in before] == [*map(_, map(GROUP_TITLES.get, list(MenuGroup)[:-1]))]
    assert [part.title for part in after[:-1]] == [part.title for part in before]
    assert after[-1] == MenuPart(_(GROUP_TITLES[MenuGroup.MORE]), (MenuItem("/admin/x", "Икс", "", True),))
    assert after[-1].is_for_admins
    assert MenuItem("/admin/y", "Игрек") in after[list(MenuGroup).index(MenuGroup.POLLING)].items
    assert sum(len(part.items) for part in after) == len(menu_pages("admin"))


def test_nobody_is_sent_a_menu_of_others() -> None:
    staff, subscriber, both = STAFF, frozenset({Role.SUBSCRIBER}), frozenset[Role]()

    assert [bool(main_menu(roles)) for roles in (staff, subscriber, both)] == [False, True, True]
    assert [bool(staff_menu(roles)) for roles in (staff, subscriber, both)] == [True, False, True]


def test_the_pages_are_there_and_their_icons_too() -> None:
    assert {"/", "/login", "/readings", "/not-found"} <= {page.route for page in all_pages()}
    assert [page.route for page in menu_pages("main")][:3] == ["/", "/accounts", "/readings"]
    assert all(page.icon in PATHS for page in all_pages() if page.menu)


@pytest.fixture
def own_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this test registers is gone afterwards."""
    monkeypatch.setattr(registry, "_pages", dict(registry._pages))


@pytest.mark.usefixtures("own_pages")
def test_a_new_page_stands_where_its_order_says() -> None:
    before = [page.route for page in menu_pages("main")]
    portal_page(route="/tips", title="Советы", menu="main", order=15)(layout)
    portal_page(route="/a-first", title="А", menu="main", order=15)(layout)
    portal_page(route="/hidden", title="Скрыто")(layout)
    portal_page(route="/things/[thing]", title="Вещь")(layout)
    portal_page(route="/admin/x", title="X", menu="admin", roles={Role.ADMIN})(layout)

    assert [page.route for page in menu_pages("main")] == ["/", "/a-first", "/tips", *before[1:]]
    assert "/admin/x" in [page.route for page in menu_pages("admin")]
    assert {"/hidden", "/things/[thing]"} <= {page.route for page in all_pages()}


@pytest.mark.usefixtures("own_pages")
def test_a_page_is_the_subscribers_unless_it_says_otherwise() -> None:
    assert portal_page(route="/tips", title="Советы")(layout) is layout
    portal_page(route="/open", title="Всем", roles=frozenset())(layout)
    found = {page.route: page.roles for page in all_pages()}

    assert found["/tips"] == {Role.SUBSCRIBER}
    assert found["/open"] == frozenset()
    assert [page.route for page in all_pages() if not page.roles and page.menu] == ["/info"]


@pytest.mark.usefixtures("own_pages")
def test_a_refused_page_leaves_the_first_one() -> None:
    with pytest.raises(ConfigurationError):
        portal_page(route="/readings", title="Чужая")(layout)

    assert [page.title for page in all_pages() if page.route == "/readings"] != ["Чужая"]


def test_every_module_of_pages_registers_one() -> None:
    """A page that forgot its decorator would be nowhere."""
    modules = {
        module.name
        for module in pkgutil.walk_packages(pages.__path__, prefix="lk_portal.pages.")
        if not module.ispkg and module.name != registry.__name__
    }

    assert len(modules) >= 4
    # Pages that are made for others, such as those of declared lists, say in which module, and for whom.
    named = {name for page in all_pages() for name in _and_its_parent(page.layout.__module__)}
    assert modules == named & modules


def _and_its_parent(module: str) -> tuple[str, str]:
    return module, module.rpartition(".")[0]


def icons_named(source: str) -> set[str]:
    """The icons that a module names: `icon("x")`, `icon="x"`, `icon_name="x"`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            named = [word.value for word in node.keywords if word.arg in ("icon", "icon_name")]
            first = node.args[:1] if getattr(node.func, "id", "") == "icon" else []
            values = [value.value for value in (*named, *first) if isinstance(value, ast.Constant)]
            found |= {str(value) for value in values if value}
    return found


def test_every_icon_that_is_named_exists() -> None:
    package = Path(lk_portal.lk_portal.__file__).parent
    sources = [*(package / "pages").rglob("*.py"), *(package / "components").rglob("*.py")]
    named = {name for path in sources for name in icons_named(path.read_text(encoding="utf-8"))}

    assert {"home", "chart", "left", "menu", "exit"} <= named
    assert named <= PATHS.keys()
    assert icons_named('card(icon("one"), x(icon_name="two"), icon=3, icon_name="")') == {"one", "two", "3"}


def test_every_page_can_be_drawn() -> None:
    for page in all_pages():
        if page.layout.__module__.startswith("lk_portal.pages."):
            assert isinstance(page.layout(), rx.Component), page.route


def chosen_in(source: str) -> set[tuple[str, str, str]]:
    """List, filter and choice of every link to a list that has one chosen."""
    return set(re.findall(r"/admin/(\w+)\?f\.(\w+)=(\w+)", source))


def test_what_a_page_chooses_in_a_list_can_be_chosen_there() -> None:
    """A choice that a list does not know is left out without a word, and all rows are shown."""
    package = Path(lk_portal.lk_portal.__file__).parent
    named = {one for path in (package / "pages").rglob("*.py") for one in chosen_in(path.read_text("utf-8"))}
    known = {
        (each.name, one.name, choice.name)
        for each in all_resources()
        for one in each.filters
        for choice in one.choices
    }

    assert ("letters", "status", "unsent") in named
    assert named <= known


def test_an_unknown_icon_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        icon("nothing")


PEOPLE = [None, *(Identity(1, role, None, "", "") for role in Role)]


@pytest.mark.parametrize(("person", "role"), list(product(PEOPLE, Role)))
def test_only_the_declared_role_is_admitted(person: Identity | None, role: Role) -> None:
    assert Access(is_public=False, roles=frozenset({role})).admits(person) == (
        person is not None and person.role is role
    )
    assert Access(is_public=True).admits(person)
    assert not Access(is_public=False).admits(person)


def test_a_bucket_lets_a_burst_and_then_the_rate_through() -> None:
    now = [0.0]
    bucket = Bucket(rate=2, burst=3, clock=lambda: now[0])

    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 100
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, b"6.6.6.6", "10.0.0.1"),
        (1, b"6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, b"6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
        (3, b"1.2.3.4", "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(hops: int, forwarded: bytes, address: str) -> None:
    scope = {"type": "http", "client": ("10.0.0.1", 1), "headers": [(b"x-forwarded-for", forwarded)]}

    assert client_address(scope, hops) == address
