"""let a worker do the imports of staff: who asked for the writing, who is at a file, and for which time

Revision: 0019, after 0018, 2026-11-26 11:20:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Who asked for it was known only to the process that wrote, and that has ended.
INTERRUPTED = "The work was interrupted. Nothing was half written; send the file again."


# Nodes of the version before make runs without these while the new one starts; they do those themselves.
def upgrade():
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("asked_at", types.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("address", sa.String(length=45), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("agent", sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("claimed_by", sa.String(length=120), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_foreign_key(
            "fk_import_run_asked_by", "portal_user", ["asked_by"], ["id"], ondelete="SET NULL"
        )
    op.execute(
        sa.text(
            "UPDATE import_run SET status = 'refused', problem = :problem WHERE status = 'writing'"
        ).bindparams(problem=INTERRUPTED)
    )
    op.execute("DELETE FROM import_file WHERE run_id IN (SELECT id FROM import_run WHERE status = 'refused')")


def downgrade():
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_constraint("fk_import_run_asked_by", type_="foreignkey")
        for name in ("attempts", "claimed_by", "agent", "address", "asked_at", "asked_by"):
            batch_op.drop_column(name)
