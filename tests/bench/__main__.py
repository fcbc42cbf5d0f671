"""`make bench`: all measurements, or those named (pages, phone, events, charts, polling, ingest and so on).

    make bench ARGS="events --meters 1000"

The whole takes about ten minutes and 8 GB of disk, most of it for a year of ten thousand meters.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from datetime import UTC, datetime

from tests.bench.options import Options

PARTS = (
    "pages",
    "phone",
    "events",
    "openings",
    "charts",
    "live",
    "polling",
    "ingest",
    "imports",
    "sign_in",
    "addresses",
    "lists",
)
"""Modules beside this one, each with a `run` that measures and prints."""


def main() -> None:
    """Run the parts in turn; each prints its figures."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="What to measure; all when not given.")
    parser.add_argument("--meters", type=int, default=Options.meters, help="Meters of the large database.")
    parser.add_argument("--points", type=int, default=Options.points, help="Metering points of the ingest.")
    chosen = parser.parse_args()
    sys.stdout.write(
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores; "
        "ratios hold, absolute times do not\n"
    )
    options = Options(meters=chosen.meters, points=chosen.points)
    for part in chosen.parts or PARTS:
        importlib.import_module(f"tests.bench.{part}").run(options)


if __name__ == "__main__":
    main()
