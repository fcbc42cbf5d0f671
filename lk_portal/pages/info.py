"""/info, "Информация": news, help, the utility's pages, documents, and the search over all of them.

For everybody. Who is signed in keeps her menu; a visitor gets a way to the sign-in.
"""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card, empty, field, link, link_button, skeleton
from lk_portal.components.public_frame import public_frame
from lk_portal.components.shell import shell
from lk_portal.i18n import _
from lk_portal.pages.registry import main_menu, portal_page, staff_menu
from lk_portal.services.seen import Section
from lk_portal.settings import load_settings
from lk_portal.state.info import InfoState
from lk_portal.state.info_texts import GUIDE, HELP, ROUTE
from lk_portal.state.shell import ShellState

LINK = "link link-primary min-h-11 inline-flex items-center"
ALL_NEWS = f"{ROUTE}?news=all"
Item = rx.Var[dict[str, str]]


@portal_page(
    route=ROUTE,
    title=_("Information"),
    icon="book",
    menu="main",
    badge=Section.INFO,
    order=60,
    roles=frozenset(),
    on_load=(InfoState.load,),
    has_shell=False,
)
def info() -> rx.Component:
    """The search, and under it what was found, or all that there is."""
    return framed(
        rx.el.div(
            _search(),
            rx.cond(InfoState.is_loaded, rx.cond(InfoState.query != "", _answers(), _lists()), _loading()),
            class_name="grid gap-4",
        ),
        title=_("Information"),
    )


def framed(content: rx.Component, *, title: str | rx.Var[str]) -> rx.Component:
    """Inside the frame of whoever reads it."""
    visitors = public_frame(
        link_button(_("To signing in"), to="/login", icon_name="back", class_name="-ml-4"),
        rx.el.h1(title, class_name="text-2xl font-semibold mt-2 mb-4"),
        content,
    )
    own = shell(
        content,
        title=title,
        route=ROUTE,
        utility=load_settings().utility_name,
        main=main_menu(frozenset()),
        admin=staff_menu(frozenset()),
    )
    return rx.cond(ShellState.role != "", own, visitors)


def _search() -> rx.Component:
    return rx.el.form(
        field(
            _("Search the help, news and documents"),
            rx.el.input(
                id="q",
                name="q",
                type="search",
                key=InfoState.query,
                default_value=InfoState.query,
                max_length=200,
                class_name="input w-full min-h-11 text-base",
            ),
            for_id="q",
            class_name="grow min-w-0",
        ),
        rx.el.button(_("Find"), type="submit", class_name="btn btn-primary min-h-11 text-base self-end"),
        on_submit=InfoState.search,
        reset_on_submit=False,
        # Before the scripts are there the browser itself goes to the question's address.
        action=ROUTE,
        method="get",
        role="search",
        class_name="card bg-base-100 border border-base-300 p-4 flex-row gap-3",
    )


def _loading() -> rx.Component:
    return rx.el.div(skeleton("h-40 w-full mb-4"), skeleton("h-64 w-full"))


def _answers() -> rx.Component:
    return card(
        rx.el.div(
            rx.el.h2(_("Found"), class_name="text-lg font-semibold"),
            link(_("Everything there is"), to=ROUTE, class_name=LINK),
            class_name="flex flex-wrap items-center justify-between gap-x-4",
        ),
        rx.el.p(InfoState.found_text, role="status"),
        rx.cond(
            InfoState.found.length() > 0,
            rx.el.ul(rx.foreach(InfoState.found, _answer), class_name="found divide-y divide-base-300 mt-2"),
            empty(_("Nothing was found"), _("Try fewer words, or other ones.")),
        ),
    )


def _answer(found: rx.Var[dict[str, list[list[str]]]]) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            link(_pieces(found["title"]), to=found["link"].to(str), class_name=f"{LINK} font-semibold"),
            rx.el.span(found["shelf"].to(str), class_name="text-sm"),
            class_name="flex flex-wrap items-center gap-x-3",
        ),
        rx.el.p(_pieces(found["excerpt"]), class_name="break-words"),
        key=found["link"].to(str),
        class_name="py-3",
    )


def _pieces(pieces: rx.Var[list[list[str]]]) -> rx.Component:
    """Text by text, so that nothing of it is markup."""
    return rx.el.span(
        rx.foreach(
            pieces.to(list[list[str]]),
            lambda piece: rx.cond(piece[1] != "", rx.el.mark(piece[0]), rx.el.span(piece[0])),
        )
    )


def _lists() -> rx.Component:
    """What the utility says; beside it, and below on a telephone, the staff's guide and the help."""
    return rx.el.div(
        rx.el.div(_news(), _pages(), _documents(), class_name="grid gap-4"),
        rx.el.div(
            _guide(),
            _part(link(_("Help"), to=HELP, class_name="link link-hover"), _items(InfoState.topics)),
            class_name="grid gap-4",
        ),
        class_name="grid gap-4 md:grid-cols-2 items-start",
    )


def _news() -> rx.Component:
    more = rx.cond(InfoState.has_more_news, link(_("All news"), to=ALL_NEWS, class_name=LINK))
    return rx.cond(
        InfoState.news.length() > 0, _part(_("News"), _items(InfoState.news, has_notes=True), more)
    )


def _pages() -> rx.Component:
    return rx.cond(InfoState.pages.length() > 0, _part(_("Useful information"), _items(InfoState.pages)))


def _guide() -> rx.Component:
    title = link(_("Operator guide"), to=GUIDE, class_name="link link-hover")
    return rx.cond(InfoState.guide.length() > 0, _part(title, _items(InfoState.guide)))


def _documents() -> rx.Component:
    return _part(_("Documents"), _items(InfoState.documents, has_notes=True))


def _part(title: str | rx.Component, *content: rx.Component) -> rx.Component:
    return card(rx.el.h2(title, class_name="text-lg font-semibold"), *content)


def _items(items: rx.Var[list[dict[str, str]]], *, has_notes: bool = False) -> rx.Component:
    def item(one: Item) -> rx.Component:
        return rx.el.li(
            link(one["title"], to=one["link"], class_name=LINK),
            *([rx.el.p(one["note"], class_name="text-sm")] if has_notes else []),
            key=one["link"],
            custom_attrs={"lang": one["language"]},
        )

    return rx.el.ul(rx.foreach(items, item), class_name="mt-2 grid gap-2 break-words")
