"""What the services know of a person's notifications, as texts of /settings. Pure, but for the language."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from lk_portal.errors import N_
from lk_portal.i18n import _, moment_text
from lk_portal.services.notification_choices import Channel, Choice, Limit, NotificationKind
from lk_portal.services.push import Device
from lk_portal.state.settings_view import YES, browser_text

__all__ = ["NEVER", "YES", "choice_rows", "device_row", "limit_row"]

Row = dict[str, str]
NEVER = "never"
"""A kind that is not told in this way at all."""
KINDS = {
    NotificationKind.NEW_DEVICE: N_("A sign-in from a new device"),
    NotificationKind.ANSWER: N_("An answer to a request"),
    NotificationKind.CRITICAL_EVENT: N_("Critical events of a meter"),
    NotificationKind.WARNING_EVENT: N_("Warnings of a meter"),
    NotificationKind.UNUSUAL_CONSUMPTION: N_("Consumption above the threshold"),
    NotificationKind.VERIFICATION_DUE: N_("A verification that is due"),
}


def choice_rows(choices: Iterable[Choice]) -> list[Row]:
    """One row a kind: `letter` and `push` are "yes", "" or `NEVER`."""
    rows = []
    for kind, ways in groupby(choices, key=attrgetter("kind")):
        wanted = {choice.channel: YES if choice.is_wanted else "" for choice in ways}
        row = {channel.value: wanted.get(channel, NEVER) for channel in Channel}
        rows.append({"kind": str(kind), "label": _(KINDS[kind]), **row})
    return rows


def limit_row(limit: Limit) -> Row:
    """One metering point with its threshold in kWh, "" for none."""
    return {
        "point": str(limit.point_id),
        "label": " · ".join(part for part in (limit.name or limit.serial, limit.address) if part),
        "kwh": "" if limit.month_wh is None else str(limit.month_wh // 1000),
    }


def device_row(device: Device, zone: ZoneInfo) -> Row:
    """One browser that is pushed to: `is_current` is "yes" or ""."""
    browser, since = browser_text(device.agent), moment_text(device.since, zone)
    return {
        "reference": device.reference,
        "browser": browser,
        "since": since,
        "is_current": YES if device.is_current else "",
        "remove_label": _("Turn off: {browser}, since {since}", browser=browser, since=since),
    }
