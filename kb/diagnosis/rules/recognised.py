"""A guide knows the words of a refusal that no rule here knows: its guide, hop and category are what there
is.
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import HOPS, Finding, Fix
from kb.diagnosis.rules import Rule


def judge(facts: Facts) -> Iterator[Finding]:
    """Consistent at most, and less specific than every rule. Budgets are left to the rules that calculate."""
    known, heard = facts.recognised, facts.refusal
    if known is None or heard is None or known.hop not in HOPS or heard.amounts:
        return
    yield Finding(
        cause=known.slug,
        state="undecided",
        hop=known.hop,
        category=known.category,
        slug=known.slug,
        because=f"The words are those of the guide {known.slug}: {heard.message[:160]}",
        confidence="consistent",
        would_settle="The guide says how to confirm it.",
        specificity=0,
        sentence="The call was refused in words that a guide knows, and no fact speaks for or against it.",
        fixes=(Fix(who="caller", title="Follow the guide", retry="after one of its fixes"),),
    )


RULE = Rule("recognised", "answer", judge)
