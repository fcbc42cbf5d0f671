"""find what the audit is about: a row of the registry, a meter

Revision: 0018, after 0017, 2026-11-26 11:10:00

Indexes only: no entry is touched, so the chain stays whole.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NAMES = ("about", "meter_id")
# As services.audit_about asks for them, to the letter.
SQLITE = (
    "CAST(coalesce(json_extract(detail, '$.key'), json_extract(detail, '$.meter'), "
    "json_extract(detail, '$.new')) AS TEXT)",
    "CAST(json_extract(detail, '$.meter_id') AS TEXT)",
)
POSTGRES = ("coalesce(detail ->> 'key', detail ->> 'meter', detail ->> 'new')", "(detail ->> 'meter_id')")


def upgrade():
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    facts, action = (SQLITE, "action") if is_sqlite else (POSTGRES, "action text_pattern_ops")
    for name, noted in zip(NAMES, facts, strict=True):
        # Not only of entries that have it: of a partial index PostgreSQL's planner has no numbers to go by.
        op.execute(f"CREATE INDEX ix_audit_entry_{name}_begins ON audit_entry ({noted}, {action})")


def downgrade():
    for name in NAMES:
        op.execute(f"DROP INDEX ix_audit_entry_{name}_begins")
