"""What the rules that go by LiteLLM's own words share lives here: whose words they are, and a finding from
them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Confidence, Finding, Fix
from kb.diagnosis.refusal import Refusal
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._curl import of_key, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One cause known by words: phrases of which one must be there, or error types that only it has.

    `proof` looks for a second witness and says what it saw; with it the cause is proved. `unless` keeps the
    rule silent where another cause explains the same words. `model` says which model it is about, or nothing:
    `{model}` and `{named}` of the sentence are it.
    """

    id: str
    hop: str
    category: str
    sentence: str
    fixes: tuple[Fix, ...]
    slug: str = ""
    phrases: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    specificity: int = 2
    proof: Callable[[Facts], str] | None = None
    unless: Callable[[Facts], bool] | None = None
    model: Callable[[Facts], str] = lambda facts: facts.asked.model

    def rule(self) -> Rule:
        """The rule that judges by these words."""
        return Rule(self.id, self.hop, self.judge)

    def judge(self, facts: Facts) -> Iterator[Finding]:
        """Supported where LiteLLM itself says it; silent otherwise."""
        heard = facts.refusal
        if heard is None or (self.unless and self.unless(facts)):
            return
        if not (_among(own_words(heard), self.phrases) or heard.type in self.types):
            return
        seen = self.proof(facts) if self.proof else ""
        sure: Confidence = "proved" if seen and heard.live else "known_shape"
        because = f"{heard.source[:1].upper()}{heard.source[1:]} says: {heard.message[:200] or heard.type}"
        yield Finding(
            cause=self.id, state="supported", because=f"{because} {seen}".strip(), hop=self.hop,
            category=self.category, slug=self.slug, confidence=sure, sentence=self.filled(facts),
            fixes=tuple(self.fix(facts, fix) for fix in self.fixes), specificity=self.specificity,
        )  # fmt: skip

    def filled(self, facts: Facts) -> str:
        """The sentence with the reader's ids."""
        return _fill(self.sentence, facts, self.model(facts))

    def fix(self, facts: Facts, fix: Fix) -> Fix:
        """A fix with the reader's ids in its command."""
        return Fix(who=fix.who, title=fix.title, command=_in_command(fix.command, facts), retry=fix.retry)


def own_words(refusal: Refusal) -> str:
    """The part that LiteLLM says itself: what follows `…Exception - ` was said by the provider."""
    return refusal.message.partition("Exception - ")[0].lower()


def from_provider(refusal: Refusal) -> bool:
    """Tell whether the call got past LiteLLM's own checks: its exceptions carry `litellm.` or a model
    group. Its router raises them too where it finds no model to call (litellm/router.py, 1.53.9 to 1.108.7).
    """
    if "you passed in model=" in own_words(refusal):
        return False
    return refusal.says(
        "Exception - ", "Received Model Group=", "LiteLLM: model group '"
    ) or refusal.message.startswith("litellm.")


def _among(words: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase.lower() in words for phrase in phrases)


def _fill(text: str, facts: Facts, model: str) -> str:
    """Put the reader's ids into a sentence."""
    key = facts.key
    known = key.name or key.alias if key else ""
    return (
        text.replace("{shown}", f"The key {known}" if known else "The key")
        .replace("{expires}", (key.expires if key else "") or "the time in the error")
        .replace("{named}", f"named {model}" if model else "of the name that was asked for")
        .replace("{model}", model or "that was asked for")
    )


def _in_command(text: str, facts: Facts) -> str:
    """Put the reader's ids into a command, those that are safe there."""
    key = facts.key
    return (
        of_key(text, facts)
        .replace("{team}", plain(key.team if key else "", "<team id>"))
        .replace("{user}", plain(key.user if key else "", "<user id>"))
        .replace("{model}", plain(facts.asked.model, "<model>"))
    )
