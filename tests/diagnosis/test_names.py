"""Names that circulate and exist in no release: told from real ones, from others' and from plain words."""

import pytest

from kb.diagnosis.names import nearest, unknown_names

REAL = ("BudgetExceededError", "RateLimitError", "RouterRateLimitError", "ContextWindowExceededError")
KNOWN = {name.lower() for name in (*REAL, "LoggingError")}


def unknown(text: str) -> list[str]:
    return unknown_names(text, "litellm", KNOWN, {"openai", "litellm_proxy"})


@pytest.mark.parametrize(
    "name",
    [
        "LiteLLMCostTrackingBudgetExceededError",
        "litellm.LiteLLMCostTrackingBudgetExceededError",
        "litellm.exceptions.TeamBudgetExceededError",
        "LitellmTimeoutException",
    ],
)
def test_a_name_that_no_release_has_is_unknown(name: str) -> None:
    assert unknown(f"raise {name}('x')") == [name]
    assert unknown(f"{name}: it broke. {name}: again") == [name]


@pytest.mark.parametrize(
    "text",
    [
        "litellm.exceptions.BudgetExceededError: Budget has been exceeded!",
        "litellm.ratelimiterror: in lower case",
        "LiteLLM.LoggingError: [Non-Blocking]",
        "Litellm_proxyException - made while it runs",
        "litellm.OpenAIException - as well",
        "httpx.ReadTimeout: and openai.APITimeoutError: of other software",
        "ChatLiteLLMException of another library",
        "my_litellm.CoinError of somebody's own",
        "/usr/lib/litellm.CoinError/x",
        "litellm_custom.MyGuardrailError: of somebody's own module beside it",
        "litellm_enterprise.proxy.hooks.SomethingError",
        "litellm.ValueError",
        "a litellm error, an Exception of litellm, LiteLLM Error",
        "litellm.exceptions.Exception",
        "",
    ],
)
def test_real_names_others_and_plain_words_are_not(text: str) -> None:
    assert unknown(text) == []


def test_the_real_names_with_the_same_words_come_near() -> None:
    assert nearest("LiteLLMCostTrackingBudgetExceededError", REAL)[0] == "BudgetExceededError"
    assert nearest("litellm.LLMRateLimitException", REAL) == ["RateLimitError", "RouterRateLimitError"]
    assert nearest("litellm.SomethingElseError", REAL) == []


def test_many_names_are_cut_short() -> None:
    text = " ".join(f"litellm.Made{letter}UpError" for letter in "ABCDEFGHIJ")
    assert len(unknown(text)) == 5


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("litellm.teambudgetexceedederror: <n>", ["litellm.teambudgetexceedederror"]),
        ("litellm.ratelimiterror: openaiexception - <n>", []),
        ("litellm.openaiexception: <n>", []),
        ("litellm.valueerror, litellm.error and litellm.raise_error", []),
    ],
)
def test_masked_texts_have_lost_their_capitals(text: str, names: list[str]) -> None:
    assert unknown(text) == names
