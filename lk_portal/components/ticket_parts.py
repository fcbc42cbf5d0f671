"""Parts of /support and of a ticket's own page: statuses, and the forms that carry files.

The forms are sent by assets/tickets.js, which finds its sentences in their data attributes, and writes what
is wrong into the empty places that are left for it.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.icons import icon
from lk_portal.components.kit import field, file_button, notice
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import _
from lk_portal.security.files import MAX_FILE_BYTES, MAX_FILES, SUFFIXES, FileKind
from lk_portal.security.navigation import UPLOADS
from lk_portal.services.ticket_rules import MAX_TEXT
from lk_portal.state.ticket_form import TicketFormState

FILE_TYPES = ",".join((*(kind.partition(";")[0] for kind in FileKind), *chain(*SUFFIXES.values())))
"""By type, so that a telephone offers its camera, and by name, for systems that do not know every type."""
RowVar = rx.Var[dict[str, str]]


def status_badge(ticket: RowVar) -> rx.Component:
    """How a ticket stands: a word with an icon."""
    return rx.el.span(
        rx.match(
            ticket["status"],
            ("waiting", icon("bell", class_name="size-4")),
            ("closed", icon("check", class_name="size-4")),
            icon("chat", class_name="size-4"),
        ),
        rx.el.span(ticket["status_text"]),
        class_name="badge badge-outline h-auto min-h-6 py-0.5 gap-1.5 text-left",
        custom_attrs={"data-status": ticket["status"]},
    )


def error_place(name: str) -> rx.Component:
    """Where the script says what is wrong with a field; empty for React, so it leaves it alone."""
    return rx.el.p(
        id=f"{name}-error",
        role="alert",
        class_name="mt-1 text-sm font-medium border-l-4 border-error pl-2 empty:hidden",
    )


def described(name: str) -> dict[str, Any]:
    """The attribute that ties a field to its place for errors."""
    return {"aria-describedby": f"{name}-error"}


def ticket_form(
    *parts: rx.Component,
    state: type[TicketFormState],
    button: str,
    action: str = UPLOADS,
    prefix: str = "",
    **attributes: str,
) -> rx.Component:
    """A form that is sent with its files.

    Args:
        parts: Its fields.
        state: Its keys.
        button: What sends it.
        action: Where to.
        prefix: Of the ids in it, where the page has two such forms.
        attributes: Further data attributes, for the script.
    """
    form = plain_form(
        rx.cond(state.problem != "", notice(state.problem, kind="error", icon_name="warning")),
        rx.el.input(type="hidden", name="send_key", value=state.send_key, read_only=True),
        *parts,
        error_place(f"{prefix}form"),
        _progress(),
        rx.el.button(
            button, type="submit", class_name="btn btn-primary min-h-11 text-base justify-self-start"
        ),
        method="post",
        action=action,
        enc_type="multipart/form-data",
        # Another ticket's form is another one: what was typed into the first must not be sent with it.
        key=state.draft_key,
        class_name="grid gap-4 max-w-2xl",
        custom_attrs={"data-lk-draft": state.draft_key, **_sentences(), **attributes},
    )
    # Until it is known whose draft it is, there is nothing to type into: what was typed would be anybody's.
    return rx.cond(state.draft_key != "", form)


def text_field(label: str, *, prefix: str = "", **props: Any) -> rx.Component:
    """The text of a message; how long it may be is said by whoever reads it."""
    return rx.el.div(
        field(
            label,
            rx.el.textarea(
                id=f"{prefix}text",
                name="text",
                rows="6",
                class_name="textarea w-full text-base leading-normal",
                custom_attrs=described(f"{prefix}text"),
                **props,
            ),
            for_id=f"{prefix}text",
        ),
        error_place(f"{prefix}text"),
    )


def files_field(*, prefix: str = "") -> rx.Component:
    """Files to go with the message."""
    return rx.el.div(
        file_button(
            _("Attach files"),
            field_id=f"{prefix}files",
            name="files",
            multiple=True,
            accept=FILE_TYPES,
            custom_attrs={"aria-describedby": f"{prefix}files-hint {prefix}files-error"},
        ),
        rx.el.p(
            _(
                "Up to {count} files of {size} MB each: pictures (JPG, PNG, HEIC), PDF, plain text.",
                count=MAX_FILES,
                size=MAX_FILE_BYTES // 2**20,
            ),
            id=f"{prefix}files-hint",
            class_name="text-sm mt-1",
        ),
        rx.el.ul(class_name="mt-1 empty:hidden", custom_attrs={"data-lk-files": ""}),
        error_place(f"{prefix}files"),
    )


def file_line(file: rx.Var[list[str]]) -> rx.Component:
    """A file of a message. A link that loads it: a router's would look for a page."""
    return rx.el.li(
        PlainLink.create(
            icon("clip"),
            rx.el.span(file[0], class_name="break-all"),
            rx.el.span(file[1], class_name="whitespace-nowrap text-sm"),
            href=file[2],
            download=True,
            class_name="link inline-flex items-center gap-2 min-h-11",
        )
    )


def _progress() -> rx.Component:
    return rx.el.div(
        rx.el.progress(
            max="100",
            value="0",
            class_name="progress progress-primary w-full",
            custom_attrs={"aria-label": _("Sending")},
        ),
        rx.el.p(class_name="text-sm", role="status"),
        hidden=True,
        custom_attrs={"data-lk-progress": ""},
    )


def _sentences() -> dict[str, Any]:
    """What the script has to say, in the language of the page; the server says the same."""
    return {
        "data-lk-most-files": str(MAX_FILES),
        "data-lk-most-bytes": str(MAX_FILE_BYTES),
        "data-lk-most-text": str(MAX_TEXT),
        "data-lk-too-many": _("At most {most} files can be attached.", most=MAX_FILES),
        "data-lk-too-large": _(
            "{name} is larger than {most} MB.", name="{name}", most=MAX_FILE_BYTES // 2**20
        ),
        "data-lk-too-much": _("Together the files are too large. Send them in several messages."),
        "data-lk-no-answer": _("The message could not be sent: no connection. Try again."),
        "data-lk-sending": _("Sending: {percent} %", percent="{percent}"),
        "data-lk-sent": _("Sent, being checked…"),
        "data-lk-remove": _("Remove {name}", name="{name}"),
        "data-lk-kb": _("{size} KB", size="{size}"),
        "data-lk-mb": _("{size} MB", size="{size}"),
    }
