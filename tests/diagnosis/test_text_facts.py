"""The facts that a text states are read in the forms in which clients print them."""

import pytest

from kb.diagnosis.text import canonical
from kb.diagnosis.text_facts import text_facts


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (
            "RateLimitError: 429 Max budget limit reached.\n\nTroubleshooting URL: https://js.langchain.com/",
            429,
        ),
        ('  ⎿  API Error: 400 {"error":{"message":"x"}}', 400),
        ("■ unexpected status 403 Forbidden: {}", 403),
        ("    at OpenAI.makeStatusError (client.mjs:161:32) {\n  status: 422,\n", 422),
    ],
)
def test_statuses_are_read_as_clients_print_them(text: str, status: int) -> None:
    assert text_facts(canonical(text).text).statuses == {status}


def test_a_type_is_read_as_node_prints_an_object() -> None:
    text = "  error: { message: 'spent', type: 'budget_exceeded' }\n"
    assert text_facts(canonical(text).text).error_type == "budget_exceeded"
