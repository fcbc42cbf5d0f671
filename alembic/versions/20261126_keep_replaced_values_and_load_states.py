"""keep replaced values, load states, and which accounts left the cabinet

Revision: 0004, after 0003, 2026-11-26 00:10:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "interval_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("start", types.UtcTime(), nullable=False),
        sa.Column("duration_s", sa.SmallInteger(), nullable=False),
        sa.Column("value_wh", sa.BigInteger(), nullable=False),
        sa.Column("covered_s", sa.SmallInteger(), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("replaced_at", types.UtcTime(), nullable=False),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_user_id"],
            ["portal_user.id"],
            name=op.f("fk_interval_version_actor_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interval_version")),
    )
    with op.batch_alter_table("interval_version", schema=None) as batch_op:
        batch_op.create_index(
            "ix_interval_version_point_id_quantity_start", ["point_id", "quantity", "start"], unique=False
        )

    op.create_table(
        "meter_load_state",
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("is_output_on", sa.Boolean(), nullable=True),
        sa.Column("control_state", sa.Integer(), nullable=True),
        sa.Column("read_at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_load_state_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter_load_state")),
    )

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("removed_at", types.UtcTime(), nullable=True))

    with op.batch_alter_table("meter_event", schema=None) as batch_op:
        batch_op.create_index("ix_meter_event_received_at", ["received_at"], unique=False)


def downgrade():
    with op.batch_alter_table("meter_event", schema=None) as batch_op:
        batch_op.drop_index("ix_meter_event_received_at")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("removed_at")
    op.drop_table("meter_load_state")
    op.drop_table("interval_version")
