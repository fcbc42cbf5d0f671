"""Keeps the demo's simulated meters running in a process of their own. For `lk demo` and its tests.

The child ends when its standard input does, which the kernel sees to even when the parent is killed. One
that dies is begun again on the same ports.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import datetime

from lk_portal.errors import N_, PortalError
from lk_portal.services.demo_meters import READY
from lk_portal.services.demo_plan import LINES

START_S = 30.0
RESTART_AFTER_S = 2.0

log = logging.getLogger(__name__)


class MeterProcess:
    """The demo's meters; use `start` and `stop` once.

    Args:
        replaced_at: When the demo's replaced meter was replaced, aware.
    """

    def __init__(self, *, replaced_at: datetime) -> None:
        self.ports: tuple[int, ...] = (0,) * len(LINES)
        self._replaced_at = replaced_at
        self._is_stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._keeper = threading.Thread(target=self._keep, name="lk-demo-meters", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process that answers now."""
        return self._child.pid if self._child else None

    def start(self) -> dict[str, int]:
        """Start the meters and wait until they answer; gives the port of each line, by name.

        Raises:
            PortalError: They do not come up.
        """
        try:
            self._spawn()
        except PortalError:
            self.stop()
            raise
        self._keeper.start()
        return {line.name: port for line, port in zip(LINES, self.ports, strict=True)}

    def stop(self) -> None:
        """End the meters; may be called twice."""
        with self._lock:
            self._is_stopping.set()
        if self._child is not None:
            _end(self._child)
        if self._keeper.is_alive():
            self._keeper.join(START_S)

    def _spawn(self) -> None:
        with self._lock:  # so that `stop` ends this child, or it is not begun
            if self._is_stopping.is_set():
                return
            self._child = child = _begin(self._replaced_at, self.ports)
        ports = _ports_of(child)
        if len(ports) != len(LINES):
            _end(child)
            raise PortalError(N_("The simulated meters could not be started."))
        self.ports = ports

    def _keep(self) -> None:
        while self._child is not None:
            code = self._child.wait()
            if self._is_stopping.wait(RESTART_AFTER_S):
                return
            log.warning("demo.meters.died", extra={"exit_code": code})
            try:
                self._spawn()
            except PortalError as error:
                log.error("demo.meters.not_started", extra={"reason": str(error)})


def _begin(replaced_at: datetime, ports: Sequence[int]) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "lk_portal.services.demo_meters", replaced_at.isoformat()]
    return subprocess.Popen(  # noqa: S603 - our own module, our own numbers
        [*arguments, *map(str, ports)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl+C is the demo's: the meters end when it closes their input.
        start_new_session=True,
    )


def _ports_of(child: subprocess.Popen[str]) -> tuple[int, ...]:
    """The ports the child says it answers on; none when it dies or keeps silent."""
    if child.stdout is None:
        return ()
    impatience = threading.Timer(START_S, child.kill)
    impatience.start()
    try:
        word, *ports = child.stdout.readline().split() or [""]
    finally:
        impatience.cancel()
    return tuple(map(int, ports)) if word == READY else ()


def _end(child: subprocess.Popen[str]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        child.wait(START_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
