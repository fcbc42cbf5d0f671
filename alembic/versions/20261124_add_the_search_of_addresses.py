"""add the search of addresses: streets with their words, kept by triggers, and an index over the words

Revision: 0003, after 0002, 2026-11-24
"""

import sqlalchemy as sa

from alembic import op
from lk_portal.models.address_text import search_words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


BATCH = 1000

# A name that is there with other words gets the new ones, unless those are missing: whoever inserted without
# words did not mean to take them away. Never INSERT OR IGNORE: the outer statement's own OR would replace it.
SQLITE_KEEP_STREET = """
  UPDATE street SET search_text = NEW.search_text
    WHERE settlement = NEW.settlement AND street = NEW.street
      AND NEW.search_text <> '' AND search_text <> NEW.search_text;
  INSERT INTO street (settlement, street, search_text)
    SELECT NEW.settlement, NEW.street, NEW.search_text
    WHERE NOT EXISTS (SELECT 1 FROM street WHERE settlement = NEW.settlement AND street = NEW.street);
"""
SQLITE = (
    """
    CREATE VIRTUAL TABLE street_search USING fts5(
      search_text, content='street', content_rowid='id', prefix='1 2 3',
      tokenize="unicode61 remove_diacritics 0")
    """,
    "INSERT INTO street_search(street_search) VALUES ('rebuild')",
    """
    CREATE TRIGGER street_inserted AFTER INSERT ON street BEGIN
      INSERT INTO street_search(rowid, search_text) VALUES (NEW.id, NEW.search_text);
    END
    """,
    """
    CREATE TRIGGER street_deleted AFTER DELETE ON street BEGIN
      INSERT INTO street_search(street_search, rowid, search_text) VALUES ('delete', OLD.id, OLD.search_text);
    END
    """,
    """
    CREATE TRIGGER street_updated AFTER UPDATE ON street BEGIN
      INSERT INTO street_search(street_search, rowid, search_text) VALUES ('delete', OLD.id, OLD.search_text);
      INSERT INTO street_search(rowid, search_text) VALUES (NEW.id, NEW.search_text);
    END
    """,
    f"CREATE TRIGGER premises_inserted AFTER INSERT ON premises BEGIN {SQLITE_KEEP_STREET} END",
    "CREATE TRIGGER premises_updated AFTER UPDATE OF settlement, street, search_text ON premises"
    f" BEGIN {SQLITE_KEEP_STREET} END",
)
POSTGRES = (
    "CREATE INDEX ix_street_words ON street USING gin (to_tsvector('simple', search_text))",
    """
    CREATE FUNCTION keep_streets() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO street (settlement, street, search_text)
        SELECT n.settlement, n.street, n.words
        FROM (
          SELECT settlement, street, max(search_text) AS words FROM written GROUP BY settlement, street
        ) n LEFT JOIN street s ON s.settlement = n.settlement AND s.street = n.street
        WHERE s.id IS NULL OR (n.words <> '' AND n.words <> s.search_text)
        ORDER BY n.settlement, n.street
      ON CONFLICT (settlement, street) DO UPDATE SET search_text = EXCLUDED.search_text
        WHERE EXCLUDED.search_text <> '';
      RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER premises_inserted AFTER INSERT ON premises REFERENCING NEW TABLE AS written"
    " FOR EACH STATEMENT EXECUTE FUNCTION keep_streets()",
    "CREATE TRIGGER premises_updated AFTER UPDATE ON premises REFERENCING NEW TABLE AS written"
    " FOR EACH STATEMENT EXECUTE FUNCTION keep_streets()",
)


def is_sqlite():
    return op.get_bind().dialect.name == "sqlite"


def upgrade():
    op.create_table(
        "street",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("settlement", sa.String(length=120), nullable=False),
        sa.Column("street", sa.String(length=120), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_street")),
        sa.UniqueConstraint("settlement", "street", name=op.f("uq_street_settlement_street")),
    )
    op.add_column("premises", sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_premises_settlement_street_house_flat",
        "premises",
        ["settlement", "street", "house", "flat"],
        unique=False,
    )
    fill_words()
    for statement in SQLITE if is_sqlite() else POSTGRES:
        op.execute(statement)


def downgrade():
    for name in ("premises_inserted", "premises_updated"):
        op.execute(f"DROP TRIGGER {name}" if is_sqlite() else f"DROP TRIGGER {name} ON premises")
    op.drop_table("street")
    op.execute("DROP TABLE street_search" if is_sqlite() else "DROP FUNCTION keep_streets")
    op.drop_index("ix_premises_settlement_street_house_flat", "premises")
    op.drop_column("premises", "search_text")


def fill_words():
    """The words of what is there already, street by street: each is computed once."""
    connection = op.get_bind()
    names = "settlement, street"
    found = connection.execute(
        sa.text(f"SELECT {names} FROM premises GROUP BY {names} ORDER BY {names}")
    ).all()
    place = "settlement = :settlement AND street = :street"
    for start in range(0, len(found), BATCH):
        rows = [
            {
                "settlement": row.settlement,
                "street": row.street,
                "words": search_words(row.settlement, row.street),
            }
            for row in found[start : start + BATCH]
        ]
        connection.execute(
            sa.text(f"INSERT INTO street ({names}, search_text) VALUES (:settlement, :street, :words)"), rows
        )
        connection.execute(sa.text(f"UPDATE premises SET search_text = :words WHERE {place}"), rows)
    if found and not is_sqlite():
        connection.execute(sa.text("ANALYZE premises, street"))
