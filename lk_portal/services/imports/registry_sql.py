"""The statements of the registry's import: from the staged rows into each table. For the import.

One statement a table, for a batch of rows; what is there already stays as it is.
"""
# ruff: noqa: S608 - the statements are put together of constants of ours

from __future__ import annotations

from lk_portal.metering.types import Quantity
from lk_portal.models import VerificationKind
from lk_portal.services.imports.registry_row import MARK
from lk_portal.services.imports.registry_scratch import FIELDS
from lk_portal.services.staging import StageTable

PROTOCOL = "modbus-tcp"
_INTEGERS = {
    "installed_ms": "BIGINT", "gateway_port": "INTEGER", "device_id": "INTEGER", "verified_on": "DATE",
    "due_on": "DATE", "placed_on": "DATE", "ct": "NUMERIC", "vt": "NUMERIC",
} | {name: "BIGINT" for name in FIELDS if name.startswith("initial_")}  # fmt: skip
STAGE = StageTable(
    "stage_registry",
    (*((name, _INTEGERS.get(name, "TEXT")) for name in FIELDS), ("now_ms", "BIGINT")),
    is_plain=False,
)
_HOME = """(SELECT min(p.id) FROM premises p WHERE p.settlement = s.settlement AND p.street = s.street
  AND p.house = s.house AND p.flat = s.flat)"""
# By the index of names alone: nearly all have the same e-mail or phone, none, and SQLite might go by that.
_OWNER = """(SELECT min(o.id) FROM subscriber o WHERE o.full_name = s.subscriber
  AND o.email || '' = s.person AND o.phone || '' = s.phone)"""
_IS_NEW = "NOT EXISTS (SELECT 1 FROM account a WHERE a.number = s.account)"
_PLACED = """stage_registry s JOIN meter m ON m.serial = s.meter_serial
  JOIN installation i ON i.meter_id = m.id AND i.installed_at = MS(s.installed_ms)"""
_KIND = VerificationKind.PERIODIC.value
_SUBSCRIBERS = f"""
INSERT INTO subscriber (full_name, email, phone, created_at)
SELECT s.subscriber, s.person, s.phone, MS(s.now_ms) FROM stage_registry s
WHERE s.subscriber <> '' AND {_IS_NEW} AND {_OWNER} IS NULL
GROUP BY s.subscriber, s.person, s.phone, s.now_ms ORDER BY min(s.seq)
"""
_PREMISES = f"""
INSERT INTO premises (settlement, street, house, flat, timezone, search_text)
SELECT s.settlement, s.street, s.house, s.flat, min(s.timezone), min(s.search_text) FROM stage_registry s
WHERE {_IS_NEW} AND {_HOME} IS NULL
GROUP BY s.settlement, s.street, s.house, s.flat ORDER BY min(s.seq)
"""
_ACCOUNTS = f"""
INSERT INTO account (number, subscriber_id, premises_id, note, contract_number, amenities)
SELECT s.account, CASE WHEN s.subscriber <> '' THEN {_OWNER} END, {_HOME}, '', s.contract, s.amenities
FROM stage_registry s WHERE {_IS_NEW}
ORDER BY s.seq ON CONFLICT (number) DO NOTHING
"""
_POINTS = """
INSERT INTO metering_point (code, account_id, tariff_id, name, place)
SELECT s.point_code, a.id, t.id, s.point_name, s.place FROM stage_registry s
JOIN account a ON a.number = s.account LEFT JOIN tariff t ON t.code = s.tariff
WHERE s.point_code <> '' ORDER BY s.seq ON CONFLICT (code) DO NOTHING
"""
_METERS = """
INSERT INTO meter (serial, model, map_name)
SELECT s.meter_serial, s.model, s.map_name FROM stage_registry s
WHERE s.meter_serial <> '' ORDER BY s.seq ON CONFLICT (serial) DO NOTHING
"""
_INSTALLATIONS = """
INSERT INTO installation (meter_id, point_id, installed_at, ct_ratio, vt_ratio)
SELECT m.id, p.id, MS(s.installed_ms), s.ct, s.vt FROM stage_registry s
JOIN meter m ON m.serial = s.meter_serial JOIN metering_point p ON p.code = s.point_code
WHERE true ORDER BY s.seq ON CONFLICT (meter_id, installed_at) DO NOTHING
"""
_VERIFICATIONS = f"""
INSERT INTO verification (meter_id, kind, verified_on, due_on)
SELECT m.id, '{_KIND}', s.verified_on, s.due_on
FROM stage_registry s JOIN meter m ON m.serial = s.meter_serial
WHERE s.verified_on IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM verification v WHERE v.meter_id = m.id AND v.verified_on = s.verified_on) ORDER BY s.seq
"""
_SEALS = """
INSERT INTO seal (meter_id, number, placed_on)
SELECT m.id, s.seal, s.placed_on FROM stage_registry s JOIN meter m ON m.serial = s.meter_serial
WHERE s.seal <> '' AND NOT EXISTS (
  SELECT 1 FROM seal k WHERE k.meter_id = m.id AND k.number = s.seal) ORDER BY s.seq
"""
_GATEWAYS = f"""
INSERT INTO gateway (name, protocol, host, port, timeout_s, is_enabled)
SELECT DISTINCT substr(s.gateway_host || ':' || s.gateway_port, 1, 80), '{PROTOCOL}', s.gateway_host,
  s.gateway_port, 5.0, true FROM stage_registry s
WHERE s.gateway_host <> '' ON CONFLICT (host, port) DO NOTHING
"""
_CONNECTIONS = """
INSERT INTO meter_connection (meter_id, gateway_id, device_id, is_enabled, options, last_error_code,
  last_error, failures_in_row, attempts, successes)
SELECT m.id, g.id, s.device_id, true, '{}', '', '', 0, 0, 0 FROM stage_registry s
JOIN meter m ON m.serial = s.meter_serial
JOIN gateway g ON g.host = s.gateway_host AND g.port = s.gateway_port
WHERE true ORDER BY s.seq ON CONFLICT (meter_id) DO NOTHING
"""
FORGET_MARKS = f"""
UPDATE subscriber SET email = '' WHERE email LIKE '{MARK}%'
"""


def _initial(column: str, zone: int) -> tuple[str, str]:
    """Initial readings of one register; of an installation that is known already they stay as they are."""
    return (
        "",
        f"""
INSERT INTO installation_reading (installation_id, is_final, quantity, zone, value_wh)
SELECT i.id, false, {int(Quantity.A_PLUS)}, {zone}, s.{column} FROM {_PLACED}
WHERE s.{column} IS NOT NULL ON CONFLICT (installation_id, is_final, quantity, zone) DO NOTHING
""",
    )


STATEMENTS = (
    ("subscribers", _SUBSCRIBERS),
    ("premises", _PREMISES),
    ("accounts", _ACCOUNTS),
    ("points", _POINTS),
    ("meters", _METERS),
    ("installations", _INSTALLATIONS),
    _initial("initial_sum", 0),
    *(_initial(f"initial_t{zone}", zone) for zone in range(1, 5)),
    ("verifications", _VERIFICATIONS),
    ("seals", _SEALS),
    ("", _GATEWAYS),
    ("connections", _CONNECTIONS),
)
