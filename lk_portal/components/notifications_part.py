"""The part "Notifications" of /settings: a table of boxes, thresholds, and the devices that are told."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.checked_field import error_text
from lk_portal.components.icons import icon
from lk_portal.components.kit import CONTROL, card
from lk_portal.i18n import _
from lk_portal.state.notifications import CHOICES, DEVICES, NotificationsState
from lk_portal.state.notifications_view import NEVER, YES

RowVar = rx.Var[dict[str, str]]
COLUMN = "text-sm font-normal px-1 w-20"
SUBHEADING = "font-semibold mt-4 mb-1"


def notifications_part() -> rx.Component:
    """What a person is told of, and how."""
    return card(
        rx.el.h2(_("Notifications"), class_name="text-lg font-semibold mb-1"),
        rx.cond(NotificationsState.is_subscriber, _choices(has_push=True), _choices(has_push=False)),
        rx.el.p(
            _("Letters about a changed e-mail, phone or password are always sent."), class_name="text-sm mt-1"
        ),
        _answers(CHOICES),
        rx.cond(NotificationsState.is_subscriber, rx.fragment(_limits(), _devices())),
    )


def _choices(*, has_push: bool) -> rx.Component:
    """One row a kind, one column a way; staff have no telephone to push to."""
    ways = [("letter", _("Letter")), *([("push", _("To the phone"))] if has_push else [])]
    return rx.el.table(
        rx.el.caption(_("What to tell you of, and how"), class_name="sr-only"),
        rx.el.thead(
            rx.el.tr(
                rx.el.td(),
                *(
                    rx.el.th(text, scope="col", class_name="text-sm font-normal px-1 w-20")
                    for _way, text in ways
                ),
            )
        ),
        rx.el.tbody(rx.foreach(NotificationsState.choices, lambda row: _choice_row(row, ways))),
        class_name="w-full",
    )


def _choice_row(row: RowVar, ways: list[tuple[str, str]]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row["label"], scope="row", class_name="text-left font-normal py-1 pr-2"),
        *(rx.el.td(_box(row, way, text), class_name="text-center") for way, text in ways),
        key=row["kind"],
        class_name="border-t border-base-300",
    )


def _box(row: RowVar, way: str, text: str) -> rx.Component:
    """A box with a target for a finger; what is never told in this way has none."""
    return rx.cond(
        row[way] == NEVER,
        rx.fragment(),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=row[way] == YES,
                on_change=lambda is_wanted: NotificationsState.choose(row["kind"], way, is_wanted),
                class_name="checkbox checkbox-primary",
                custom_attrs={"aria-label": f"{row['label']}: {text}"},
            ),
            class_name="inline-flex items-center justify-center size-11 cursor-pointer",
        ),
    )


def _limits() -> rx.Component:
    return rx.cond(
        NotificationsState.limits.length() > 0,
        rx.el.div(
            rx.el.h3(_("Threshold of consumption"), class_name=SUBHEADING),
            rx.el.p(_("With an empty field you are not told."), class_name="text-sm"),
            rx.foreach(NotificationsState.limits, _limit),
        ),
    )


def _limit(limit: RowVar) -> rx.Component:
    control, wrong = f"limit-{limit['point']}", f"limit-{limit['point']}-error"
    is_wrong = NotificationsState.wrong_at == limit["point"]
    return rx.el.form(
        rx.el.fieldset(
            rx.el.legend(limit["label"], class_name="font-medium mb-1"),
            rx.el.input(type="hidden", name="point", value=limit["point"], read_only=True),
            rx.el.label(
                _("Tell me when a month takes more than, kWh"),
                html_for=control,
                class_name="block text-sm mb-1",
            ),
            rx.el.div(
                rx.el.input(
                    id=control,
                    name="limit",
                    # A new one for a new value: what is typed is the browser's until it is sent.
                    key=limit["kwh"],
                    default_value=limit["kwh"],
                    input_mode="numeric",
                    auto_complete="off",
                    max_length=1000,
                    class_name=f"input {CONTROL} max-w-40",
                    custom_attrs={
                        "aria-invalid": rx.cond(is_wrong, "true", "false"),
                        "aria-describedby": wrong,
                    },
                ),
                rx.el.button(_("Save"), type="submit", class_name="btn min-h-11 text-base"),
                class_name="flex gap-2",
            ),
        ),
        error_text(rx.cond(is_wrong, NotificationsState.wrong, ""), id=wrong),
        _done(limit["point"]),
        on_submit=NotificationsState.save_limit,
        key=limit["point"],
        class_name="py-2",
    )


def _devices() -> rx.Component:
    return rx.el.div(
        rx.el.h3(_("On the phone and the computer"), class_name=SUBHEADING),
        rx.el.ul(rx.foreach(NotificationsState.devices, _device), class_name="divide-y divide-base-300"),
        rx.cond(
            NotificationsState.is_device_on,
            rx.fragment(),
            rx.el.button(
                icon("bell"),
                _("Turn on notifications on this device"),
                type="button",
                class_name="btn btn-primary min-h-11 h-auto py-2 text-base",
                custom_attrs={"data-lk-push": "on", "data-lk-push-key": NotificationsState.push_key},
            ),
        ),
        _trouble(),
        _answers(DEVICES),
        rx.el.p(
            _(
                "On an iPhone or iPad first add the cabinet to the Home Screen: the button Share, then Add "
                "to Home Screen; open it from there and turn notifications on."
            ),
            class_name="text-sm mt-1",
        ),
        rx.el.p(
            _(
                "A notification says only what kind of news there is. When you sign out on a device, "
                "notifications on it are turned off."
            ),
            class_name="text-sm mt-1",
        ),
        _device_form(),
    )


def _device(device: RowVar) -> rx.Component:
    is_current = device["is_current"] == YES
    return rx.el.li(
        rx.el.div(
            rx.el.p(device["browser"], class_name="font-medium"),
            rx.el.p(_("Since"), " ", device["since"], class_name="text-sm"),
            rx.cond(
                is_current,
                rx.el.span(_("this device"), class_name="badge badge-outline whitespace-nowrap"),
                rx.fragment(),
            ),
            class_name="grow min-w-0",
        ),
        rx.el.button(
            _("Turn off"),
            type="button",
            on_click=NotificationsState.remove_device(device["reference"]),
            class_name="btn btn-ghost min-h-11 text-base",
            custom_attrs={
                "aria-label": device["remove_label"],
                "data-lk-push": rx.cond(is_current, "off", "other"),
            },
        ),
        key=device["reference"],
        class_name="flex items-center gap-3 py-2",
    )


def _device_form() -> rx.Component:
    """Filled in and sent by push.js."""
    return rx.el.form(
        *(rx.el.input(type="hidden", name=name) for name in ("endpoint", "p256dh", "auth")),
        on_submit=NotificationsState.save_device,
        id="push-device",
        class_name="hidden",
    )


def _trouble() -> rx.Component:
    """What push.js may have to say; it shows one of them."""
    sentences = {
        "denied": _("The browser does not allow it. Allow notifications of this site in its settings first."),
        "unsupported": _("This browser cannot show notifications of this site; that needs an https address."),
        "failed": _("The browser could not reach its notification service. Try again later."),
    }
    return rx.el.div(
        *(
            rx.el.p(sentence, hidden=True, class_name="py-2", custom_attrs={"data-lk-push-said": name})
            for name, sentence in sentences.items()
        ),
        role="alert",
    )


def _answers(part: str) -> rx.Component:
    wrong = rx.cond(NotificationsState.wrong_at == part, NotificationsState.wrong, "")
    return rx.fragment(error_text(wrong, id=f"{part}-error"), _done(part))


def _done(part: str | rx.Var[str]) -> rx.Component:
    """What was done in a part, read out when it appears."""
    return rx.el.p(
        rx.cond(
            (NotificationsState.done_at == part) & (NotificationsState.done != ""),
            rx.el.span(
                icon("check", class_name="size-5 text-success"),
                NotificationsState.done,
                class_name="flex gap-2 items-center py-2",
            ),
        ),
        role="status",
    )
