"""What the entry point names: what registers itself is imported, the meter models are added."""

from pathlib import Path

from acme_lk import advice, advice_list  # noqa: F401 - a page and a list register themselves
from lk_portal.metering.maps import add_maps

add_maps(Path(__file__).parent / "maps")
