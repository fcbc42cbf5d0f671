"""/info/[slug]: one text - a document, a topic of the help, a page or piece of news - with its contents."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.kit import card, link, notice, skeleton
from lk_portal.i18n import _
from lk_portal.pages.info import LINK, framed
from lk_portal.pages.not_found import nothing_here
from lk_portal.pages.registry import portal_page
from lk_portal.state.info_article import ArticleState
from lk_portal.state.info_texts import ROUTE
from lk_portal.state.shell import ShellState

Item = rx.Var[dict[str, str]]


@portal_page(
    route=f"{ROUTE}/[slug]",
    title=_("Information"),
    roles=frozenset(),
    on_load=(ArticleState.load,),
    has_shell=False,
    tab=rx.cond(ArticleState.is_missing, _("Not found"), ArticleState.title),
)
def info_article() -> rx.Component:
    """The text in the frame of whoever reads it; or that there is none, with a way to sign in."""
    title = rx.cond(ArticleState.title != "", ArticleState.title, _("Information"))
    content = rx.cond(ArticleState.title != "", _article(), skeleton("h-96 w-full"))
    return rx.cond(ArticleState.is_missing, _missing(), framed(content, title=title))


def _missing() -> rx.Component:
    return rx.cond(
        ShellState.role != "",
        nothing_here(),
        nothing_here(
            rx.el.p(_("Some pages can be read after signing in only.")),
            link(_("Sign in"), to=ArticleState.sign_in, class_name=f"{LINK} justify-center"),
        ),
    )


def _article() -> rx.Component:
    return rx.el.div(
        _list_of_links(ArticleState.parents, _("You are here"), class_name="flex flex-wrap gap-x-5 -mt-3"),
        rx.cond(ArticleState.note != "", rx.el.p(ArticleState.note, class_name="text-sm")),
        _older_version(),
        rx.cond(ArticleState.headings.length() > 0, _contents()),
        rx.cond(
            ArticleState.html != "",
            card(
                rx.html(ArticleState.html, class_name="written", custom_attrs={"lang": ArticleState.language})
            ),
        ),
        rx.cond(ArticleState.topics.length() > 0, card(_list_of_links(ArticleState.topics, _("Topics")))),
        rx.cond(ArticleState.beside.length() > 0, _beside()),
        rx.cond(ArticleState.versions.length() > 0, _versions()),
        class_name="grid gap-4 max-w-3xl",
    )


def _older_version() -> rx.Component:
    return rx.cond(
        ArticleState.newest != "",
        rx.el.div(
            notice(_("This version is no longer in force."), kind="warning", icon_name="warning"),
            link(_("The version in force"), to=ArticleState.newest, class_name=LINK),
        ),
    )


def _contents() -> rx.Component:
    return rx.el.nav(
        rx.el.h2(_("Contents"), class_name="font-semibold"),
        rx.el.ul(
            rx.foreach(
                ArticleState.headings,
                lambda one: rx.el.li(
                    # A router's link would lead to the page without what its address asks for.
                    PlainLink.create(one["title"], href=one["link"], class_name=LINK),
                    key=one["link"],
                ),
            ),
        ),
        custom_attrs={"aria-label": _("Contents")},
    )


def _beside() -> rx.Component:
    def topic(one: Item) -> rx.Component:
        return rx.el.li(
            rx.el.span(one["label"], class_name="text-sm"),
            rx.el.br(),
            link(one["title"], to=one["link"], class_name=LINK),
            key=one["link"],
        )

    return rx.el.nav(
        rx.el.ul(rx.foreach(ArticleState.beside, topic), class_name="flex flex-wrap justify-between gap-4"),
        custom_attrs={"aria-label": _("Other topics")},
    )


def _versions() -> rx.Component:
    return rx.el.div(
        rx.el.h2(_("Other versions"), class_name="font-semibold"),
        _list_of_links(ArticleState.versions, _("Other versions")),
    )


def _list_of_links(
    items: rx.Var[list[dict[str, str]]], name: str, *, class_name: str = "grid gap-1"
) -> rx.Component:
    return rx.el.nav(
        rx.el.ul(
            rx.foreach(
                items,
                lambda one: rx.el.li(link(one["title"], to=one["link"], class_name=LINK), key=one["link"]),
            ),
            class_name=class_name,
        ),
        custom_attrs={"aria-label": name},
    )
