"""The picture check in a form: picture, another picture, the digits read out, the field for them.

The form's state takes the field "captcha" and asks `CaptchaState._take`; the page's `load` asks for the first
picture by `CaptchaState.renew` or `_renew`.
"""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.event import no_args_event_spec
from reflex_components_core.el.elements.media import Audio

from lk_portal.components.icons import icon
from lk_portal.components.kit import field, skeleton, text_input
from lk_portal.i18n import _
from lk_portal.services.captcha import FIELD, Purpose
from lk_portal.state.captcha import CaptchaState

AUDIO_ID = "captcha-recording"
ERROR_ID = "captcha-error"
MAX_TYPED = 32
_BUTTON = "btn btn-ghost min-h-11 px-2"
_SIZE = "w-75 max-w-full aspect-25/8"
# Plays at once, in the browser, and without asking the server: some browsers play only what a click itself
# began. It is part of the built page, for the page's policy does not allow to evaluate texts.
_PLAY: rx.Var[Any] = rx.Var(
    f"(() => {{ const audio = document.getElementById('{AUDIO_ID}');"
    " audio.currentTime = 0; audio.play().catch(() => undefined); })"
)


class _Recording(Audio):
    """<audio> that tells when it cannot be played."""

    @classmethod
    def get_event_triggers(cls) -> dict[str, Any]:
        """Reflex's own, and the element's error."""
        return {**super().get_event_triggers(), "on_error": no_args_event_spec}


def captcha_field(purpose: Purpose, *, error: rx.Var[str]) -> rx.Component:
    """The whole check; `error` is what the form's state has to say of the field, or ""."""
    return rx.el.div(
        rx.cond(CaptchaState.picture != "", _picture(), skeleton(_SIZE)),
        rx.el.div(_refresh(purpose), _listen(), class_name="flex flex-wrap gap-x-2 -ml-2"),
        rx.el.p(CaptchaState.problem, role="status", class_name="text-sm empty:hidden"),
        _answer(error),
        class_name="grid gap-2",
    )


def _picture() -> rx.Component:
    return rx.el.img(
        src=CaptchaState.picture,
        alt=_("A picture with six digits. If you cannot read them, you can listen to the code."),
        class_name=f"{_SIZE} rounded border border-base-300",
    )


def _refresh(purpose: Purpose) -> rx.Component:
    return rx.el.button(
        icon("refresh"),
        _("Refresh the picture"),
        type="button",
        on_click=CaptchaState.renew(purpose.value),
        class_name=_BUTTON,
    )


def _listen() -> rx.Component:
    return rx.fragment(
        rx.el.button(
            icon("sound"),
            _("Listen to the code"),
            type="button",
            disabled=CaptchaState.recording == "",
            class_name=_BUTTON,
            custom_attrs={"onClick": _PLAY},
        ),
        rx.cond(
            CaptchaState.recording != "",
            _Recording.create(
                src=CaptchaState.recording,
                key=CaptchaState.recording,
                id=AUDIO_ID,
                preload="none",
                on_error=CaptchaState.tell_silence,
            ),
        ),
    )


def _answer(error: rx.Var[str]) -> rx.Component:
    return rx.el.div(
        field(
            _("Enter the code from the picture"),
            text_input(
                FIELD,
                # A new picture empties the field: the digits of the old one are of no use.
                key=CaptchaState.recording,
                input_mode="numeric",
                auto_complete="off",
                max_length=MAX_TYPED,
                required=True,
                custom_attrs={
                    "aria-invalid": rx.cond(error != "", "true", "false"),
                    "aria-describedby": ERROR_ID,
                },
            ),
            for_id=FIELD,
        ),
        _error(error),
    )


def _error(error: rx.Var[str]) -> rx.Component:
    """Always there, so that what appears in it is read out; only the sign is red, words need contrast."""
    return rx.el.div(
        rx.cond(
            error != "",
            rx.el.p(
                icon("warning", class_name="size-4 mt-0.5 text-error"),
                rx.el.span(error),
                class_name="flex gap-1.5 mt-1 text-sm",
            ),
        ),
        id=ERROR_ID,
        role="alert",
    )
