"""Makes the protocols and register maps known to a process that polls: the worker and some commands."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from lk_portal.metering.maps import load_maps
from lk_portal.settings import Settings

PLUGINS = "lk_portal.plugins"
OUR_ADAPTERS = ("lk_portal.metering.modbus",)


def load_protocols(settings: Settings) -> None:
    """Load our adapters and those of installed packages, our register maps and the utility's own.

    Raises:
        ConfigurationError: A map is wrong, or a name is taken.
    """
    for module in OUR_ADAPTERS:
        importlib.import_module(module)
    for plugin in entry_points(group=PLUGINS):
        plugin.load()
    load_maps(*([settings.maps_dir] if settings.maps_dir else []))
