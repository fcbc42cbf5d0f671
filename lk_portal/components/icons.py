"""The portal's icons: drawn here as SVG paths on a 24-unit grid, so no icon font or library is loaded."""

from __future__ import annotations

import reflex as rx

from lk_portal.errors import ConfigurationError

PATHS: dict[str, str] = {
    "home": "M4 11 12 4l8 7v9h-5v-6H9v6H4Z",
    "chart": "M4 20h16M7 17v-6M12 17V6M17 17v-9",
    "user": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM5 20c1-4 4-5 7-5s6 1 7 5",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "unfold": "m6 9 6 6 6-6",
    "left": "M15 5 8 12l7 7",
    "right": "m9 5 7 7-7 7",
    "back": "M10 6 4 12l6 6M4 12h16",
    "sun": "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2v3M12 19v3M2 12h3M19 12h3"
    "M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
    "exit": "M14 5H5v14h9M10 12h11M17 8l4 4-4 4",
    "info": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 11v6M12 7v1",
    "warning": "M12 4 2.5 20h19ZM12 10v5M12 17v1",
    "bolt": "M13 3 5 14h6l-1 7 8-11h-6Z",
    "close": "M6 6l12 12M18 6 6 18",
    "refresh": "M20 5v5h-5M4 19v-5h5M19 10a7.5 7.5 0 0 0-13-3M5 14a7.5 7.5 0 0 0 13 3",
    "sound": "M4 9v6h4l5 4V5L8 9ZM16 9a4 4 0 0 1 0 6M18.5 6.5a7.5 7.5 0 0 1 0 11",
    "globe": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18",
    "gear": "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2"
    "M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2",
    "pencil": "M4 20h4L19 9l-4-4L4 16ZM13 7l4 4",
    "check": "m5 13 5 5L20 7",
    "download": "M12 4v11M7 11l5 5 5-5M5 20h14",
    "bill": "M6 3h12v18l-3-2-3 2-3-2-3 2ZM9 8h6M9 12h6",
    "meter": "M6 3h12v18H6ZM9 7h6v4H9ZM12 15v3",
    "plug": "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0ZM12 17v4",
    "pulse": "M3 12h4l3-8 4 16 3-8h4",
    "critical": "M8 3h8l5 5v8l-5 5H8l-5-5V8ZM12 8v5M12 16v1",
    "chat": "M4 5h16v11H10l-5 4v-4H4Z",
    "clip": "M8 12V7a4 4 0 0 1 8 0v9a2.5 2.5 0 0 1-5 0V8",
    "bell": "M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15ZM10 21h4",
    "book": "M4 5c3-1 5-1 8 1 3-2 5-2 8-1v14c-3-1-5-1-8 1-3-2-5-2-8-1ZM12 6v14",
    "search": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 21 21",
    "plus": "M12 5v14M5 12h14",
    "trash": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
    "table": "M4 5h16v14H4ZM4 10h16M4 14.5h16M10 5v14",
    "calendar": "M4 6h16v14H4ZM4 10h16M8 3v4M16 3v4",
    "list": "M9 6h11M9 12h11M9 18h11M4 6h1M4 12h1M4 18h1",
    "up": "M12 20V5M6 11l6-6 6 6",
    "down": "M12 4v15M6 13l6 6 6-6",
    "same": "M5 9h14M5 15h14",
    "mail": "M3 6h18v12H3ZM3 7l9 7 9-7",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l4 2",
    "server": "M4 5h16v6H4ZM4 13h16v6H4ZM8 8h1M8 16h1",
}


def icon(name: str, *, class_name: str = "size-5") -> rx.Component:
    """An icon beside a text that says the same; screen readers skip it.

    Raises:
        ConfigurationError: There is no icon of this name.
    """
    if name not in PATHS:
        raise ConfigurationError(detail=f"icon {name!r} is not one of {', '.join(sorted(PATHS))}")
    return rx.el.svg(
        rx.el.path(
            d=PATHS[name],
            fill="none",
            stroke="currentColor",
            stroke_width="1.8",
            stroke_linecap="round",
            stroke_linejoin="round",
        ),
        view_box="0 0 24 24",
        class_name=f"{class_name} shrink-0",
        custom_attrs={"aria-hidden": "true"},
    )
