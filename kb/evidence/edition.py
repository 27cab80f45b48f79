"""What the pages in front of Django hang on: the content, and what reviewers decided."""

from kb.evidence.models import Decision
from kb.guides import matching


def edition() -> object:
    """Changes whenever a page may: with the content (`matching.edition`) and with every decision.

    Signatures don't hang on decisions, so the matcher goes by the content's edition alone.
    """
    newest = Decision.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (matching.edition(), newest)
