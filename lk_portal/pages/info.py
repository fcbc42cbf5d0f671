"""/info and /info/[slug]: help and the documents, for everybody. Who is signed in keeps her menu."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.kit import card, link, link_button, notice
from lk_portal.components.public_frame import public_frame
from lk_portal.components.shell import shell
from lk_portal.i18n import _
from lk_portal.pages.not_found import not_found
from lk_portal.pages.registry import menu_pages, portal_page
from lk_portal.settings import load_settings
from lk_portal.state.info import DocumentState, InfoState
from lk_portal.state.shell import ShellState

ROUTE = "/info"
LINK = "link link-primary min-h-11 inline-flex items-center"


@portal_page(
    route=ROUTE, title=_("Information"), roles=frozenset(), on_load=(InfoState.load,), has_shell=False
)
def info() -> rx.Component:
    """What there is to read, and help with signing in."""
    return _framed(rx.el.div(_documents(), _help(), class_name="grid gap-4"), title=_("Information"))


@portal_page(
    route=f"{ROUTE}/[slug]",
    title=_("Document"),
    roles=frozenset(),
    on_load=(DocumentState.load,),
    has_shell=False,
)
def document() -> rx.Component:
    """One document: the version in force, or an earlier one."""
    return rx.cond(DocumentState.is_missing, not_found(), _framed(_document(), title=DocumentState.title))


def _framed(content: rx.Component, *, title: str | rx.Var[str]) -> rx.Component:
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
        main=[(item.route, item.title, item.icon) for item in menu_pages("main")],
        admin=[(item.route, item.title, item.icon) for item in menu_pages("admin")],
    )
    return rx.cond(ShellState.role != "", own, visitors)


def _documents() -> rx.Component:
    return card(
        rx.el.h2(_("Documents"), class_name="text-lg font-semibold"),
        rx.el.ul(
            rx.foreach(
                InfoState.documents,
                lambda one: rx.el.li(
                    link(one["title"], to=one["link"], class_name=LINK),
                    rx.el.p(one["edition"], class_name="text-sm"),
                    key=one["link"],
                ),
            ),
            class_name="mt-2 grid gap-2",
        ),
    )


def _help() -> rx.Component:
    return card(
        rx.el.h2(_("How to sign in"), class_name="text-lg font-semibold"),
        rx.el.ol(
            *(rx.el.li(step) for step in _steps()), class_name="list-decimal pl-6 mt-2 grid gap-2 max-w-prose"
        ),
        rx.el.p(
            link(_("Registration"), to="/register", class_name=LINK),
            link(_("Forgot the password?"), to="/recover", class_name=LINK),
            class_name="mt-2 flex flex-wrap gap-x-5",
        ),
    )


def _steps() -> tuple[str, ...]:
    return (
        _(
            "Register: you need the account number and the address as they stand on your bill, an e-mail "
            "address and a phone number."
        ),
        _(
            "A letter brings a temporary password. It works once and for a limited time; after signing in "
            "with it, you choose a password of your own."
        ),
        _("From then on your login is the phone number or the e-mail address, in any usual writing."),
        _(
            "If you have forgotten the password, recover it by e-mail. If you no longer have that mailbox, "
            "ask your utility for help."
        ),
        _("Sign out on computers that others use. In the settings you can end sessions on other devices."),
    )


def _document() -> rx.Component:
    return rx.el.div(
        rx.el.p(DocumentState.edition, class_name="text-sm"),
        rx.cond(
            DocumentState.newest != "",
            rx.el.div(
                notice(_("This version is no longer in force."), kind="warning", icon_name="warning"),
                link(_("The version in force"), to=DocumentState.newest, class_name=LINK),
            ),
        ),
        rx.cond(DocumentState.headings.length() > 0, _contents()),
        card(rx.html(DocumentState.html, class_name="written")),
        rx.cond(DocumentState.versions.length() > 0, _versions()),
        class_name="grid gap-4 max-w-3xl",
    )


def _contents() -> rx.Component:
    return rx.el.nav(
        rx.el.h2(_("Contents"), class_name="font-semibold"),
        rx.el.ul(
            rx.foreach(
                DocumentState.headings,
                lambda one: rx.el.li(
                    PlainLink.create(one["text"], href=one["link"], class_name=LINK), key=one["link"]
                ),
            ),
        ),
        custom_attrs={"aria-label": _("Contents")},
    )


def _versions() -> rx.Component:
    return rx.el.nav(
        rx.el.h2(_("Other versions"), class_name="font-semibold"),
        rx.el.ul(
            rx.foreach(
                DocumentState.versions,
                lambda one: rx.el.li(link(one["text"], to=one["link"], class_name=LINK), key=one["link"]),
            ),
        ),
        custom_attrs={"aria-label": _("Other versions")},
    )
