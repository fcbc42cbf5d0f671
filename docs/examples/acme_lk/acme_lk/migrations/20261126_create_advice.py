"""create the table of advice"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "acme_advice",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "account_id", sa.Integer(), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("changed_at", types.UtcTime(), nullable=False),
    )
    op.create_index("ix_acme_advice_account_id", "acme_advice", ["account_id"])
    op.create_index("ix_acme_advice_changed_at", "acme_advice", ["changed_at"])


def downgrade():
    op.drop_table("acme_advice")
