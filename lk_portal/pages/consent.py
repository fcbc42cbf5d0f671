"""/consent: documents in a new version, or taken back, that a subscriber must accept to use the cabinet."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import notice
from lk_portal.components.own_data import ERASE_SURE, EXPORT, OWN_PASSWORD, download, erasure
from lk_portal.components.own_forms import linked, submit, tick
from lk_portal.components.plain_form import plain_form
from lk_portal.components.public_frame import public_frame
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.state.consent import AGREEMENT, CONSENT, ConsentState


@portal_page(
    route="/consent",
    title=_("Accept the documents"),
    roles=frozenset(),
    on_load=(ConsentState.load,),
    has_shell=False,
)
def consent() -> rx.Component:
    """One box for each document that is asked for; sent by the browser itself."""
    return public_frame(
        rx.el.section(
            rx.el.h1(_("Accept the documents"), class_name="text-2xl font-semibold mb-2"),
            rx.el.p(
                _(
                    "You have not accepted the documents in force. Read them; without them the cabinet "
                    "is closed."
                ),
                class_name="mb-4",
            ),
            rx.cond(ConsentState.notice != "", rx.el.div(notice(ConsentState.notice), class_name="mb-4")),
            rx.cond(
                ConsentState.problem != "",
                rx.el.div(notice(ConsentState.problem, kind="error", icon_name="warning"), class_name="mb-4"),
            ),
            rx.cond(ConsentState.is_loaded, _form()),
            rx.cond(ConsentState.is_loaded, _otherwise()),
            plain_form(
                rx.el.button(_("Sign out"), type="submit", class_name="btn btn-ghost min-h-11 mt-3"),
                method="post",
                action="/auth/logout",
            ),
            class_name="card bg-base-100 border border-base-300 p-5 md:p-6",
        ),
        class_name="mx-auto max-w-xl",
    )


def _form() -> rx.Component:
    return plain_form(
        _box(AGREEMENT, _("I accept the terms of the [User Agreement]")),
        _box(CONSENT, _("I give my [consent to the processing of personal data]")),
        rx.el.input(type="hidden", name="next", value=ConsentState.next_path, read_only=True),
        submit(_("Accept")),
        method="post",
        action="/auth/consent",
        class_name="grid gap-2",
    )


def _otherwise() -> rx.Component:
    """The rights over one's data do not hang on agreeing."""
    return rx.el.section(
        rx.el.h2(_("If you do not want to accept"), class_name="text-lg font-semibold"),
        download(error=ConsentState.errors[EXPORT]),
        erasure(sure_error=ConsentState.errors[ERASE_SURE], password_error=ConsentState.errors[OWN_PASSWORD]),
        class_name="mt-6 pt-4 border-t border-base-300 grid",
    )


def _box(kind: str, sentence: str) -> rx.Component:
    return rx.cond(
        ConsentState.ids[kind] != "",
        tick(
            *linked(sentence, href=f"/info/{kind}"),
            control_id=kind,
            name=kind,
            value=ConsentState.ids[kind],
            error=ConsentState.errors[kind],
            hint=ConsentState.editions[kind],
        ),
    )
