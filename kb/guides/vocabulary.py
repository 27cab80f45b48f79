"""The closed lists of words that guides are described with: categories, hops, who acts, sources."""

from collections.abc import Iterable

from django.db import models


class Category(models.TextChoices):
    """What kind of failure it is."""

    ACCOUNT_AUTH = "account_auth", "Account and auth"
    QUOTA_RATE = "quota_rate", "Quota and rate"
    MODEL_PROVIDER = "model_provider", "Model and provider"
    LOCAL_RUNTIME = "local_runtime", "Local runtime"
    DEPLOYMENT_CONFIG = "deployment_config", "Deployment and config"

    @property
    def slug(self) -> str:
        """The word that stands in URLs."""
        return self.value.replace("_", "-")


class Hop(models.TextChoices):
    """Where on its way a call breaks, in the order in which a call passes them."""

    TARGET = "target", "Target"
    NAME = "name", "Name"
    CONNECTION = "connection", "Connection"
    TLS = "tls", "TLS"
    PROXY = "proxy", "Proxy"
    KEY = "key", "Key"
    BUDGET = "budget", "Budget"
    LIMIT = "limit", "Limit"
    MODEL = "model", "Model"
    PROVIDER = "provider", "Provider"
    ANSWER = "answer", "Answer"


class Actor(models.TextChoices):
    """Who must act."""

    CALLER = "caller", "Caller"
    TEAM_ADMIN = "team_admin", "Team admin"
    PROXY_ADMIN = "proxy_admin", "Proxy admin"
    PROVIDER = "provider", "Provider"
    UPSTREAM_PROJECT = "upstream_project", "Upstream project"


class SourceKind(models.TextChoices):
    """Where a statement comes from."""

    CODE = "code", "Source code"
    DOCS = "docs", "Documentation"
    THREAD = "thread", "Thread"
    LAB = "lab", "Lab run"


def held_against(kinds: Iterable[str]) -> str:
    """How a guide was verified, by the kinds of its sources, the surest first: lab runs, source code."""
    named = set(kinds)
    words = {
        SourceKind.LAB: "lab runs",
        SourceKind.CODE: "source code",
        SourceKind.DOCS: "documentation",
        SourceKind.THREAD: "threads",
    }
    return ", ".join(word for kind, word in words.items() if kind in named)


class Speaker(models.TextChoices):
    """Whose words an error text is."""

    GATEWAY = "gateway", "The gateway"
    UPSTREAM_GATEWAY = "upstream_gateway", "Another gateway behind this one"
    PROVIDER = "provider", "The provider"
    CLIENT = "client", "The client"
    INFRASTRUCTURE = "infrastructure", "The infrastructure around it"


HELPS = {"yes": "helps", "no": "does not help", "partly": "helps in part"}
RETRY_WORDS = ("never", "now", "after", "heals")
