"""What must hold of a gateway before it is written. For its resource."""

from __future__ import annotations

import importlib
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.metering.base import known_protocols


async def check_gateway(_connection: AsyncConnection, values: dict[str, Any], _key: int | None) -> None:
    """Refuse a protocol that no adapter speaks, and a host that is none.

    Raises:
        InputError: One of the two; its field says which.
    """
    importlib.import_module("lk_portal.metering.modbus")  # ours may not be loaded where no worker runs
    if values["protocol"] not in known_protocols():
        known = ", ".join(known_protocols())
        raise InputError(N_("Known protocols: {known}"), field="protocol", known=known)
    if any(sign.isspace() or sign in "/@" for sign in values["host"]):
        raise InputError(N_("Type a name or an address, without anything around it."), field="host")
