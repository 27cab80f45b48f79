"""Markdown as guides write it, and as strangers might."""

import pytest

from kb.diagnosis.text import KINDS
from kb.web.markdown import render


def test_a_command_within_a_list_item_keeps_its_lines() -> None:
    html = render(
        "1. Delete:\n\n   ```sh\n   HASH=x\n   curl a \\\n     -H b\n   ```\n\n2. Call again.\n\nAfter all."
    )
    assert "HASH=x\ncurl a \\\n  -H b\n</code></pre>" in html
    assert html.count("<ol>") == 1
    assert html.index("<pre>") < html.index("Call again") < html.index("</ol>")
    assert html.rstrip().endswith("<p>After all.</p>")


def test_a_command_within_a_bullet_keeps_its_lines() -> None:
    html = render("- One:\n\n  ```sh\n  a\n    b\n  ```\n\n- Two.")
    assert "a\n  b\n</code></pre>" in html
    assert html.count("<ul>") == 1


def test_a_command_of_its_own_keeps_its_indentation() -> None:
    html = render("- One.\n\nThen:\n\n```sh\ncurl x \\\n   -H y\n```\n")
    assert "curl x \\\n   -H y\n</code></pre>" in html


def test_citations_become_links_to_their_sources() -> None:
    html = render("It is so. [^code-1]", {"code-1": ("code 1.0", 'The "file"')})
    assert 'href="#source-code-1"' in html
    assert ">code 1.0</a>" in html
    assert 'title="The &quot;file&quot;"' in html


def test_a_citation_within_code_stays_as_it_is() -> None:
    assert "[^code-1]" in render("Write `[^code-1]`.")


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<iframe src=//x></iframe>",
        '<a href="javascript:alert(1)">x</a>',
        "[x](data:text/html,hi)",
        "<p onclick=x>y</p>",
        "```html\n</code></pre><script>alert(1)</script>\n```",
        "[^x]: <script>alert(1)</script>",
        "|a|\n|-|\n|<img src=x onerror=y>|",
    ],
)
def test_hostile_markdown_comes_out_harmless(hostile: str) -> None:
    html = render(hostile)
    for word in ("<script", "<iframe", 'href="javascript', 'href="data', "<p onclick", "<img"):
        assert word not in html


def test_marks_of_what_was_taken_out_are_shown_as_words() -> None:
    text = " ".join(f"<{kind}>" for kind in (*KINDS, "by_hand", "removed"))
    for written in (text, f"Use\n\n- {text}", f"Run `{text}`", f"```\n{text}\n```", f"**{text}**"):
        html = render(written)
        for kind in (*KINDS, "by_hand", "removed"):
            assert f"&lt;{kind}&gt;" in html, (kind, written)
    assert "<api_key" not in render("<api_key onclick=x> <api_key>")
