"""How fast `lk import intervals` is beside the least such an import can be, and how much memory it takes.

A million rows by default: a year of hours of each of 114 meters. The floor parses the same file with the csv
module and inserts the same rows, ready as tuples, into the same table: executemany on SQLite, COPY on
PostgreSQL, one transaction, nothing checked, no rollups. The time `lk` takes to start is taken off. Then some
meters are exported and added up.
"""

from __future__ import annotations

import asyncio
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import text

from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from tests import factories
from tests.bench.ingest import bare
from tests.bench.options import Options
from tests.bench.report import figure, ratio
from tests.postgres import running_server

HOURS = 8772
METERS = 114
EXPORTED = 10
"""So many meters are exported again; each is a process."""
HOUR = timedelta(hours=1)
OMSK = timezone(timedelta(hours=6))
START = datetime(2025, 1, 1, tzinfo=OMSK)
HEADER = "meter_serial,quantity,start,end,value_wh,quality\n"


async def _make_points(address: str, count: int) -> dict[str, int]:
    """Points in Omsk by the serial numbers of their meters, every second with two tariff zones."""
    database = Database(address)
    tariff = await factories.tariff(database)
    made = [
        await factories.a_metered_point(database, tariff_id=None if number % 2 else tariff)
        for number in range(count)
    ]
    await database.close()
    return {point.serial: point.point_id for point in made}


def _value(number: int, hour: int) -> int:
    return 200 + hour * (number + 1) % 900


def _write_file(path: Path, serials: list[str]) -> int:
    """The file; gives the sum of its values in Wh."""
    moments = [(START + hour * HOUR).isoformat() for hour in range(HOURS + 1)]
    total = 0
    with path.open("w", encoding="ascii") as file:
        file.write(HEADER)
        for number, serial in enumerate(serials):
            values = [_value(number, hour) for hour in range(HOURS)]
            total += sum(values)
            file.writelines(
                f"{serial},A_PLUS,{moments[hour]},{moments[hour + 1]},{value},measured\n"
                for hour, value in enumerate(values)
            )
    return total


def _rows(points: list[int], *, is_sqlite: bool) -> Iterator[tuple[object, ...]]:
    for number, point in enumerate(points):
        for hour in range(HOURS):
            at = (START + hour * HOUR).astimezone(UTC)
            start = int(at.timestamp() * 1000) if is_sqlite else at
            yield point, 1, start, 3600, _value(number, hour), 3600, 1, 0, 0


def _parse(path: Path) -> float:
    """Seconds the csv module alone takes."""
    begun = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _row in csv.reader(file):
            pass
    return time.perf_counter() - begun


async def _insert(address: str, points: list[int]) -> tuple[float, float]:
    """Seconds of the bare insert, on the clock and of the processor; the table is empty again afterwards."""
    database = Database(address)
    rows = list(_rows(points, is_sqlite=database.is_sqlite))
    cpu = time.process_time()
    seconds = await bare(database, rows)
    cpu_s = time.process_time() - cpu
    async with database.writing() as connection:
        await connection.execute(text("DELETE FROM interval" if database.is_sqlite else "TRUNCATE interval"))
    await database.close()
    return seconds, cpu_s


@dataclass(frozen=True)
class Ran:
    """`lk` in a process of its own: its seconds, of the processor too, peak of memory, and output."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    printed: str


def _lk(address: str, directory: Path, *arguments: str) -> Ran:
    """Run a command; all that it takes, from its start to its end."""
    own = {"LK_DATABASE_URL": address, "LK_DATA_DIR": str(directory), "LK_LOCALE": "en"}
    with TemporaryFile("w+") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "lk_portal", *arguments],
            env={**os.environ, **own},
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
        status = Path(f"/proc/{process.pid}/status")
        peak = 0
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            peak = max(peak, _peak_bytes(status))
            time.sleep(0.02)
        wall_s = time.perf_counter() - begun
        _pid, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        assert process.returncode == 0
        out.seek(0)
        return Ran(wall_s, usage.ru_utime + usage.ru_stime, peak, out.read())


def _peak_bytes(status: Path) -> int:
    """The most that was resident so far; `ru_maxrss` would count what this process had when it forked."""
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(found[1]) * 1024 if found else 0


def _exported_wh(address: str, directory: Path, serial: str) -> int:
    """The sum of all hours of one meter."""
    asked = ("--from", "2025-01-01", "--to", "2026-12-31", "--interval", "hour")
    ran = _lk(address, directory, "export", "consumption", "--meter", serial, *asked)
    rows = csv.DictReader(ran.printed.splitlines())
    values = [row["value_kwh"].replace(".", "") for row in rows if row["zone"] == "0" and row["value_kwh"]]
    return sum(map(int, values))


def measure(address: str, directory: Path, meters: int) -> None:
    """Print the figures of one database."""
    migrate(address)
    kind = address.split(":", maxsplit=1)[0]
    points = asyncio.run(_make_points(address, meters))
    path = directory / "intervals.csv"
    total_wh = _write_file(path, list(points))
    cpu = time.process_time()
    parse_s = _parse(path)
    parse_cpu_s = time.process_time() - cpu
    insert_s, insert_cpu_s = asyncio.run(_insert(address, list(points.values())))
    floor_s, floor_cpu_s = parse_s + insert_s, parse_cpu_s + insert_cpu_s
    nothing = directory / "nothing.csv"
    nothing.write_text(HEADER, encoding="ascii")
    base = _lk(address, directory, "import", "intervals", str(nothing))
    ours = _lk(address, directory, "import", "intervals", str(path))
    rows = meters * HOURS
    assert f"new: {rows}," in ours.printed, ours.printed
    ours_s, ours_cpu_s = ours.wall_s - base.wall_s, ours.cpu_s - base.cpu_s
    ratio(
        f"import of a file / bare, {kind}",
        floor_s / ours_s,
        f"{rows} rows: bare {floor_s:.2f} s, ours {ours_s:.2f} s = {rows / ours_s:,.0f} rows/s, and "
        f"{base.wall_s:.2f} s to start",
        at_least=0.3,
    )
    figure(
        f"the same by the processor's time, {kind}",
        f"{floor_cpu_s / ours_cpu_s:.2f}  (bare {floor_cpu_s:.2f} s, ours {ours_cpu_s:.2f} s)",
    )
    figure(
        f"memory of the import, {kind}",
        f"{ours.peak_bytes / 2**20:.0f} MB; of an empty file {base.peak_bytes / 2**20:.0f} MB",
    )
    again = _lk(address, directory, "import", "intervals", str(path))
    figure(f"the same file again, {kind}", f"{again.wall_s:.2f} s")
    serials = list(points)[:: max(1, meters // EXPORTED)]
    exported_wh = sum(_exported_wh(address, directory, serial) for serial in serials)
    wanted_wh = sum(_value(list(points).index(serial), hour) for serial in serials for hour in range(HOURS))
    figure(
        f"exports of {len(serials)} meters add up, {kind}",
        f"{exported_wh} Wh",
        target=f"{wanted_wh} of {total_wh} Wh",
        is_met=exported_wh == wanted_wh,
    )


def run(_options: Options) -> None:
    """Measure both databases."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        measure(f"sqlite:///{directory / 'bench.sqlite3'}", directory, METERS)
        with running_server() as server:
            measure(f"{server}/postgres", directory, METERS)
