"""keep changes of the billing day

Revision: 0016, after 0015, 2026-11-26 07:45:00
"""

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "billing_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.CheckConstraint("day BETWEEN 1 AND 28", name=op.f("ck_billing_day_day")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_day")),
        sa.UniqueConstraint("since", name=op.f("uq_billing_day_since")),
    )


def downgrade():
    op.drop_table("billing_day")
