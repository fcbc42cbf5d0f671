"""add letters, documents, audit and what signing in needs

Revision: 0002, after 0001, 2026-11-24 19:36:27.273296
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from alembic import op
from lk_portal.models import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


DOCUMENTS = Path(__file__).parents[1] / "documents"
FIRST_DOCUMENTS = (
    ("agreement", "Пользовательское соглашение", "agreement-1.md"),
    ("consent", "Согласие на обработку персональных данных", "consent-1.md"),
)


def upgrade():
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index("ix_attempt_key_at", ["key", "at"], unique=False)

    op.create_table(
        "captcha_challenge",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("expires_at", types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captcha_challenge")),
    )
    with op.batch_alter_table("captcha_challenge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_captcha_challenge_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "document_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("published_at", types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_version")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_document_version_kind_version")),
    )
    op.create_table(
        "acceptance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("accepted_at", types.UtcTime(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("withdrawn_at", types.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document_version.id"], name=op.f("fk_acceptance_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_acceptance_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
    )
    with op.batch_alter_table("acceptance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_acceptance_user_id"), ["user_id"], unique=False)

    op.create_table(
        "account_claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("created_at", types.UtcTime(), nullable=False),
        sa.Column("closed_at", types.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_claim_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_claim")),
    )
    with op.batch_alter_table("account_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_claim_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_claim_closed_at"), ["closed_at"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", types.UtcTime(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("subject_user_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_user_id"],
            ["portal_user.id"],
            name=op.f("fk_audit_entry_actor_user_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["subject_user_id"],
            ["portal_user.id"],
            name=op.f("fk_audit_entry_subject_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_at"), ["at"], unique=False)
        batch_op.create_index("ix_audit_entry_subject_user_id_at", ["subject_user_id", "at"], unique=False)

    op.create_table(
        "email_change",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("new_email", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("expires_at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_email_change_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_email_change")),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("created_at", types.UtcTime(), nullable=False),
        sa.Column("next_attempt_at", types.UtcTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", types.UtcTime(), nullable=True),
        sa.Column("last_error", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_letter_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("message_id", name=op.f("uq_letter_message_id")),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.create_index("ix_letter_status_next_attempt_at", ["status", "next_attempt_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_user_id"), ["user_id"], unique=False)

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
    with op.batch_alter_table("sign_in_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_attempt_key_at"))

    op.drop_table("sign_in_attempt")
    with op.batch_alter_table("portal_user", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("temporary_hash", sa.String(length=200), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("temporary_until", types.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("locale", sa.String(length=8), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("theme", sa.String(length=32), nullable=False, server_default="system"))

    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("duty", sa.String(length=32), nullable=False, server_default="none"))

    publish_first_documents()


def downgrade():
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_column("duty")

    with op.batch_alter_table("portal_user", schema=None) as batch_op:
        batch_op.drop_column("theme")
        batch_op.drop_column("locale")
        batch_op.drop_column("temporary_until")
        batch_op.drop_column("temporary_hash")

    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    with op.batch_alter_table("sign_in_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_attempt_key_at"), ["key", "at"], unique=False)

    op.drop_table("notification_choice")
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_letter_user_id"))
        batch_op.drop_index("ix_letter_status_next_attempt_at")

    op.drop_table("letter")
    op.drop_table("email_change")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_subject_user_id_at")
        batch_op.drop_index(batch_op.f("ix_audit_entry_at"))

    op.drop_table("audit_entry")
    with op.batch_alter_table("account_claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_claim_closed_at"))
        batch_op.drop_index(batch_op.f("ix_account_claim_account_id"))

    op.drop_table("account_claim")
    with op.batch_alter_table("acceptance", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_acceptance_user_id"))

    op.drop_table("acceptance")
    op.drop_table("document_version")
    with op.batch_alter_table("captcha_challenge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_captcha_challenge_expires_at"))

    op.drop_table("captcha_challenge")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_attempt_key_at")

    op.drop_table("attempt")


def publish_first_documents():
    """Nobody can register without the two texts; the utility replaces them by its own versions."""
    table = sa.table(
        "document_version",
        *(sa.column(name) for name in ("kind", "version", "title", "text", "text_hash")),
        sa.column("published_at", types.UtcTime()),
    )
    for kind, title, name in FIRST_DOCUMENTS:
        text = (DOCUMENTS / name).read_text(encoding="utf-8")
        op.execute(
            table.insert().values(
                kind=kind,
                version=1,
                title=title,
                text=text,
                text_hash=hashlib.sha256(text.encode()).hexdigest(),
                published_at=datetime.now(UTC),
            )
        )
