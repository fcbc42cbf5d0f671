"""keep revisions and pictures of the utility's pages, and let no published document change

Revision: 0011, after 0010, 2026-11-26 04:10:00
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# A published text is what people agreed to: the database itself refuses to change it.
SQLITE_GUARD = """
CREATE TRIGGER document_version_is_final BEFORE UPDATE ON document_version
BEGIN SELECT RAISE(ABORT, 'a published document never changes'); END
"""
POSTGRES_GUARD = (
    """
CREATE FUNCTION refuse_changed_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a published document never changes'; END $$
""",
    """
CREATE TRIGGER document_version_is_final BEFORE UPDATE ON document_version
FOR EACH ROW EXECUTE FUNCTION refuse_changed_document()
""",
)


def upgrade():
    op.add_column("info_page", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "info_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_user_id", sa.Integer(), nullable=True),
        sa.Column("saved_at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["info_page.id"], name=op.f("fk_info_revision_page_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["author_user_id"],
            ["portal_user.id"],
            name=op.f("fk_info_revision_author_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_info_revision")),
        sa.UniqueConstraint("page_id", "number", name=op.f("uq_info_revision_page_id_number")),
    )
    op.execute(
        "INSERT INTO info_revision (page_id, number, title, text, saved_at)"
        " SELECT id, 1, title, text, updated_at FROM info_page"
    )
    op.create_table(
        "info_picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("author_user_id", sa.Integer(), nullable=True),
        sa.Column("created_at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_user_id"],
            ["portal_user.id"],
            name=op.f("fk_info_picture_author_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_info_picture")),
        sa.UniqueConstraint("key", name=op.f("uq_info_picture_key")),
    )
    op.create_table(
        "info_picture_content",
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"],
            ["info_picture.id"],
            name=op.f("fk_info_picture_content_picture_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("picture_id", name=op.f("pk_info_picture_content")),
    )
    op.create_table(
        "info_picture_use",
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["info_page.id"], name=op.f("fk_info_picture_use_page_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["picture_id"],
            ["info_picture.id"],
            name=op.f("fk_info_picture_use_picture_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("page_id", "picture_id", name=op.f("pk_info_picture_use")),
    )
    op.create_index("ix_info_picture_use_picture_id", "info_picture_use", ["picture_id"], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in (SQLITE_GUARD,) if is_sqlite else POSTGRES_GUARD:
        op.execute(statement)


def downgrade():
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER document_version_is_final" + ("" if is_sqlite else " ON document_version"))
    if not is_sqlite:
        op.execute("DROP FUNCTION refuse_changed_document")
    for table in ("info_picture_use", "info_picture_content", "info_picture", "info_revision"):
        op.drop_table(table)
    with op.batch_alter_table("info_page", schema=None) as batch_op:
        batch_op.drop_column("version")
