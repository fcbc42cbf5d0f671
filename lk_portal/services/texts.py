"""Which texts a database can hold. Pure; for services that look up or keep what was sent."""

from __future__ import annotations

from lk_portal.errors import N_, InputError


def is_storable(text: str) -> bool:
    """Whether any of our databases can be asked for `text`: no NUL, no half of a surrogate pair."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def storable(text: str, most: int) -> str:
    """`text` without what no database holds, cut to `most` characters; for what is kept as a hint only."""
    return "".join(character for character in text if is_storable(character))[:most]


def checked(text: str, *, field: str, most: int) -> str:
    """`text` without the space around it.

    Raises:
        InputError: It is empty, has more than `most` characters, or no database can hold it.
    """
    text = text.strip()
    if not text or len(text) > most or not is_storable(text):
        raise InputError(N_("This must have 1 to {most} characters."), field=field, most=most)
    return text
