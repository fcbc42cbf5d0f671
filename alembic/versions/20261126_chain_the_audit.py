"""chain the entries of the audit, and refuse every change of them

Revision: 0013, after 0012, 2026-11-26 04:30:00

Users stand in the audit by number, no longer by a foreign key that would empty it: an entry is never touched.
So that SQLite gives no number twice, portal_user is made anew with AUTOINCREMENT.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NOTHING = "0" * 64
BATCH = 2000
TOLD = "id, at, action, actor_user_id, subject_user_id, address, agent, detail"
REFUSAL = "the audit is append-only"
SQLITE = tuple(
    f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for table, deed in (("audit_entry", "UPDATE"), ("audit_entry", "DELETE"), ("audit_head", "DELETE"))
)
POSTGRES = (
    "CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()",
    "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE OR TRUNCATE ON audit_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()",
    "CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()",
)


def upgrade():
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_constraint("fk_audit_entry_actor_user_id", type_="foreignkey")
        batch_op.drop_constraint("fk_audit_entry_subject_user_id", type_="foreignkey")
        batch_op.add_column(sa.Column("previous", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("hash", sa.String(length=64), nullable=False, server_default=""))
    op.create_index(
        "ix_audit_entry_action",
        "audit_entry",
        ["action"],
        unique=False,
        postgresql_ops={"action": "text_pattern_ops"},
    )
    op.create_index("ix_audit_entry_actor_user_id_at", "audit_entry", ["actor_user_id", "at"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    if is_sqlite:
        keep_numbers(autoincrement=True)
    chain()
    for statement in SQLITE if is_sqlite else POSTGRES:
        op.execute(statement)


def downgrade():
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, deed in (("audit_entry", "update"), ("audit_entry", "delete"), ("audit_head", "delete")):
        op.execute(f"DROP TRIGGER {table}_no_{deed}" + ("" if is_sqlite else f" ON {table}"))
    if is_sqlite:
        keep_numbers(autoincrement=False)
    else:
        op.execute("DROP FUNCTION refuse_change_of_audit()")
    op.drop_table("audit_head")
    op.drop_index("ix_audit_entry_actor_user_id_at", table_name="audit_entry")
    op.drop_index("ix_audit_entry_action", table_name="audit_entry")
    gone = "NOT EXISTS (SELECT 1 FROM portal_user WHERE portal_user.id = audit_entry.{0})"
    for column in ("actor_user_id", "subject_user_id"):
        op.execute(f"UPDATE audit_entry SET {column} = NULL WHERE {gone.format(column)}")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_column("hash")
        batch_op.drop_column("previous")
        for column in ("actor_user_id", "subject_user_id"):
            batch_op.create_foreign_key(
                f"fk_audit_entry_{column}", "portal_user", [column], ["id"], ondelete="SET NULL"
            )


def keep_numbers(*, autoincrement):
    kwargs = {"sqlite_autoincrement": True} if autoincrement else {}
    with op.batch_alter_table("portal_user", recreate="always", table_kwargs=kwargs):
        pass


def chain():
    """Give what is there already its hashes, in the order it was written. Must stay as it is."""
    connection = op.get_bind()
    number, previous = 0, NOTHING
    while True:
        query = sa.text(f"SELECT {TOLD} FROM audit_entry WHERE id > :after ORDER BY id LIMIT {BATCH}")
        rows = connection.execute(query, {"after": number}).mappings().all()
        if not rows:
            break
        found = []
        for row in rows:
            number = row["id"]
            own = hash_of(row, previous)
            found.append({"id": number, "previous": previous, "hash": own})
            previous = own
        update = "UPDATE audit_entry SET previous = :previous, hash = :hash WHERE id = :id"
        connection.execute(sa.text(update), found)
    connection.execute(
        sa.text("INSERT INTO audit_head (id, entry_id, hash) VALUES (1, :number, :hash)"),
        {"number": number, "hash": previous},
    )


def hash_of(row, previous):
    at, detail = row["at"], row["detail"]
    if isinstance(at, datetime):
        at = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if isinstance(detail, str):
        detail = json.loads(detail)
    told = {**row, "at": at, "detail": detail, "previous": previous}
    plain = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
