"""What a query was meant to say: each word that no guide has, as the nearest one that guides have."""

from dataclasses import dataclass
from difflib import get_close_matches

from kb.guides.models import Guide
from kb.guides.search import query_words, unheard, words_of

SHORT = 5  # letters; a shorter word comes near too many others: cors is no cost
NEAR = 0.75  # difflib's ratio: one wrong letter in four


@dataclass(frozen=True, slots=True)
class Meant:
    """A query as guides spell it, and the words that were replaced: no guide has them."""

    query: str
    replaced: tuple[str, ...]


def meant(query: str, typing: bool = False) -> Meant | None:
    """The query as guides spell it; None if there is nothing to replace in it.

    With `typing` the last word may be the beginning of one.
    """
    words = query_words(query)
    strange = [word for word in unheard(words, typing) if len(word) >= SHORT]
    known = vocabulary() if strange else []
    near = {word: close[0] for word in strange if (close := get_close_matches(word, known, 1, NEAR))}
    return Meant(" ".join(near.get(word, word) for word in words), tuple(near)) if near else None


def vocabulary() -> list[str]:
    """The words by which published guides are called, and of their summaries and first messages."""
    rows = Guide.objects.published().values_list("synonyms", "title", "slug", "summary", "hero")
    return sorted({word for synonyms, *texts in rows for word in words_of(" ".join((*texts, *synonyms)))})
