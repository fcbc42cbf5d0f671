"""How large the measurements are: what `make bench` was told. Every part's `run` gets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Sizes that may be told; the others are constants of their parts."""

    meters: int = 10_000
    """Of the large database."""
    points: int = 100
    """Metering points of the ingest."""
