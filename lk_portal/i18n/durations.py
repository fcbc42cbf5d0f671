"""How long something was, in the reader's language and short: "1 ч 48 мин". For states and letters."""

from __future__ import annotations

from datetime import timedelta

from lk_portal.i18n import _


def duration_text(duration: timedelta) -> str:
    """The two largest units of a duration, cut, never rounded up; the smaller is left out when it is zero."""
    seconds = duration // timedelta(seconds=1)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    units = (
        (days, _("{count} d", count=days)),
        (hours % 24, _("{count} h", count=hours % 24)),
        (minutes % 60, _("{count} min", count=minutes % 60)),
        (seconds % 60, _("{count} s", count=seconds % 60)),
    )
    largest = next((place for place, (count, _text) in enumerate(units) if count > 0), None)
    if largest is None:
        return _("less than a second")
    return " ".join(text for count, text in units[largest : largest + 2] if count)
