"""Made-up texts that look like the real ones: messages, logs, tracebacks; the same for the same seed."""

import json
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from random import Random

REAL = """
budget key team model user limit request token provider deployment proxy cache database server client
connection timeout response message content header cost spend window reset allowed denied invalid missing
unknown expired blocked exceeded reached found supported configured authenticated resolved refused closed
mapped passed routed retried healthy unavailable overloaded malformed unexpected required default fallback
group router completion embedding stream chunk context length maximum current total region endpoint version
credential certificate host port address name alias end organization project tag virtual master admin
callback guardrail policy pool worker queue lock redis postgres migration table schema field parameter
function tool call choice image audio batch file upload quota rate minute second retry after before while
for from with without not is was has been cannot could did does please check see set the a in on of to by
"""
PLAIN = tuple(REAL.split())
OPENINGS = (
    "Budget has been exceeded!", "Authentication Error,", "No deployments available for selected model,",
    "litellm.BadRequestError:", "litellm.RateLimitError:", "litellm.APIConnectionError:", "Error code: 400 -",
    "litellm.AuthenticationError: OpenAIException -", "Invalid proxy server token passed.",
)  # fmt: skip
SOUNDS = "ba con de el for gra hi in jo ka lum mi nor o pra qui re sta tu ver wo xi ya zen"
MODULES = (
    "router",
    "utils",
    "main",
    "proxy/proxy_server",
    "proxy/auth/user_api_key_auth",
    "caching/dual_cache",
)
PACKAGES = ("litellm", "litellm", "httpx", "httpcore/_async", "starlette", "openai", "uvicorn")
MODELS = ("gpt-4o", "claude-sonnet-4", "azure/gpt-4o-eu", "bedrock/claude-v3", "ollama/llama3", "gemini-pro")


class Writer:
    """Writes texts; two writers with one seed write the same."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    @cached_property
    def vocabulary(self) -> list[str]:
        """30,000 words, the commonest first: real ones, then made-up ones."""
        random = Random(0)
        words = dict.fromkeys(PLAIN)
        while len(words) < 30_000:
            words["".join(random.choices(SOUNDS.split(), k=random.randint(2, 4)))] = None
        return list(words)

    @cached_property
    def weights(self) -> list[float]:
        """Zipf's law: the nth word is met 1/n as often as the first."""
        return list(accumulate(1 / place for place in range(1, len(self.vocabulary) + 1)))

    def words(self, count: int) -> list[str]:
        """Words as often as they are met."""
        return self.random.choices(self.vocabulary, cum_weights=self.weights, k=count)

    def phrase(self, least: int = 4, most: int = 9) -> str:
        """Some plain words of a message."""
        return " ".join(self.random.choices(PLAIN, k=self.random.randint(least, most)))

    def message(self) -> str:
        """An error message: an opening that many share, and words that few do."""
        values = f"{self.random.choice(PLAIN)}={self.random.random() * 100:.4f}"
        return f"{self.random.choice(OPENINGS)} {self.phrase().capitalize()} `{self.name()}`. {values}"

    def name(self) -> str:
        """Something's name, as configuration spells it."""
        return "_".join(self.random.choices(PLAIN, k=3))

    def number(self) -> int:
        return self.random.randint(10, 2000)

    def clock(self) -> str:
        return "{:02}:{:02}:{:02}".format(*(self.random.randrange(limit) for limit in (24, 60, 60)))

    def access(self) -> str:
        """A line of the server's access log."""
        client = f"10.0.{self.random.randrange(256)}.{self.random.randrange(256)}:{self.number()}"
        return f'INFO:     {client} - "POST /v1/chat/completions HTTP/1.1" 200 OK'

    def router(self) -> str:
        """A line of the gateway's own log."""
        model = self.random.choice(MODELS)
        return (
            f"{self.clock()} - LiteLLM Router:INFO: router.py:{self.number()} - "
            f"litellm.acompletion(model={model}) {self.phrase()} [{self.random.getrandbits(64):016x}]"
        )

    def record(self) -> str:
        """A log record in JSON, with an answer's body as text in it now and then."""
        at = f"2026-11-24T{self.clock()}.{self.number()}"
        body = json.dumps({"detail": self.phrase(), "param": None}) if self.random.random() < 0.3 else ""
        fields = {"message": self.phrase() + body, "level": "DEBUG", "timestamp": at, "key": self.name()}
        return json.dumps(fields)

    def warning(self) -> str:
        """A handled error in passing, one that no signature knows."""
        return f"{self.clock()} - LiteLLM Proxy:ERROR: utils.py:{self.number()} - {self.message()}"

    def frame(self) -> str:
        """One frame of a traceback, with its line of source."""
        module = f"{self.random.choice(PACKAGES)}/{self.random.choice(MODULES)}"
        file = f"/usr/lib/python3.11/site-packages/{module}.py"
        call = f"    response = await self.{self.name()}(model={self.random.choice(PLAIN)}, **kwargs)"
        return f'  File "{file}", line {self.number()}, in {self.name()}\n{call}\n    {"^" * 24}'

    def traceback(self, frames: int) -> list[str]:
        """A traceback without its last line."""
        return ["Traceback (most recent call last):", *(self.frame() for _ in range(frames))]

    def log(self, size: int) -> str:
        """Log lines with a traceback now and then, `size` characters of them."""
        return "\n".join(self._lines(size))[:size]

    def _lines(self, size: int) -> Iterator[str]:
        kinds = (self.access, self.router, self.record, self.warning)
        while size > 0:
            lines = [self.random.choices(kinds, (4, 4, 2, 1))[0]() for _ in range(self.random.randint(5, 25))]
            lines += [*self.traceback(self.random.randint(3, 12)), f"openai.APIError: {self.message()}"]
            yield from lines
            size -= sum(len(line) + 1 for line in lines)

    def planted(self, size: int, error: str) -> str:
        """A log of `size` characters that ends in a traceback with `error`, and a few lines more."""
        after = "\n".join([self.access() for _ in range(3)])
        end = "\n".join(["", *self.traceback(6), f"litellm.proxy._types.ProxyException: {error}", after])
        return self.log(size - len(end)) + end
