"""add notifications by letter and push

Revision: 0007, after 0006, 2026-11-26 00:10:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "notification_setting",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_notification_setting_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", "channel", name=op.f("pk_notification_setting")),
    )

    op.create_table(
        "notified",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_notified_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", "key", name=op.f("pk_notified")),
    )
    with op.batch_alter_table("notified", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notified_at"), ["at"], unique=False)

    op.create_table(
        "consumption_limit",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("month_wh", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["point_id"],
            ["metering_point.id"],
            name=op.f("fk_consumption_limit_point_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_consumption_limit_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "point_id", name=op.f("pk_consumption_limit")),
    )

    op.create_table(
        "push_subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.String(length=1000), nullable=False),
        sa.Column("p256dh", sa.String(length=128), nullable=False),
        sa.Column("auth", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("device_hash", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("created_at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_push_subscription_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscription_endpoint")),
    )
    with op.batch_alter_table("push_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_push_subscription_user_id"), ["user_id"], unique=False)

    op.create_table(
        "push_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", types.UtcTime(), nullable=False),
        sa.Column("next_attempt_at", types.UtcTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["push_subscription.id"],
            name=op.f("fk_push_message_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_message")),
    )
    with op.batch_alter_table("push_message", schema=None) as batch_op:
        batch_op.create_index("ix_push_message_next_attempt_at", ["next_attempt_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_push_message_subscription_id"), ["subscription_id"], unique=False
        )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        # Open sessions are of browsers nobody noted.
        batch_op.add_column(sa.Column("device_hash", sa.String(length=64), nullable=False, server_default=""))

    op.execute(
        "INSERT INTO notification_setting (user_id, kind, channel, is_wanted)"
        " SELECT user_id, kind, 'letter', is_wanted FROM notification_choice"
    )
    op.drop_table("notification_choice")


def downgrade():
    op.create_table(
        "notification_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_notification_choice_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_choice")),
    )
    op.execute(
        "INSERT INTO notification_choice (user_id, kind, is_wanted)"
        " SELECT user_id, kind, is_wanted FROM notification_setting"
        " WHERE channel = 'letter' AND kind = 'new_device'"
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_column("device_hash")
    op.drop_table("push_message")
    op.drop_table("push_subscription")
    op.drop_table("consumption_limit")
    op.drop_table("notified")
    op.drop_table("notification_setting")
