"""What a query that finds nothing was meant to say: each word as the nearest one that guides have."""

from difflib import get_close_matches

from kb.guides.models import Guide
from kb.guides.search import query_words, words_of

SHORT = 4  # letters; a shorter word comes near too many others
NEAR = 0.75  # difflib's ratio: one wrong letter in four


def meant(query: str) -> str:
    """The words of a query as guides spell them; empty if none is nearer."""
    words = query_words(query)
    known = vocabulary() if words else []
    spelled = [nearest(word, known) for word in words]
    return " ".join(spelled) if spelled != words else ""


def vocabulary() -> list[str]:
    """The words by which published guides are called, and of their summaries and first messages."""
    rows = Guide.objects.published().values_list("synonyms", "title", "slug", "summary", "hero")
    return sorted({word for synonyms, *texts in rows for word in words_of(" ".join((*texts, *synonyms)))})


def nearest(word: str, known: list[str]) -> str:
    """The word itself where it is known, short or like no other."""
    if word in known or len(word) < SHORT:
        return word
    return (get_close_matches(word, known, n=1, cutoff=NEAR) or [word])[0]
