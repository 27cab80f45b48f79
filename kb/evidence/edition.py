"""What the pages in front of Django hang on: the content, and what reviewers decided."""

from django.db.models import Count, Max

from kb.evidence.models import Decision
from kb.guides import matching


def edition() -> object:
    """Changes whenever a page may: with the content, with every decision, and with every one that is deleted.

    Signatures don't hang on decisions, so the matcher goes by the content's own edition alone.
    """
    decided = Decision.objects.aggregate(newest=Max("pk"), count=Count("pk"))
    return (matching.edition(), decided["newest"], decided["count"])
