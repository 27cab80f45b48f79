"""Names a language model that may be asked, and how. It asks nothing."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kb.probes.target import Policy


@dataclass(frozen=True, slots=True)
class Llm:
    """An OpenAI-compatible base address, which alone may be called, the key for it, and a model's name."""

    url: str
    key: str = field(repr=False)
    model: str
    policy: Policy

    def path(self, base_path: str) -> str:
        """Where questions go, below the base path that a target keeps of `url` (it drops a `/v1`)."""
        whole = urlsplit(self.url).path.rstrip("/").removesuffix("/chat/completions")
        return f"{whole.removeprefix(base_path)}/chat/completions"

    @property
    def host(self) -> str:
        """Where texts are sent, for people."""
        return urlsplit(self.url).netloc
