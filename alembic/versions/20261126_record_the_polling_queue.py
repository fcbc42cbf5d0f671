"""record the polling queue, and find late meters

Revision: 0015, after 0014, 2026-11-26 04:30:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "poll_batch",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("meters", sa.Integer(), nullable=False),
        sa.Column("enqueued_at", types.UtcTime(), nullable=False),
        sa.Column("started_at", types.UtcTime(), nullable=True),
        sa.Column("finished_at", types.UtcTime(), nullable=True),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_poll_batch")),
    )
    op.create_index("ix_poll_batch_enqueued_at", "poll_batch", ["enqueued_at"], unique=False)
    op.create_index(
        "ix_meter_connection_last_success_at", "meter_connection", ["last_success_at"], unique=False
    )


def downgrade():
    op.drop_index("ix_meter_connection_last_success_at", table_name="meter_connection")
    op.drop_index("ix_poll_batch_enqueued_at", table_name="poll_batch")
    op.drop_table("poll_batch")
