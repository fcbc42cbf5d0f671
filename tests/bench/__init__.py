"""Measurements: what the portal costs beside a bare floor, side by side in one run. `make bench` prints them.

Absolute times depend on the machine; the ratios hold, and each line says its target where there is one.
"""
