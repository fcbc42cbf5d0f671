"""Simulated meters for tests, demonstrations and the command `lk simulate`; see README.md beside this file.

A portal that reads real meters never imports this package.
"""

from lk_portal.metering.simulator.archive import ArchiveFaults
from lk_portal.metering.simulator.curve import LoadCurve
from lk_portal.metering.simulator.fleet import run_simulator, serial_of, simulate_fleet, targets
from lk_portal.metering.simulator.gateway import SimulatedGateway
from lk_portal.metering.simulator.meter import Faults, SimulatedClock, SimulatedMeter

__all__ = [
    "ArchiveFaults",
    "Faults",
    "LoadCurve",
    "SimulatedClock",
    "SimulatedGateway",
    "SimulatedMeter",
    "run_simulator",
    "serial_of",
    "simulate_fleet",
    "targets",
]
