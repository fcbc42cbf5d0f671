"""The utility's texts as HTML: one way for the public pages, the sign-in page and the editor's preview."""

from __future__ import annotations

from lk_portal.security import markup
from lk_portal.security.markup import Rendered
from lk_portal.services import help_topics, info_uses


def rendered(text: str) -> Rendered:
    """Safe HTML of a Markdown text, with places kept for pictures of the help and of the pages."""
    return markup.render(text, _size_of)


def _size_of(address: str) -> tuple[int, int] | None:
    return help_topics.picture_sizes().get(address) or info_uses.size_of(address)
