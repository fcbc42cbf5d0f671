"""find rows of the registry by their beginnings

Revision: 0009, after 0008, 2026-11-26 04:20:00
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


ORDINARY = [
    ("subscriber", "full_name"),
    ("subscriber", "email"),
    ("subscriber", "phone"),
    ("premises", "street"),
    ("seal", "number"),
    ("verification", "due_on"),
]
# PostgreSQL sorts by the rules of a language, and by those nothing can be found by its beginning.
OF_BEGINNINGS = [
    ("subscriber", "full_name"),
    ("subscriber", "email"),
    ("subscriber", "phone"),
    ("premises", "settlement"),
    ("premises", "street"),
    ("account", "number"),
    ("metering_point", "code"),
    ("meter", "serial"),
    ("seal", "number"),
]


def upgrade():
    for table, column in ORDINARY:
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, column in OF_BEGINNINGS:
            op.create_index(
                f"ix_{table}_{column}_begins", table, [column], postgresql_ops={column: "text_pattern_ops"}
            )


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        for table, column in OF_BEGINNINGS:
            op.drop_index(f"ix_{table}_{column}_begins", table_name=table)
    for table, column in ORDINARY:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
