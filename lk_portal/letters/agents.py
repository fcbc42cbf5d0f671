"""What a browser is called by people, from its User-Agent. For letters and lists of sessions; pure.

The header is whatever its sender likes. Only names from the tables below come out, so nobody can put words
of his own into a letter to somebody else.
"""

from __future__ import annotations

_BROWSERS = (
    ("YaBrowser/", "Yandex"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: most browsers also name those they are built on."""
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """Browser and system, e.g. `Firefox, Android`; `-` when neither is known."""
    known = [next((name for sign, name in table if sign in agent), None) for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in known if name) or "-"
