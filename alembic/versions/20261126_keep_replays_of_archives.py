"""keep replays of meters' archives

Revision: 0017, after 0016, 2026-11-26 07:30:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "archive_replay",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("since", types.UtcTime(), nullable=False),
        sa.Column("until", types.UtcTime(), nullable=False),
        sa.Column("asked_at", types.UtcTime(), nullable=False),
        sa.Column("due_at", types.UtcTime(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("finished_at", types.UtcTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("tried_at", types.UtcTime(), nullable=True),
        sa.Column("error_code", sa.String(length=32), nullable=False),
        sa.Column("error", sa.String(length=400), nullable=False),
        sa.Column("filled", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_archive_replay_meter_id_meter")),
        sa.ForeignKeyConstraint(
            ["asked_by"],
            ["portal_user.id"],
            name=op.f("fk_archive_replay_asked_by_portal_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_replay")),
    )
    op.create_index("ix_archive_replay_meter_id_asked_at", "archive_replay", ["meter_id", "asked_at"])
    op.create_index(
        "uq_archive_replay_open",
        "archive_replay",
        ["meter_id"],
        unique=True,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade():
    op.drop_table("archive_replay")
