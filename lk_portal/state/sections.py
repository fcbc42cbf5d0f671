"""Which address is of which section with a badge. Filled by `pages.registry`, asked by the frame's state."""

from __future__ import annotations

_sections: dict[str, str] = {}


def lead_to(route: str, section: str) -> None:
    """The page at `route`, and all pages below it, are of this section; of a `Badge`, its name."""
    _sections[route] = section


def section_of(path: str) -> str | None:
    """The section that the page at `path` is of; None for one without a badge."""
    found = [route for route in _sections if path == route or path.startswith(f"{route}/")]
    return _sections[max(found, key=len)] if found else None
