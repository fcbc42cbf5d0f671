"""The other parts of /settings: sessions, history, language and look, documents and data."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card, link
from lk_portal.components.own_data import ERASE_SURE, EXPORT, OWN_PASSWORD, download, erasure
from lk_portal.components.own_forms import buttons, submit, tick
from lk_portal.components.plain_form import plain_form
from lk_portal.components.preferences_form import preferences_form
from lk_portal.components.settings_rows import done_text
from lk_portal.i18n import _
from lk_portal.state.settings import (
    SESSIONS,
    YES,
    SettingsState,
)

RowVar = rx.Var[dict[str, str]]


def sessions_part() -> rx.Component:
    """Where the person is signed in, each with a button that ends it."""
    own = SettingsState.sessions
    return card(
        _heading(_("Active sessions")),
        done_text(SESSIONS),
        rx.el.ul(rx.foreach(own, _session), class_name="divide-y divide-base-300"),
        rx.cond(
            own.length() > 1,
            rx.el.button(
                _("End all others"),
                type="button",
                on_click=SettingsState.end_other_sessions(own[0]["reference"]),
                class_name="btn min-h-11 text-base mt-2 self-start",
            ),
        ),
    )


def history_part() -> rx.Component:
    """The person's own sign-ins, failures and changes."""
    return card(
        _heading(_("Sign-ins and changes")),
        rx.el.p(_("If there is something you did not do, change the password."), class_name="text-sm mb-1"),
        rx.el.ul(rx.foreach(SettingsState.history, _entry), class_name="divide-y divide-base-300"),
    )


def preferences_part() -> rx.Component:
    """Language and look."""
    return card(_heading(_("Language and look")), preferences_form(theme=SettingsState.theme))


def documents_part() -> rx.Component:
    """What a subscriber agreed to, and taking it back."""
    return card(
        _heading(_("Agreement and consent")),
        rx.el.ul(rx.foreach(SettingsState.documents, _document), class_name="divide-y divide-base-300"),
        _folded(_("Withdraw the consent"), _withdraw_form(), error=SettingsState.errors["withdraw-sure"]),
    )


def data_part() -> rx.Component:
    """Taking the data along; for a subscriber, erasing them."""
    return card(
        _heading(_("Your data in the portal")),
        download(error=SettingsState.errors[EXPORT]),
        rx.cond(
            SettingsState.is_subscriber,
            erasure(
                sure_error=SettingsState.errors[ERASE_SURE],
                password_error=SettingsState.errors[OWN_PASSWORD],
            ),
        ),
    )


def _heading(text: str) -> rx.Component:
    return rx.el.h2(text, class_name="text-lg font-semibold mb-1")


def _session(session: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(session["browser"], class_name="font-medium"),
            rx.el.p(session["address"], class_name="text-sm break-all"),
            rx.el.p(_("Begun"), " ", session["began"], class_name="text-sm"),
            rx.el.p(_("Last seen"), " ", session["seen"], class_name="text-sm"),
            class_name="grow min-w-0",
        ),
        rx.cond(
            session["is_current"] == YES,
            rx.el.span(_("this session"), class_name="badge badge-outline whitespace-nowrap"),
            rx.el.button(
                _("End session"),
                type="button",
                on_click=SettingsState.end_session(session["reference"]),
                class_name="btn btn-ghost min-h-11 text-base",
                custom_attrs={"aria-label": session["end_label"]},
            ),
        ),
        key=session["reference"],
        class_name="flex items-center gap-3 py-2",
    )


def _entry(entry: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.span(entry["at"], class_name="tabular-nums text-sm sm:w-36 shrink-0"),
        rx.el.span(entry["text"], class_name="grow"),
        rx.el.span(
            rx.el.span(entry["browser"], class_name="sm:block"),
            " ",
            rx.el.span(entry["address"], class_name="break-all sm:block"),
            class_name="text-sm sm:text-right sm:w-40 shrink-0",
        ),
        class_name="flex flex-col sm:flex-row sm:gap-3 py-2",
    )


def _document(document: RowVar) -> rx.Component:
    return rx.el.li(
        link(
            document["title"],
            to=document["link"],
            class_name="link min-h-11 inline-flex items-center",
        ),
        rx.el.p(
            document["version"],
            ". ",
            _("Accepted"),
            " ",
            document["accepted"],
            rx.cond(
                document["withdrawn"] != "",
                rx.el.span(". ", _("Withdrawn"), " ", document["withdrawn"]),
            ),
            ".",
            class_name="text-sm",
        ),
        class_name="py-1",
    )


def _folded(text: str, *content: rx.Component, error: rx.Var[str]) -> rx.Component:
    """A form that nobody opens by accident; it is open when it has something to say."""
    return rx.el.details(
        rx.el.summary(text, class_name="link min-h-11 flex items-center cursor-pointer"),
        *content,
        open=error != "",
        class_name="mt-2",
    )


def _withdraw_form() -> rx.Component:
    return plain_form(
        rx.el.p(
            _(
                "Without the consent the portal may not process your data: your other sessions end, and the "
                "cabinet stays closed until you give it again. Your contract and the data of the utility "
                "are not affected. To have your data erased, use the form below instead."
            )
        ),
        tick(
            _("I understand that the cabinet will be closed"),
            name="sure",
            value=YES,
            control_id="withdraw-sure",
            error=SettingsState.errors["withdraw-sure"],
        ),
        buttons(submit(_("Withdraw the consent"), class_name="btn-outline border-error")),
        method="post",
        action="/profile/withdraw",
        class_name="grid gap-2 max-w-xl",
    )
