"""The search index: an FTS5 table on SQLite, a table with a generated tsvector and a GIN index on PostgreSQL."""

from django.db import migrations

SQLITE = """
CREATE VIRTUAL TABLE guides_search USING fts5(
    title, messages, synonyms, body, tokenize = 'porter unicode61 remove_diacritics 2'
)
"""
POSTGRESQL = """
CREATE TABLE guides_search (
    guide_id bigint PRIMARY KEY,
    title text NOT NULL,
    messages text NOT NULL,
    synonyms text NOT NULL,
    body text NOT NULL,
    vector tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', messages), 'B')
        || setweight(to_tsvector('english', synonyms), 'C') || setweight(to_tsvector('english', body), 'D')
    ) STORED
);
CREATE INDEX guides_search_vector ON guides_search USING gin (vector) WITH (fastupdate = off)
"""


def create(apps, schema_editor):
    sql = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in sql.split(";"):
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE guides_search")


class Migration(migrations.Migration):
    dependencies = [("guides", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
