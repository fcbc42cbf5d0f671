"""A second opinion: the public package sdm_modbus reads a simulated SDM630 in a process of its own.

It needs an old pymodbus, so it lives in its own virtual environment under `var/cache/sdm-venv`, made once.
`read_import_wh` is for any test that wants to compare what it knows of a meter with what a stranger reads.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_VENV = _ROOT / "var" / "cache" / "sdm-venv"
_PYTHON = _VENV / "bin" / "python"
_READY = _VENV / "ready"
_PACKAGES = ("sdm_modbus==0.7.0", "pymodbus==3.6.9")
_SCRIPT = """
import sys, sdm_modbus
meter = sdm_modbus.SDM630(host="127.0.0.1", port=int(sys.argv[1]), unit=int(sys.argv[2]), timeout=5)
print(repr(meter.read("import_energy_active")))
meter.disconnect()
"""


def ensure_reader() -> None:
    """Make the environment where it is missing; without the packages skip, or fail where CI=true."""
    if _READY.exists() and _READY.read_text() == "\n".join(_PACKAGES):
        return
    try:
        _run([sys.executable, "-m", "venv", "--clear", str(_VENV)])
        _run([str(_PYTHON), "-m", "pip", "install", "--quiet", *_PACKAGES])
    except (subprocess.SubprocessError, OSError) as error:
        reason = f"sdm_modbus cannot be installed: {getattr(error, 'stderr', None) or error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    _READY.write_text("\n".join(_PACKAGES))


async def read_import_wh(port: int, *, device_id: int = 1) -> int:
    """Total imported energy of the SDM630 at `127.0.0.1:port`, as sdm_modbus reads it over Modbus TCP, Wh.

    Runs beside the event loop, so that a simulator in the same process can answer.
    """
    await asyncio.to_thread(ensure_reader)
    program = await asyncio.create_subprocess_exec(
        str(_PYTHON), "-c", _SCRIPT, str(port), str(device_id),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(program.communicate(), timeout=30)
    assert program.returncode == 0, err.decode()
    return round(Decimal(out.decode().strip()) * 1000)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
