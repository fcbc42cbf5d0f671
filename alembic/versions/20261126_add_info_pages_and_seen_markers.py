"""add pages of the utility, and what each person has seen

Revision: 0006, after 0005, 2026-11-26 00:10:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "info_page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("published_at", types.UtcTime(), nullable=True),
        sa.Column("updated_at", types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_info_page")),
        sa.UniqueConstraint("slug", "locale", name=op.f("uq_info_page_slug_locale")),
    )
    with op.batch_alter_table("info_page", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_info_page_published_at"), ["published_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_info_page_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "seen_marker",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=32), nullable=False),
        sa.Column("seen_at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_seen_marker_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "section", name=op.f("pk_seen_marker")),
    )


def downgrade():
    op.drop_table("seen_marker")
    op.drop_table("info_page")
