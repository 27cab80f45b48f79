"""The library's rows: tools, guides and all that a guide is made of.

Content files are the source, these rows are the served copy. Each row that holds Markdown renders and
sanitises it when it is saved; `Guide.compose` joins the parts into the page that a GET sends.
"""

from kb.guides.models.constraints import not_blank, one_of
from kb.guides.models.coverage import Coverage, Recognised
from kb.guides.models.guide import Guide, GuideQuerySet, Release, Revision, Tool
from kb.guides.models.parts import (
    FAQ,
    Cause,
    Entry,
    Message,
    Part,
    PlatformCheck,
    Prevention,
    QuickFix,
    Sample,
    Signature,
    Source,
    Step,
)
from kb.guides.models.unmatched import UnmatchedError

__all__ = [
    "FAQ", "Cause", "Coverage", "Entry", "Guide", "GuideQuerySet", "Message", "Part", "PlatformCheck",
    "Prevention", "QuickFix", "Recognised", "Release", "Revision", "Sample", "Signature", "Source", "Step",
    "Tool", "UnmatchedError", "not_blank", "one_of",
]  # fmt: skip
