"""A worker's name outlives it, and no two living workers have the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lk_portal.jobs.seat import Seat

HOLD = """
import sys, time
from pathlib import Path
from lk_portal.jobs.seat import Seat
seat = Seat.take(Path(sys.argv[1]))
print(seat.name, flush=True)
time.sleep(60)
"""


def test_two_workers_have_two_names(tmp_path: Path) -> None:
    first, second = Seat.take(tmp_path), Seat.take(tmp_path)

    assert first.name != second.name
    first.release()
    second.release()


def test_a_seat_is_taken_again_after_its_release(tmp_path: Path) -> None:
    first = Seat.take(tmp_path)
    first.release()
    first.release()

    again = Seat.take(tmp_path)

    assert again.name == first.name
    again.release()


def test_another_data_directory_gives_another_name(tmp_path: Path) -> None:
    first, second = Seat.take(tmp_path / "a"), Seat.take(tmp_path / "b")

    assert first.name != second.name
    first.release()
    second.release()


def test_the_next_worker_gets_the_name_of_a_killed_one(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        name = killed.stdout.readline().strip()
        while_it_lives = Seat.take(tmp_path)
        killed.kill()

    after = Seat.take(tmp_path)

    assert while_it_lives.name != name
    assert after.name == name
    while_it_lives.release()
    after.release()
