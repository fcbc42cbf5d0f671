"""The state of the part "Notifications" of /settings: what a person is told of, her thresholds, her devices.

Beside `SettingsState`, for it is a subject of its own. The browser's own half - the permission, the key - is
assets/push.js, which fills in and sends the form of `save_device`.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import InputError, NotFoundError, PortalError
from lk_portal.i18n import _, active_locale, say
from lk_portal.security.push import own_public_key
from lk_portal.services import notification_choices, push
from lk_portal.services.access import Identity, Role
from lk_portal.services.context import current
from lk_portal.services.notification_choices import Channel, NotificationKind
from lk_portal.services.push import Subscription
from lk_portal.state.guard import ANYBODY_SIGNED_IN, requires, who
from lk_portal.state.notifications_view import YES, choice_rows, device_row, limit_row
from lk_portal.state.opening import is_kept
from lk_portal.state.visits import visit_of

CHOICES, DEVICES = "choices", "devices"
PARTS = (CHOICES, DEVICES)
LONGEST_FIELD = 2000


class NotificationsState(rx.State):
    """The boxes, the thresholds and the devices; in which part something was done or is wrong.

    A part is `CHOICES`, `DEVICES`, or the number of a metering point.
    """

    is_subscriber: bool = False
    choices: list[dict[str, str]] = []
    limits: list[dict[str, str]] = []
    devices: list[dict[str, str]] = []
    is_device_on: bool = False
    push_key: str = ""
    done_at: str = ""
    done: str = ""
    wrong_at: str = ""
    wrong: str = ""

    @rx.event
    @requires(*ANYBODY_SIGNED_IN, is_reading=True)
    async def load(self) -> None:
        """The page was opened, or its connection is back."""
        if not await is_kept(self):
            self._forget_answers()
        await self._show()

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def choose(self, kind: str, channel: str, is_wanted: bool) -> None:
        """A box was ticked or cleared."""
        is_known = kind in list(NotificationKind) and channel in list(Channel)
        if not is_known or not isinstance(is_wanted, bool):
            return
        self._forget_answers()
        try:
            await notification_choices.choose(
                current().database,
                user_id=_me().user_id,
                kind=NotificationKind(kind),
                channel=Channel(channel),
                is_wanted=is_wanted,
                visit=visit_of(self),
            )
        except PortalError as error:
            self._refuse(CHOICES, say(error))
        else:
            self._tell(CHOICES, _("Saved."))
        await self._show()

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def save_limit(self, form: dict[str, Any]) -> None:
        """A threshold was typed; the form names its metering point."""
        point, typed = _typed(form, "point"), _typed(form, "limit")
        if not _is_number(point):
            return
        self._forget_answers()
        identity = _me()
        try:
            await notification_choices.set_limit(
                current().database,
                user_id=identity.user_id,
                subscriber_id=_subscriber(identity),
                point_id=int(point),
                typed=typed,
                visit=visit_of(self),
            )
        except NotFoundError:  # removed from the cabinet meanwhile; the list shows that
            pass
        except PortalError as error:
            self._refuse(point, say(error))
            return
        else:
            self._tell(point, _("Saved."))
        await self._show()

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def save_device(self, form: dict[str, Any]) -> None:
        """This browser agreed to be pushed to."""
        self._forget_answers()
        identity = _me()
        subscription = Subscription(*(_typed(form, name) for name in ("endpoint", "p256dh", "auth")))
        try:
            await push.subscribe(
                current().database,
                user_id=identity.user_id,
                session_hash=identity.session_hash,
                subscription=subscription,
                locale=active_locale(),
                visit=visit_of(self),
            )
        except InputError:
            self._refuse(DEVICES, _("This browser did not say where notifications should go."))
        except PortalError as error:
            self._refuse(DEVICES, say(error))
        else:
            self._tell(DEVICES, _("Notifications on this device are on."))
        await self._show()

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def remove_device(self, reference: str) -> None:
        """A device shall not be told any more."""
        if not isinstance(reference, str) or not reference:
            return
        self._forget_answers()
        try:
            await push.unsubscribe(
                current().database, user_id=_me().user_id, reference=reference, visit=visit_of(self)
            )
        except NotFoundError:  # gone by itself; the list shows that
            pass
        else:
            self._tell(DEVICES, _("Notifications on the device are off."))
        await self._show()

    async def _show(self) -> None:
        """Read everything anew."""
        portal, identity = current(), _me()
        self.is_subscriber = identity.role is Role.SUBSCRIBER
        chosen = await notification_choices.choices_of(
            portal.database, user_id=identity.user_id, is_subscriber=self.is_subscriber
        )
        self.choices = choice_rows(chosen)
        if self.is_subscriber:
            await self._show_own(identity)

    async def _show_own(self, identity: Identity) -> None:
        portal = current()
        limits = await notification_choices.limits_of(
            portal.database, user_id=identity.user_id, subscriber_id=_subscriber(identity)
        )
        devices = await push.devices_of(
            portal.database, user_id=identity.user_id, session_hash=identity.session_hash
        )
        self.limits = [limit_row(limit) for limit in limits]
        self.devices = [device_row(device, portal.settings.zone) for device in devices]
        self.is_device_on = any(device["is_current"] == YES for device in self.devices)
        self.push_key = own_public_key(portal.settings.secret())

    def _forget_answers(self) -> None:
        self.done_at = self.done = self.wrong_at = self.wrong = ""

    def _refuse(self, part: str, sentence: str) -> None:
        self.wrong_at, self.wrong = part, sentence

    def _tell(self, part: str, sentence: str) -> None:
        self.done_at, self.done = part, sentence


def _me() -> Identity:
    """The person whose event this is; the guard has let no visitor through."""
    identity = who()
    if identity is None:
        raise NotFoundError
    return identity


def _subscriber(identity: Identity) -> int:
    """The subscriber she is; -1 is nobody's number."""
    return -1 if identity.subscriber_id is None else identity.subscriber_id


def _typed(form: object, name: str) -> str:
    """What came in a field; what is no text was sent by no form of ours."""
    value = form.get(name, "") if isinstance(form, dict) else ""
    return value[:LONGEST_FIELD] if isinstance(value, str) else ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
