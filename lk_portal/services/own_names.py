"""What a person calls her own things: an account, a metering point. Pure."""

from __future__ import annotations

import unicodedata

from lk_portal.errors import InputError
from lk_portal.services.registration_form import one_line

MAX_OWN_NAME = 60


def own_name(typed: str, *, field: str) -> str:
    """A name as it is stored: 1 to 60 characters in one line. "", or what nobody sees, takes the name away.

    Raises:
        InputError: It is too long, or holds characters that no keyboard has; its field is `field`.
    """
    try:
        name = one_line(" ".join(typed.split()), most=MAX_OWN_NAME)
    except InputError as error:
        raise InputError(error.text, field=field, **error.data) from None
    return "" if all(unicodedata.category(sign) == "Cf" for sign in name) else name
