"""Which texts a database can hold. Pure; for services that look up what a person or a program sent."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """Whether any of our databases can be asked for `text`: no NUL, no half of a surrogate pair."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
