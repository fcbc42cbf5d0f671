"""find by beginnings in lists

Revision: 0010, after 0009, 2026-11-26 04:40:00
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


# For sorting on both databases, and for the search on SQLite.
NAMES = (
    ("subscriber", "full_name"),
    ("subscriber", "email"),
    ("subscriber", "phone"),
    ("gateway", "name"),
    ("premises", "street"),
    ("seal", "number"),
)
SORTED = (*NAMES, ("verification", "due_on"))
# PostgreSQL finds beginnings only by an index that goes letter by letter, not by the rules of a language.
SEARCHED = (
    *NAMES,
    ("account", "number"),
    ("meter", "serial"),
    ("metering_point", "code"),
    ("tariff", "code"),
    ("premises", "settlement"),
)


def upgrade():
    for table, column in SORTED:
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, column in SEARCHED:
            op.create_index(
                f"ix_{table}_{column}_begins",
                table,
                [column],
                unique=False,
                postgresql_ops={column: "text_pattern_ops"},
            )


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        for table, column in SEARCHED:
            op.drop_index(f"ix_{table}_{column}_begins", table_name=table)
    for table, column in SORTED:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
