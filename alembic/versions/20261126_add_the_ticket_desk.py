"""add the ticket desk: its queue, who is writing, and answer templates

Revision: 0009, after 0008, 2026-11-26 04:30:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "answer_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_template")),
    )
    op.create_table(
        "ticket_presence",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("typed_at", types.UtcTime(), nullable=True),
        sa.Column("changed_at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_presence_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_ticket_presence_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_ticket_presence")),
    )
    op.create_index("ix_ticket_presence_changed_at", "ticket_presence", ["changed_at"], unique=False)
    op.create_index(op.f("ix_ticket_presence_user_id"), "ticket_presence", ["user_id"], unique=False)
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_ticket_open",
        "ticket",
        ["reply_by", "id", "status", "assigned_user_id"],
        unique=False,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    is_closed = sa.text("closed_at IS NOT NULL")
    op.create_index(
        "ix_ticket_closed",
        "ticket",
        ["closed_at", "id"],
        unique=False,
        sqlite_where=is_closed,
        postgresql_where=is_closed,
    )


def downgrade():
    op.drop_index("ix_ticket_closed", table_name="ticket")
    op.drop_index("ix_ticket_open", table_name="ticket")
    op.drop_index(op.f("ix_ticket_presence_user_id"), table_name="ticket_presence")
    op.drop_index("ix_ticket_presence_changed_at", table_name="ticket_presence")
    op.drop_table("ticket_presence")
    op.drop_table("answer_template")
