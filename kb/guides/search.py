"""Full-text search over guides: one interface, FTS5 on SQLite and tsvector + GIN on PostgreSQL.

Texts and queries are cut into the same plain words before either database sees them, so both find the same.
Exact wording comes first, then guides with all words, then guides with some. Every query is bounded: words,
candidates that are ranked, and rows.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import unescape

from django.db import connection
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe

from kb.guides.models import Guide

WORD = re.compile(r"[^\W_]+")
CHIP = re.compile(r'<a [^>]*class="chip"[^>]*>.*?</a>')
# Left out of texts and queries alike, so that exact wording is still exact.
STOP_WORDS = {
    "a", "about", "also", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it",
    "its", "me", "my", "no", "nor", "not", "of", "on", "or", "our", "so", "some", "something", "such",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to",
    "was", "we", "were", "what", "when", "where", "which", "while", "who", "why", "will", "with",
    "would", "you", "your",
}  # fmt: skip
MAX_WORDS = 12
MAX_CHARACTERS = 400
CANDIDATES = {"sqlite": 2000, "postgresql": 500}  # ranked at most; ranking costs time per candidate
SNIPPET = 160
LOOSE = 2  # the tier of some words, asked only if the stricter ones find nothing


@dataclass(frozen=True, slots=True)
class Hit:
    """A guide that was found, with the place where, marked and escaped."""

    guide: Guide
    snippet: SafeString


def words_of(text: str) -> list[str]:
    """The plain words of a text that tell something, in lower case: budget_exceeded is two."""
    return [word for word in map(str.lower, WORD.findall(text)) if word not in STOP_WORDS]


def query_words(query: str) -> list[str]:
    """The words of a query, no more than are searched; each once."""
    return list(dict.fromkeys(words_of(query[:MAX_CHARACTERS])))[:MAX_WORDS]


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
    synonyms = [*guide.synonyms, guide.slug, guide.get_hop_display(), guide.get_category_display()]
    texts = (guide.title, " ".join(messages + literals), " ".join(synonyms), readable_text(guide))
    return [" ".join(words_of(text)) for text in texts]


def plain(html: str) -> str:
    """The words of stored HTML, without tags and citations."""
    return unescape(strip_tags(CHIP.sub("", html)))


def readable_text(guide: Guide) -> str:
    """The guide's words without tags, for the index and for snippets."""
    return f"{guide.summary} {plain(guide.meaning_html)} {plain(guide.why_html)} " + " ".join(
        f"{entry.title} {plain(entry.body_html)}"
        for part in (
            guide.causes,
            guide.fixes,
            guide.checks,
            guide.steps,
            guide.preventions,
            guide.faqs,
        )
        for entry in part.all()
    )


@dataclass(frozen=True, slots=True)
class Backend:
    """How one database is asked: its key column, and the queries of three tiers of words."""

    key: str
    sql: str
    tiers: Callable[[list[str], bool], list[str]]


def sqlite_tiers(words: list[str], typing: bool) -> list[str]:
    """FTS5 queries: the wording, all words, some words. Words are quoted: none is an operator."""
    quoted = [f'"{word}"' for word in words]
    phrase = f'{{title messages}} : "{" ".join(words)}"'
    last = f"{quoted[-1]}*" if typing else quoted[-1]
    tiers = [phrase, " AND ".join([*quoted[:-1], last])]
    return [*tiers, " OR ".join([*quoted[:-1], last])] if len(words) > 1 else tiers


def postgresql_tiers(words: list[str], typing: bool) -> list[str]:
    """tsqueries of the same three tiers; words hold letters and digits only, so none is an operator."""
    last = f"{words[-1]}:*" if typing else words[-1]
    tiers = [" <-> ".join(f"{word}:AB" for word in words), " & ".join([*words[:-1], last])]
    return [*tiers, " | ".join([*words[:-1], last])] if len(words) > 1 else tiers


BACKENDS = {
    "sqlite": Backend(
        "rowid",
        """
        SELECT rowid FROM (
            SELECT rowid, rank FROM guides_search WHERE guides_search MATCH %s
            AND rank MATCH 'bm25(10.0, 6.0, 4.0, 1.0)' LIMIT %s
        ) ORDER BY rank, rowid LIMIT %s
        """,
        sqlite_tiers,
    ),
    "postgresql": Backend(
        "guide_id",
        """
        SELECT guide_id FROM (
            SELECT guide_id, vector, query FROM guides_search, to_tsquery('english', %s) AS query
            WHERE vector @@ query LIMIT %s
        ) AS candidates ORDER BY ts_rank(vector, query) DESC, guide_id LIMIT %s
        """,
        postgresql_tiers,
    ),
}


def find(query: str, limit: int = 20, typing: bool = False) -> list[int]:
    """Keys of guides, best first; with `typing` the last word may be the beginning of one."""
    words = query_words(query)
    if not words:
        return []
    backend = BACKENDS[connection.vendor]
    found: dict[int, None] = {}
    with connection.cursor() as cursor:
        for place, tier in enumerate(backend.tiers(words, typing)):
            if place == LOOSE and found:
                break
            cursor.execute(backend.sql, [tier, CANDIDATES[connection.vendor], limit])
            found.update(dict.fromkeys(row[0] for row in cursor.fetchall()))
    return list(found)[:limit]


def search(query: str, limit: int = 20, typing: bool = False) -> list[Hit]:
    """Guides for a query, best first, each with a snippet."""
    keys = find(query, limit, typing)
    guides = Guide.objects.published().cards().defer(None).in_bulk(keys)
    words = query_words(query)
    return [Hit(guides[key], snippet(readable_row(guides[key]), words)) for key in keys if key in guides]


def readable_row(guide: Guide) -> str:
    """What a snippet is cut from: the exact message, the summary, what it means and why."""
    return " ".join([guide.hero, guide.summary, plain(guide.meaning_html), plain(guide.why_html)])


def snippet(text: str, words: Iterable[str]) -> SafeString:
    """The neighbourhood of the first word found: escaped first, then marked."""
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in words), re.IGNORECASE)
    first = pattern.search(text)
    start = max(0, (first.start() if first else 0) - SNIPPET // 3)
    cut = text[start : start + SNIPPET]
    parts, end = [], 0
    for found in pattern.finditer(cut):
        parts += [escape(cut[end : found.start()]), f"<mark>{escape(found[0])}</mark>"]
        end = found.end()
    dots = ("…" if start else "", "…" if start + SNIPPET < len(text) else "")
    return mark_safe(f"{dots[0]}{''.join(parts)}{escape(cut[end:])}{dots[1]}")  # noqa: S308
