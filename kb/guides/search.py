"""Full-text search over guides: one interface, FTS5 on SQLite and tsvector + GIN on PostgreSQL.

Texts and queries are cut into the same plain words before either database sees them, so both find the same.
Exact wording comes first, then guides with all words, then guides with some. Every query is bounded: words,
candidates that are ranked, and rows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from kb.diagnosis.reading import lowered
from kb.guides.contents import ENTRIES
from kb.guides.models import Guide

WORD = re.compile(r"[^\W_]+")
# Left out of texts and queries alike, so that exact wording is still exact.
STOP_WORDS = {
    "a", "about", "also", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it",
    "its", "me", "my", "no", "nor", "not", "of", "on", "or", "our", "so", "some", "something", "such",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to",
    "was", "we", "were", "what", "when", "where", "which", "while", "who", "why", "will", "with",
    "would", "you", "your",
}  # fmt: skip
MAX_WORDS = 8
MAX_CHARACTERS = 400
CANDIDATES = 1000  # ranked at most; ranking costs time per candidate
RANKED = (CANDIDATES, 120, CANDIDATES)  # PostgreSQL ranks slower: in a library larger than that, 120
SNIPPET = 160
TELLING = 4  # words; guides with so long a wording need no others beside them
EDGE = "0edge0"  # stands around each synonym: whoever types a whole one means that guide


@dataclass(frozen=True, slots=True)
class Hit:
    """A guide that was found, with the place where, marked and escaped."""

    guide: Guide
    snippet: SafeString


def words_of(text: str) -> list[str]:
    """The plain words of a text that tell something, in lower case: budget_exceeded is two."""
    return [word for word in map(str.lower, WORD.findall(text)) if word not in STOP_WORDS]


def query_words(query: str) -> list[str]:
    """The words of a query in their order, no more than are searched."""
    return words_of(query[:MAX_CHARACTERS])[:MAX_WORDS]


def index(guide: Guide) -> None:
    """Brings a guide into the index, or takes it out if it is retired."""
    with connection.cursor() as cursor:
        column = BACKENDS[connection.vendor].key
        cursor.execute(f"DELETE FROM guides_search WHERE {column} = %s", [guide.pk])  # noqa: S608
        if guide.retired is None:
            columns = f"({column}, title, messages, synonyms, body)"
            sql = f"INSERT INTO guides_search {columns} VALUES (%s, %s, %s, %s, %s)"  # noqa: S608
            cursor.execute(sql, [guide.pk, *indexed_texts(guide)])


def indexed_texts(guide: Guide) -> list[str]:
    """Title, messages, synonyms and words of a guide, as plain words."""
    messages = [row.text for row in guide.messages.all()]
    literals = [text for row in guide.signatures.all() for text in (*row.all_of, *row.any_of)]
    names = f" {EDGE} ".join(("", *guide.synonyms, guide.slug, ""))
    synonyms = f"{names} {guide.get_hop_display()} {guide.get_category_display()}"
    words = guide.readable({name: getattr(guide, name).all() for name in ENTRIES})
    texts = (guide.title, " ".join(messages + literals), synonyms, words)
    return [" ".join(words_of(text)) for text in texts]


# What a hit shows, and what its snippet is cut from.
SHOWN = ("slug", "title", "summary", "category", "hop", "plain", "tool")
Query = tuple[str, list[str | int]]


@dataclass(frozen=True, slots=True)
class Backend:
    """How one database is asked: its key column; strict queries first, and one for when they find nothing.

    `has` asks whether any guide has a word, given as `words` writes it.
    """

    key: str
    words: Callable[[list[str], bool], list[str]]
    has: str
    strict: Callable[[list[str], bool, int], list[Query]]
    loose: Callable[[list[str], bool, int], Query]


SQLITE = """
    SELECT rowid FROM (
        SELECT rowid, rank FROM guides_search WHERE guides_search MATCH %s
        AND rank MATCH 'bm25(10.0, 6.0, 4.0, 1.0)' LIMIT %s
    ) ORDER BY rank, rowid LIMIT %s
"""
SQLITE_HAS = "SELECT 1 FROM guides_search WHERE guides_search MATCH %s LIMIT 1"
# A word that its dictionary leaves out stands in any guide.
POSTGRESQL_HAS = """
    SELECT 1 WHERE numnode(to_tsquery('english', %s)) = 0 UNION ALL (
        SELECT 1 FROM guides_search WHERE vector @@ to_tsquery('english', %s) LIMIT 1
    ) LIMIT 1
"""
# The planner can't tell how rare a phrase is: candidates are found by their words, the phrase orders them.
POSTGRESQL = """
    SELECT guide_id FROM (
        SELECT guide_id, synonyms, vector FROM guides_search
        WHERE vector @@ to_tsquery('english', %s) LIMIT (
            SELECT CASE WHEN reltuples > %s THEN %s ELSE %s END
            FROM pg_class WHERE oid = 'guides_search'::regclass
        )
    ) AS candidates
    ORDER BY strpos(synonyms, %s) > 0 DESC, vector @@ to_tsquery('english', %s) DESC,
        ts_rank(vector, to_tsquery('english', %s)) DESC, guide_id LIMIT %s
