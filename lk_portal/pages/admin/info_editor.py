"""/admin/info/[info_id]: the editor of one text; /admin/info/new begins one. For admins."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import field, link, link_button, notice, select, skeleton
from lk_portal.components.text_editor import one_line, text_editor, tick
from lk_portal.components.ticket_parts import described, error_place
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import ADMIN_INFO, INFO_SAVE
from lk_portal.services.access import Role
from lk_portal.services.info_editing import InfoKind, Out, Release
from lk_portal.settings import KNOWN_LOCALES
from lk_portal.state.info_admin import language_text
from lk_portal.state.info_editor import InfoEditorState

KEPT = "title slug kind locale position is_public release release_at"


@portal_page(
    route=f"{ADMIN_INFO}/[info_id]",
    title=_("Editing a text"),
    roles={Role.ADMIN},
    on_load=(InfoEditorState.load,),
    tab=InfoEditorState.title,
)
def info_editor() -> rx.Component:
    """Where the text stands now, and the form."""
    return rx.cond(
        InfoEditorState.is_loaded,
        rx.el.div(
            link_button(
                _("To the list"),
                to=f"{ADMIN_INFO}?kind=" + InfoEditorState.kind,
                icon_name="back",
                class_name="-ml-4 justify-self-start",
            ),
            rx.cond(InfoEditorState.done != "", notice(InfoEditorState.done, icon_name="check")),
            _standing(),
            text_editor(
                rx.el.input(type="hidden", name="page", value=InfoEditorState.page, read_only=True),
                one_line("title", _("Title"), default_value=InfoEditorState.title),
                state=InfoEditorState,
                action=INFO_SAVE,
                kept=KEPT,
                button=_("Save"),
                has_pictures=True,
                closing=rx.fragment(
                    _place(),
                    rx.el.div(_kind(), _language(), class_name="grid gap-4 sm:grid-cols-2"),
                    tick(
                        "is_public", _("Visible before signing in"), default_checked=InfoEditorState.is_public
                    ),
                    _release(),
                ),
            ),
            class_name="grid gap-3",
        ),
        rx.el.div(skeleton("h-11 w-48 mb-4"), skeleton("h-96 w-full")),
    )


def _standing() -> rx.Component:
    return rx.el.div(
        rx.el.p(InfoEditorState.state_text, class_name="font-medium grow"),
        rx.cond(
            InfoEditorState.public_link != "",
            link_button(_("As readers see it"), to=InfoEditorState.public_link, icon_name="info"),
        ),
        rx.cond(
            InfoEditorState.page != "",
            link_button(
                _("Revisions"),
                to=f"{ADMIN_INFO}/" + InfoEditorState.page + "/history",
                icon_name="list",
            ),
        ),
        rx.foreach(
            InfoEditorState.translations,
            lambda one: link(one["text"], to=one["link"], class_name="btn btn-ghost min-h-11"),
        ),
        class_name="flex flex-wrap items-center gap-x-2",
    )


def _place() -> rx.Component:
    return rx.el.div(
        one_line(
            "slug",
            _("Address of the page"),
            _("Small Latin letters, digits and dashes: what stands after /info/."),
            default_value=InfoEditorState.slug,
            auto_capitalize="none",
            spell_check=False,
        ),
        one_line(
            "position",
            _("Order"),
            _("Among pages, small numbers first."),
            default_value=InfoEditorState.position,
            input_mode="numeric",
        ),
        class_name="grid gap-4 sm:grid-cols-2",
    )


def _kind() -> rx.Component:
    return _choice(
        "kind",
        _("Kind"),
        (InfoKind.PAGE.value, _("Page")),
        (InfoKind.NEWS.value, _("News item")),
        (InfoKind.BLOCK.value, _("Block of a page of the portal")),
        chosen=InfoEditorState.kind,
    )


def _language() -> rx.Component:
    options = [(locale, language_text(locale)) for locale in KNOWN_LOCALES]
    return _choice("locale", _("Language"), *options, chosen=InfoEditorState.locale)


def _choice(name: str, label: str, *options: tuple[str, str], chosen: rx.Var[str]) -> rx.Component:
    return rx.el.div(
        field(
            label,
            select(
                name,
                *(rx.el.option(text, value=value) for value, text in options),
                default_value=chosen,
                custom_attrs=described(name),
            ),
            for_id=name,
        ),
        error_place(name),
    )


def _release() -> rx.Component:
    """What becomes of the publication: whatever it is, it stays so unless something else is chosen."""
    out = InfoEditorState.out
    is_draft, is_published = out == Out.DRAFT.value, out == Out.PUBLISHED.value
    keep = rx.match(
        out,
        (Out.PUBLISHED.value, _("Leave it published")),
        (Out.SCHEDULED.value, _("Leave the time as it is")),
        _("Leave it a draft"),
    )
    return rx.el.div(
        field(
            _("Publication"),
            select(
                "release",
                rx.el.option(keep, value=Release.KEEP.value),
                rx.cond(~is_published, rx.el.option(_("Publish now"), value=Release.NOW.value)),
                rx.el.option(_("Publish at a time"), value=Release.AT.value),
                rx.cond(
                    ~is_draft, rx.el.option(_("Take it back: make it a draft"), value=Release.DRAFT.value)
                ),
                default_value=Release.KEEP.value,
                custom_attrs=described("release"),
            ),
            for_id="release",
        ),
        error_place("release"),
        rx.cond(
            is_published,
            rx.el.p(_("Readers see what is saved at once."), class_name="release-keep text-sm mt-1"),
        ),
        rx.el.div(
            one_line(
                "release_at",
                _("When it comes out"),
                _("By the clock of the utility. Until then nobody sees it."),
                type="datetime-local",
                default_value=InfoEditorState.release_at,
            ),
            class_name="release-at mt-3",
        ),
    )
