"""Rules: LiteLLM's own signatures, alone and among thousands of made-up ones: start-up, memory, a text."""

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from bench.matching import TEXTS, each, signatures
from bench.measure import goal, medians, table
from kb.diagnosis.signature import Matcher, Signature
from kb.diagnosis.text import readable, redact
from kb.guides.contracts import pure_signature
from kb.guides.library import ToolSource, read_tool

ROOT = Path(__file__).resolve().parent.parent
CONTENT = ROOT / "content"
MADE_UP = (0, 10_000, 100_000)
KB20 = 20_000
GOAL_TIMES = 2.0  # a text with an error, among 100,000 signatures more, against the real ones alone
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


@dataclass(frozen=True, slots=True)
class Result:
    """Of one process: signatures, seconds until they are compiled, bytes for it, seconds for a text."""

    signatures: int
    compiled: float
    memory: int
    no_hit: float
    hit: float

    def row(self) -> list[str]:
        """As it is printed."""
        return [
            f"{self.signatures:,}",
            f"{self.compiled * 1e3:,.0f} ms",
            f"{self.memory / 1e6:,.0f} MB",
            f"{self.no_hit * 1e6:,.0f} µs",
            f"{self.hit * 1e6:,.0f} µs",
        ]


def real(tool: ToolSource) -> list[Signature]:
    """The signatures of all guides."""
    rows = ((slug, row) for slug, guide in tool.guides.items() for row in guide.facts["signature"])
    return [pure_signature(slug, row) for slug, row in rows]


def errors(tool: ToolSource) -> list[str]:
    """TEXTS samples of as many guides, from all over the alphabet."""
    samples = [
        next(sample["text"] for sample in guide.facts["sample"] if not sample.get("near_miss"))
        for guide in tool.guides.values()
    ]
    short = [text for text in samples if len(text) < KB20 // 10]
    return short[:: len(short) // TEXTS][:TEXTS]


def others() -> list[str]:
    """TEXTS texts of KB20 from errors of other software, which no guide knows."""
    lines = (ROOT / "tests" / "corpus" / "unrelated.jsonl").read_text().splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return ["\n".join(Random(place).sample(texts, len(texts)))[:KB20] for place in range(TEXTS)]


def measured(made_up: int) -> Result:
    """In a process of its own: what the signatures cost, and a text against them."""
    tool = read_tool(CONTENT / "litellm", CONTENT)
    known = [*real(tool), *signatures(made_up)]
    logs = others()
    planted = [f"{log[len(error) :]}\n{error}" for log, error in zip(logs, errors(tool), strict=True)]
    clean, hits = ([redact(readable(text)).text for text in those] for those in (logs, planted))
    before, begun = peak(), time.perf_counter()
    matcher = Matcher(known, {"": tool.marks})
    matcher.match(hits[0])  # (what is compiled at its first use belongs to it)
    compiled, memory = time.perf_counter() - begun, peak() - before
    if not all(matcher.match(text).matches for text in hits):
        raise SystemExit("An error isn't found.")
    taken = medians({"no hit": each(matcher.match, clean), "hit": each(matcher.match, hits)})
    return Result(len(known), compiled, memory, taken["no hit"], taken["hit"])


def peak() -> int:
    """The most memory that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


def in_its_own_process(made_up: int) -> Result:
    """`measured`, in a new process."""
    command = [sys.executable, "-m", "bench.rules", str(made_up)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return Result(**json.loads(done.stdout))


def main() -> bool:
    """Prints the table; tells whether the goal was met."""
    results = [in_its_own_process(count) for count in MADE_UP]
    head = ("signatures", "compiled in", "memory", "20 KB, no hit", "20 KB, one hit")
    table(head, [result.row() for result in results])
    print()
    more, times = MADE_UP[-1], results[-1].hit / results[0].hit
    return goal(
        f"among {more:,} more a text with an error takes {times:.1f} x as long, at most {GOAL_TIMES:.0f} x",
        times <= GOAL_TIMES,
    )


if __name__ == "__main__":
    print(json.dumps(asdict(measured(int(sys.argv[1])))))
