"""Fields that several pages ask by: a meter, an interval. For forms whose choices the address keeps."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import field, select
from lk_portal.i18n import _


def meter_field(
    meters: rx.Var[list[list[str]]],
    chosen: rx.Var[str],
    *,
    key: rx.Var[str] | None = None,
    class_name: str = "",
) -> rx.Component:
    """The meters of the subscriber by name and address.

    Args:
        meters: Serial number and text of each.
        chosen: The serial number that is shown.
        key: Changes when the field must show `chosen` anew; None: whenever `chosen` changes.
        class_name: Of the field.
    """
    return field(
        _("Meter"),
        select(
            "meter",
            rx.foreach(meters, lambda meter: rx.el.option(meter[1], value=meter[0])),
            key=chosen if key is None else key,
            default_value=chosen,
        ),
        for_id="meter",
        class_name=class_name,
    )


def interval_field(**props: object) -> rx.Component:
    """A day, a month or a year; `props` are those of the select."""
    return field(
        _("Interval"),
        select(
            "interval",
            rx.el.option(_("Day"), value="day"),
            rx.el.option(_("Month"), value="month"),
            rx.el.option(_("Year"), value="year"),
            **props,
        ),
        for_id="interval",
    )
