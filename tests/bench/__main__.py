"""`make bench`: all measurements, or those named (pages, events, charts, polling, ingest, imports and so on).

    make bench ARGS="events --meters 1000"

The whole takes about ten minutes and 8 GB of disk, most of it for a year of ten thousand meters.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime

PARTS = (
    "pages",
    "events",
    "openings",
    "charts",
    "live",
    "polling",
    "ingest",
    "imports",
    "sign_in",
    "addresses",
)


def main() -> None:
    """Run the parts in turn; each prints its figures."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="What to measure; all when not given.")
    parser.add_argument("--meters", type=int, default=10_000, help="Meters of the large database.")
    parser.add_argument("--points", type=int, default=100, help="Metering points of the ingest.")
    chosen = parser.parse_args()
    sys.stdout.write(
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores; "
        "ratios hold, absolute times do not\n"
    )
    for part in chosen.parts or PARTS:
        _run(part, meters=chosen.meters, points=chosen.points)


def _run(part: str, *, meters: int, points: int) -> None:
    if part == "pages":
        from tests.bench import pages

        pages.run()
    elif part == "events":
        from tests.bench import events

        events.run(meters)
    elif part == "openings":
        from tests.bench import openings

        openings.run()
    elif part == "charts":
        from tests.bench import charts

        charts.run()
    elif part == "live":
        from tests.bench import live

        live.run()
    elif part == "addresses":
        from tests.bench import addresses

        addresses.run()
    elif part == "sign_in":
        from tests.bench import sign_in

        sign_in.run()
    elif part == "imports":
        from tests.bench import imports

        imports.run()
    elif part == "polling":
        from tests.bench import polling

        polling.run()
    else:
        from tests.bench import ingest

        ingest.run(points)


if __name__ == "__main__":
    main()
