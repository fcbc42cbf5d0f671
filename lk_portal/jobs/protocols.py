"""Makes the protocols and register maps known to a process that polls: the worker and some commands."""

from __future__ import annotations

import importlib

from lk_portal.metering.maps import load_maps
from lk_portal.services import plugins
from lk_portal.settings import Settings

OUR_ADAPTERS = ("lk_portal.metering.modbus",)


def load_protocols(settings: Settings) -> None:
    """Load our adapters and those of installed packages, our register maps and the utility's own.

    Raises:
        ConfigurationError: A map or a package is wrong, or a name is taken.
    """
    for module in OUR_ADAPTERS:
        importlib.import_module(module)
    plugins.load()
    load_maps(*([settings.maps_dir] if settings.maps_dir else []))
