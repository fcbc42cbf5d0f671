"""tell every node what was seen, and find the nearest event of a code

Revision: 0008, after 0007, 2026-11-26 03:30:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


# Nodes of the version before write marks without this time while the new one starts.
EPOCH = sa.text("0")
POSTGRES_EPOCH = sa.text("'1970-01-01 00:00:00+00'")


def upgrade():
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column(
        "seen_marker",
        sa.Column(
            "changed_at",
            types.UtcTime(),
            nullable=False,
            server_default=EPOCH if is_sqlite else POSTGRES_EPOCH,
        ),
    )
    op.execute("UPDATE seen_marker SET changed_at = seen_at")
    op.create_index("ix_seen_marker_changed_at", "seen_marker", ["changed_at"], unique=False)
    op.create_index(
        "ix_meter_event_nearest",
        "meter_event",
        ["meter_id", "journal", "code", "occurred_at"],
        unique=False,
    )


def downgrade():
    op.drop_index("ix_meter_event_nearest", table_name="meter_event")
    op.drop_index("ix_seen_marker_changed_at", table_name="seen_marker")
    with op.batch_alter_table("seen_marker", schema=None) as batch_op:
        batch_op.drop_column("changed_at")
