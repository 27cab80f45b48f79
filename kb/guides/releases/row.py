"""One thing that a release can say to its users."""

from dataclasses import dataclass

KINDS = ("class", "type", "raise", "text", "log")
PROVIDERS = "litellm/llms/"


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """A text of a release, with {holes} for what varies, and where it stands.

    `kind`: class (an exception class with what it says by itself), type (a word of error.type), raise (an
    error that is made, whether raised or returned), text (words for an error, handed on), log (a line of the
    log or of the terminal).
    """

    path: str
    function: str
    kind: str
    raised: str  # the class, or the logger's level
    status: int
    error_type: str
    text: str
    line: int = 0

    @property
    def area(self) -> str:
        """The part of the software that says it."""
        return area_of(self.path)


def area_of(path: str) -> str:
    """Such as proxy/auth, proxy/guardrails, router, sdk, llms/openai."""
    parts = path.removeprefix("litellm/").split("/")
    if path.startswith(PROVIDERS) and len(parts) > 2:
        return f"llms/{parts[1]}"
    if parts[0] == "proxy" and len(parts) > 2:
        return PROXY.get(parts[1], "proxy/endpoints")
    if parts[0] == "proxy":
        return PROXY.get(parts[-1].removesuffix(".py"), "proxy")
    return FOLDERS.get(parts[0].removesuffix(".py").split("_")[0], FOLDERS.get(parts[0], "sdk"))


PROXY = {
    "auth": "proxy/auth",
    "management_endpoints": "proxy/management",
    "management_helpers": "proxy/management",
    "management": "proxy/management",
    "credential_endpoints": "proxy/management",
    "ui_crud_endpoints": "proxy/management",
    "list_api": "proxy/management",
    "guardrails": "guardrails",
    "policy_engine": "guardrails",
    "pass_through_endpoints": "proxy/pass-through",
    "vertex_ai_endpoints": "proxy/pass-through",
    "hooks": "proxy/limits and hooks",
    "middleware": "proxy/limits and hooks",
    "db": "proxy/database",
    "proxy_cli": "proxy/start",
    "common_utils": "proxy",
    "spend_tracking": "proxy/spend",
    "health_endpoints": "proxy/health",
    "health_check_utils": "proxy/health",
    "client": "proxy/command line",
    "_experimental": "mcp",
    "mcp_server": "mcp",
    "agent_endpoints": "agents",
    "a2a": "agents",
}
FOLDERS = {
    "router": "router",
    "caching": "caching",
    "integrations": "callbacks",
    "secret": "secrets",
    "experimental": "mcp",
    "mcp": "mcp",
    "a2a": "agents",
    "redis": "caching",
}