"""


def sqlite_words(words: list[str], typing: bool) -> list[str]:
    """Quoted, so that none is an operator; while somebody types the last may be the beginning of one."""
    once = [f'"{word}"' for word in dict.fromkeys(words)]
    return [*once[:-1], f"{once[-1]}*"] if typing else once


def sqlite_strict(words: list[str], typing: bool, limit: int) -> list[Query]:
    """A whole synonym, the wording in a title or message, then all words."""
    synonym = f'synonyms : "{" ".join((EDGE, *words, EDGE))}"'
    phrase = f'{{title messages}} : "{" ".join(words)}"'
    every = " AND ".join(sqlite_words(words, typing))
    return [(SQLITE, [tier, CANDIDATES, limit]) for tier in (synonym, phrase, every)]


def sqlite_loose(words: list[str], typing: bool, limit: int) -> Query:
    """Some words."""
    return SQLITE, [" OR ".join(sqlite_words(words, typing)), CANDIDATES, limit]


def postgresql_words(words: list[str], typing: bool) -> list[str]:
    """Letters and digits only, so none is an operator; the last may be the beginning of one."""
    once = list(dict.fromkeys(words))
    return [*once[:-1], f"{once[-1]}:*"] if typing else once


def postgresql_strict(words: list[str], typing: bool, limit: int) -> list[Query]:
    """All words: first those that are a synonym, then those with the wording in a title or message."""
    every = " & ".join(postgresql_words(words, typing))
    synonym = " ".join((EDGE, *words, EDGE))
    phrase = " <-> ".join(f"{word}:AB" for word in words)
    return [(POSTGRESQL, [every, *RANKED, synonym, phrase, every, limit])]


def postgresql_loose(words: list[str], typing: bool, limit: int) -> Query:
    """Some words."""
    some = " | ".join(postgresql_words(words, typing))
    return POSTGRESQL, [some, *RANKED, some, some, some, limit]


BACKENDS = {
    "sqlite": Backend("rowid", sqlite_words, SQLITE_HAS, sqlite_strict, sqlite_loose),
    "postgresql": Backend("guide_id", postgresql_words, POSTGRESQL_HAS, postgresql_strict, postgresql_loose),
}


def find(query: str, limit: int = 20, typing: bool = False) -> list[int]:
    """Keys of guides, best first; with `typing` the last word may be the beginning of one."""
    words = query_words(query)
    if not words:
        return []
    backend = BACKENDS[connection.vendor]
    found: dict[int, None] = {}
    with connection.cursor() as cursor:
        for place, (sql, values) in enumerate(backend.strict(words, typing, limit)):
            cursor.execute(sql, values)
            found.update(dict.fromkeys(row[0] for row in cursor.fetchall()))
            if place and found and len(words) >= TELLING:
                break
        if not found and len(set(words)) > 1:
            sql, values = backend.loose(words, typing, limit)
            cursor.execute(sql, values)
            found.update(dict.fromkeys(row[0] for row in cursor.fetchall()))
    return list(found)[:limit]


def unheard(words: list[str], typing: bool = False) -> list[str]:
    """Those of the words that no guide has; with `typing` the last may be the beginning of one."""
    backend = BACKENDS[connection.vendor]
    found = []
    with connection.cursor() as cursor:
        for word in dict.fromkeys(words):
            asked = backend.words([word], typing and word == words[-1])
            cursor.execute(backend.has, asked * backend.has.count("%s"))
            if not cursor.fetchone():
                found.append(word)
    return found


def search(query: str, limit: int = 20, typing: bool = False) -> list[Hit]:
    """Guides for a query, best first, each with a snippet."""
    keys = find(query, limit, typing)
    guides = Guide.objects.published().select_related("tool").only(*SHOWN).in_bulk(keys)
    words = query_words(query)
    return [Hit(guides[key], snippet(guides[key].plain, words)) for key in keys if key in guides]


def snippet(text: str, words: list[str]) -> SafeString:
    """The neighbourhood of the first word found: escaped first, then marked."""
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in words), re.IGNORECASE)
    start = max(0, first_place(pattern, text, words) - SNIPPET // 3)
    cut = text[start : start + SNIPPET]
    parts, end = [], 0
    for found in pattern.finditer(cut):
        parts += [escape(cut[end : found.start()]), f"<mark>{escape(found[0])}</mark>"]
        end = found.end()
    dots = ("…" if start else "", "…" if start + SNIPPET < len(text) else "")
    return mark_safe(f"{dots[0]}{''.join(parts)}{escape(cut[end:])}{dots[1]}")  # noqa: S308


def first_place(pattern: re.Pattern[str], text: str, words: list[str]) -> int:
    """Where the first word stands, or 0; the slow pattern reads only from where one can stand."""
    low = lowered(text)
    candidates = [place for word in words if (place := low.find(word)) >= 0]
    found = pattern.search(text, min(candidates)) if candidates else None
    return found.start() if found else 0
