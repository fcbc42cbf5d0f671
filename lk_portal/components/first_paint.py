"""What a page does before it is first seen: it takes the theme that was chosen. For the composition root.

It stands in the page itself, for a file would be one more answer to wait for before anything is painted: a
fifth of a second on a slow network. The rest is in assets/theme.js, which goes on with `lkTheme`.
"""

from __future__ import annotations

import reflex as rx

_SCRIPT = """
window.lkTheme = {
  saved() {
    const found = document.cookie.match(/(?:^|; )lk_theme=(light|dark)(?:;|$)/);
    return found ? found[1] : null;
  },
  apply() {
    const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    document.documentElement.setAttribute("data-theme", lkTheme.saved() || system);
  },
};
lkTheme.apply();
"""


def first_theme() -> rx.Component:
    """The script; the page's policy allows it by its hash."""
    return rx.el.script(_SCRIPT)
