"""The form in which a long text is written: Markdown beside its preview, what is typed kept by the browser.

assets/tickets.js keeps and sends it, assets/editor.js shows the preview, adds pictures and settles conflicts.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import card, field, file_button, notice
from lk_portal.components.plain_form import plain_form
from lk_portal.components.ticket_parts import described, error_place
from lk_portal.i18n import _
from lk_portal.security.files import MAX_FILE_BYTES
from lk_portal.security.navigation import INFO_PREVIEW, INFO_UPLOAD

FORM_ID = "editor"
PICTURE_TYPES = ".jpg,.jpeg,.png,.heic,.heif,image/jpeg,image/png,image/heic"
LineVar = rx.Var[dict[str, str]]


def text_editor(
    *fields: rx.Component,
    state: Any,
    action: str,
    kept: str,
    button: str,
    has_pictures: bool = False,
    closing: rx.Component | None = None,
) -> rx.Component:
    """The form and, beside it (below it on a telephone), the preview.

    Args:
        fields: Those of its own, before the text.
        state: Has `draft_key`, `problem`, `version` and `text`.
        action: Where it is sent.
        kept: Names of the fields that the browser keeps.
        button: What sends it.
        has_pictures: Whether pictures can be added.
        closing: What stands after the text.
    """
    return rx.el.div(
        card(
            plain_form(
                rx.cond(state.problem != "", notice(state.problem, kind="error", icon_name="warning")),
                _restored(),
                # No hidden field: what the browser keeps of it must not be overwritten by the page.
                rx.el.input(
                    type="text", name="version", default_value=state.version, hidden=True, read_only=True
                ),
                *fields,
                *([_picture()] if has_pictures else []),
                _text(state.text),
                *([closing] if closing is not None else []),
                error_place("form"),
                rx.el.button(
                    button, type="submit", class_name="btn btn-primary min-h-11 text-base justify-self-start"
                ),
                id=FORM_ID,
                method="post",
                action=action,
                enc_type="multipart/form-data",
                # Filled anew while it is open, as after a lost connection, it is another form: the browser
                # puts into it what was typed, with the version that was before the writer.
                key=state.draft_key + ":" + state.version,
                class_name="grid gap-4",
                custom_attrs={
                    "data-lk-draft": state.draft_key,
                    "data-lk-kept": f"version {kept} text",
                    "data-lk-editor": "",
                    **_sentences(),
                },
            ),
            class_name="min-w-0",
        ),
        rx.el.div(_conflict(), _preview(), class_name="grid gap-4 min-w-0 content-start"),
        rx.el.script(src="/editor.js", custom_attrs={"async": True}),
        class_name="grid gap-4 lg:grid-cols-2 items-start",
    )


def diff_lines(lines: rx.Var[list[dict[str, str]]]) -> rx.Component:
    """A difference: signs to see, words for screen readers; assets/editor.js makes the same of a conflict."""
    return rx.el.ul(rx.foreach(lines, _line), class_name="changes")


def one_line(name: str, label: str, hint: str = "", **props: Any) -> rx.Component:
    """A one-line field of the form with its place for errors; what it begins with is `default_value`."""
    ids = f"{name}-hint {name}-error" if hint else f"{name}-error"
    return rx.el.div(
        field(
            label,
            rx.el.input(
                id=name,
                name=name,
                class_name="input w-full min-h-11 text-base",
                custom_attrs={"aria-describedby": ids},
                **props,
            ),
            for_id=name,
        ),
        *([rx.el.p(hint, id=f"{name}-hint", class_name="text-sm mt-1")] if hint else []),
        error_place(name),
    )


def tick(name: str, label: str, **props: Any) -> rx.Component:
    """A box to tick, with its words and its place for errors."""
    return rx.el.div(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                id=name,
                name=name,
                class_name="checkbox checkbox-primary shrink-0",
                custom_attrs=described(name),
                **props,
            ),
            rx.el.span(label),
            html_for=name,
            class_name="flex items-center gap-3 min-h-11",
        ),
        error_place(name),
    )


def _line(line: LineVar) -> rx.Component:
    return rx.el.li(
        rx.match(
            line["change"],
            ("added", _said(_("Added:"), rx.el.ins(line["text"]))),
            ("removed", _said(_("Removed:"), rx.el.del_(line["text"]))),
            rx.el.span(line["text"]),
        ),
        class_name="diff-line diff-" + line["change"],
    )


def _said(word: str, text: rx.Component) -> rx.Component:
    return rx.fragment(rx.el.span(word, " ", class_name="sr-only"), text)


def _text(text: rx.Var[str]) -> rx.Component:
    return rx.el.div(
        field(
            _("Text (Markdown)"),
            rx.el.textarea(
                id="text",
                name="text",
                rows="22",
                default_value=text,
                class_name="textarea w-full text-base leading-normal font-mono",
                custom_attrs={"aria-describedby": "text-hint text-error"},
            ),
            for_id="text",
        ),
        rx.el.p(
            _(
                "## heading, **bold**, - list, [words](address). What is typed stays in this tab until it is"
                " saved."
            ),
            id="text-hint",
            class_name="text-sm mt-1",
        ),
        error_place("text"),
    )


def _picture() -> rx.Component:
    return rx.el.div(
        # Without a name, so that it is not sent with the form: it goes at once, its address into the text.
        file_button(
            _("Insert a picture"),
            field_id="picture",
            accept=PICTURE_TYPES,
            custom_attrs={"aria-describedby": "picture-hint picture-error"},
        ),
        rx.el.p(
            _(
                "JPG, PNG or HEIC up to {size} MB. Then say in the square brackets what it shows.",
                size=MAX_FILE_BYTES // 2**20,
            ),
            id="picture-hint",
            class_name="text-sm mt-1",
        ),
        rx.el.p(id="picture-status", role="status", class_name="text-sm"),
        error_place("picture"),
    )


def _restored() -> rx.Component:
    return rx.el.div(
        icon("info"),
        rx.el.span(_("What you typed and did not save is here again."), class_name="grow"),
        rx.el.button(
            _("Discard it"),
            type="button",
            class_name="btn btn-sm min-h-11",
            custom_attrs={"data-lk-discard": ""},
        ),
        hidden=True,
        role="status",
        class_name="alert alert-info alert-soft text-base-content [&[hidden]]:hidden",
        custom_attrs={"data-lk-restored": ""},
    )


def _preview() -> rx.Component:
    return card(
        rx.el.h2(_("Preview"), class_name="text-lg font-semibold mb-3"),
        rx.el.p(
            class_name="text-sm empty:hidden",
            role="status",
            custom_attrs={"data-lk-preview-note": FORM_ID},
        ),
        rx.el.div(
            class_name="written min-h-24",
            custom_attrs={
                "data-lk-preview": FORM_ID,
                "data-lk-empty": _("As soon as there is a text, it stands here as readers will see it."),
            },
        ),
        class_name="min-w-0",
    )


def _conflict() -> rx.Component:
    return rx.el.section(
        rx.el.h2(
            _("Somebody else has changed this meanwhile"),
            id="conflict-title",
            class_name="text-lg font-semibold",
        ),
        rx.el.p(_("Nothing was saved, and your text is in the form. Saved by:"), " ", _slot("by")),
        rx.el.p(_("Title"), ": ", _slot("title", class_name="font-semibold")),
        rx.el.p(_("Minus: only in what is saved. Plus: only in yours."), class_name="text-sm"),
        rx.el.ul(
            class_name="changes max-h-96 overflow-y-auto", tab_index=0, custom_attrs={"data-lk-lines": ""}
        ),
        field(
            _("The saved text"),
            rx.el.textarea(
                id="conflict-text",
                rows="10",
                read_only=True,
                class_name="textarea w-full text-base font-mono",
                custom_attrs={"data-lk-text": ""},
            ),
            for_id="conflict-text",
        ),
        rx.el.div(
            rx.el.button(
                _("Save mine over it"),
                type="button",
                class_name="btn btn-primary min-h-11 h-auto text-base",
                custom_attrs={"data-lk-mine": ""},
            ),
            rx.el.button(
                _("Discard mine"),
                type="button",
                form=FORM_ID,
                class_name="btn min-h-11 text-base",
                custom_attrs={"data-lk-discard": FORM_ID},
            ),
            class_name="flex flex-wrap gap-2",
        ),
        hidden=True,
        tab_index=-1,
        class_name=("card bg-base-100 border-2 border-warning p-4 grid gap-3 min-w-0 [&[hidden]]:hidden"),
        custom_attrs={"data-lk-conflict": FORM_ID, "aria-labelledby": "conflict-title"},
    )


def _slot(name: str, class_name: str = "") -> rx.Component:
    return rx.el.span(class_name=class_name, custom_attrs={f"data-lk-{name}": ""})


def _sentences() -> dict[str, str]:
    """What the scripts have to say, in the language of the page, and where they ask."""
    return {
        "data-lk-preview-at": INFO_PREVIEW,
        "data-lk-pictures-at": INFO_UPLOAD,
        "data-lk-most-bytes": str(MAX_FILE_BYTES),
        "data-lk-most-files": "0",
        "data-lk-too-large": _(
            "{name} is larger than {most} MB.", name="{name}", most=MAX_FILE_BYTES // 2**20
        ),
        "data-lk-too-much": _("This is too much at once."),
        "data-lk-no-answer": _("It could not be sent: no connection. What you typed is kept; try again."),
        "data-lk-no-preview": _("The preview waits for a connection."),
        "data-lk-sending-picture": _("The picture is being sent…"),
        "data-lk-added": _("Added:"),
        "data-lk-removed": _("Removed:"),
    }
