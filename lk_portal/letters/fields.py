"""What a letter of each kind must and may be told. For `services.letters`; knows kinds by their stored names.

Whatever comes in is a stranger's: it is made one line of visible characters here, once, before it is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from lk_portal.letters.agents import browser_name

MAX_VALUE = 200
MAX_NAME = 100
MAX_LIST = 800
OPTIONAL = frozenset({"name"})
"""Every letter greets by name when it is given one."""
AT = "at"
"""Added to every letter's data: when it was written, as ISO 8601 in UTC."""

FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "welcome": frozenset(),
        "recovery": frozenset(),
        "access_given": frozenset(),
        "already_registered": frozenset(),
        "claim_kept": frozenset({"account"}),
        "claim_accepted": frozenset({"account"}),
        "claim_refused": frozenset({"account"}),
        "account_moved": frozenset({"account"}),
        "email_code": frozenset(),
        "email_changed": frozenset({"new_email"}),
        "phone_changed": frozenset({"new_phone"}),
        "password_changed": frozenset(),
        "second_factor_dropped": frozenset(),
        "new_device": frozenset({"browser", "address"}),
        "meter_event": frozenset({"what", "list"}),
        "unusual_consumption": frozenset({"list"}),
        "verification_due": frozenset({"list"}),
        "erased": frozenset(),
        "ticket_answered": frozenset({"ticket", "subject", "status"}),
    }
)
"""What must be given, by kind. Passwords and codes never are: they are made when the letter is sent."""

_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_LINK = re.compile(r"://|\bwww\.|\S@\S|[^\W_]\.[^\W\d_]{2,}", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"(),:;]+@[^\s@<>\"(),:;]+")
_LONG_NUMBER = re.compile(r"(?:\d[\s()+-]*){5,}")


def checked(kind: str, data: Mapping[str, str | int]) -> dict[str, str]:
    """`data` as it is kept: clean, masked where the letter goes to somebody who need not know all.

    Raises:
        ValueError: A name is missing or unknown: a mistake in the program.
    """
    needed = FIELDS[kind]
    if not needed <= data.keys() <= needed | OPTIONAL:
        raise ValueError(f"a letter {kind} takes {sorted(needed)}, was given {sorted(data)}")
    return {name: _MASKS.get(name, clean)(str(value)) for name, value in data.items()}


def clean(text: str, *, limit: int = MAX_VALUE) -> str:
    """One line of at most `limit` visible characters: no breaks, zero bytes or turns of direction."""
    visible = "".join(" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in text)
    return " ".join(visible.split())[:limit]


def masked_email(address: str) -> str:
    """Enough of an address for its owner to know it: `ivan@mail.example` -> `i***@mail.example`."""
    local, _, domain = clean(address).rpartition("@")
    return f"{local[:1]}***@{domain}"


def without_addresses(text: str) -> str:
    """`text` with the e-mail addresses in it masked: a mail server's answer names whom it was for."""
    return _ADDRESS.sub(lambda found: masked_email(found[0]), text)


def masked_phone(phone: str) -> str:
    """The last four digits of a number: `+79131234567` -> `***4567`."""
    digits = "".join(sign for sign in phone if sign.isdecimal())
    return f"***{digits[-4:]}"


def unlinked(text: str) -> str:
    """`text`, or nothing if mail programs would make a link of it or it has a telephone number.

    A name is chosen by whoever types it, and the letter may go to somebody else's mailbox: nobody shall
    advertise in the utility's name.
    """
    return "" if _LINK.search(text) or _LONG_NUMBER.search(text) else text


def _list(text: str) -> str:
    return clean(text, limit=MAX_LIST)


def _name(text: str) -> str:
    cleaned = clean(text)
    return "" if len(cleaned) > MAX_NAME else unlinked(cleaned)


_MASKS = MappingProxyType(
    {
        "name": _name,
        "list": _list,
        "browser": browser_name,
        "new_email": masked_email,
        "new_phone": masked_phone,
    }
)
