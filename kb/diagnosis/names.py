"""Names of errors that a text ascribes to a tool, and the real ones that come near; it knows no release."""

import builtins
import re
from collections.abc import Collection
from difflib import SequenceMatcher

LONGEST = 200  # characters of a dotted name
MOST_NAMES = 5
MOST_NEAR = 3
CLOSE = 0.72  # likeness from which names count as near without a word in common
_ENDINGS = ("Error", "Exception")
_LOW_ENDINGS = ("error", "exception")
_LOW_BUILTINS = frozenset(map(str.lower, dir(builtins)))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")
_SAID = re.compile(r"\b\w+(?:Error|Exception)\b")


def names_in(text: str) -> set[str]:
    """Every identifier in a text that is named as errors are."""
    return set(_SAID.findall(text)) if "Error" in text or "Exception" in text else set()


def unknown_names(text: str, prefix: str, known: Collection[str], providers: Collection[str]) -> list[str]:
    """Names that a text gives to errors of a tool and that the tool doesn't have, as they stand there.

    `prefix` is the tool's name in code, such as litellm: it begins the name or its module. `known` are its
    names in lower case; `providers` are words that it puts before Exception itself. In a text that is all in
    lower case, as masked ones are, a name that has no underscore counts without its capitals.
    """
    found: dict[str, None] = {}
    named = named_low if text.islower() else named_so
    for one in re.finditer(rf"(?<![\w.@/-])(?i:{re.escape(prefix)})[\w.]{{0,{LONGEST}}}", text):
        whole = one[0].rstrip(".")
        module, _, name = whole.rpartition(".")
        if module and module.partition(".")[0].lower() != prefix.lower():
            continue  # somebody's own module beside the tool's, such as litellm_custom
        if named(name) and name.lower() not in known and not of_provider(name, providers):
            found[whole] = None
    return list(found)[:MOST_NAMES]


def named_so(name: str) -> bool:
    """Whether a name is one of an error, and no plain word: it has a capital inside."""
    bare = name.rstrip("_")
    return (
        bare.endswith(_ENDINGS)
        and bare[:1].isupper()
        and bare not in _ENDINGS
        and not hasattr(builtins, bare)
    )


def named_low(name: str) -> bool:
    """As `named_so`, of a name that lost its capitals."""
    plain = name.isalnum() and name not in _LOW_ENDINGS and name not in _LOW_BUILTINS
    return plain and name.endswith(_LOW_ENDINGS)


def of_provider(name: str, providers: Collection[str]) -> bool:
    """Whether it is a provider's name with Exception behind it, as gateways make them while they run."""
    low = name.lower()
    return low.endswith("exception") and low.removesuffix("exception") in providers


def words_of(name: str) -> list[str]:
    """The words of a name in lower case, without what every such name has."""
    own = [word.lower() for word in _WORD.findall(name.rpartition(".")[2])]
    return [word for word in own if word not in ("error", "exception", "lite", "llm", "litellm")]


def nearest(name: str, real: Collection[str]) -> list[str]:
    """The real names that have most words of a name, or are spelled nearly as it is; the best first."""
    words = set(words_of(name))
    last = name.rpartition(".")[2].lower()
    scored = []
    for one in sorted(real):
        own = set(words_of(one))
        shared = len(words & own)
        likeness = SequenceMatcher(None, last, one.lower(), autojunk=False).ratio()
        if own and (shared / len(own) > 0.5 or likeness >= CLOSE):
            scored.append((-shared, len(own) - shared, -likeness, one))
    return [one for *_, one in sorted(scored)[:MOST_NEAR]]
