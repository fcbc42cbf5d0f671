"""/settings: the person's own data, sessions, choices and rights; from the menu under her name."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import skeleton
from lk_portal.components.notifications_part import notifications_part
from lk_portal.components.second_factor import second_factor_link
from lk_portal.components.settings_parts import (
    data_part,
    documents_part,
    history_part,
    preferences_part,
    sessions_part,
)
from lk_portal.components.settings_rows import own_data_rows
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.state.notifications import NotificationsState
from lk_portal.state.settings import SettingsState
from lk_portal.state.shell import ShellState


@portal_page(
    route="/settings",
    title=_("Settings"),
    roles=frozenset(Role),
    on_load=(SettingsState.load, NotificationsState.load),
    icon="user",
)
def settings() -> rx.Component:
    """What is changed often comes first; what cannot be undone, last."""
    return rx.cond(
        SettingsState.is_loaded,
        rx.el.div(
            own_data_rows(),
            preferences_part(),
            notifications_part(),
            sessions_part(),
            history_part(),
            rx.cond(SettingsState.is_subscriber, documents_part()),
            rx.cond(ShellState.is_staff, second_factor_link()),
            data_part(),
            class_name="grid gap-4 max-w-3xl",
        ),
        rx.el.div(skeleton("h-72 w-full mb-4"), skeleton("h-40 w-full"), class_name="max-w-3xl"),
    )
