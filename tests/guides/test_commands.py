"""The commands that judge texts: a readable answer, the match object, and the score on labelled texts."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from kb.diagnosis.text import readable, redact
from kb.guides.matching import as_object, judge
from kb.guides.models import Guide, Signature

pytestmark = pytest.mark.django_db
ERROR = "gatelib: The coin is spent: 3 of 2"


def run(*args: str, text: str = "", monkeypatch: pytest.MonkeyPatch) -> str:
    """A command's output, with `text` on standard input."""
    stdin = io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogateescape")))
    monkeypatch.setattr("sys.stdin", stdin)
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_match_answers_readably(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = run("match", text=ERROR, monkeypatch=monkeypatch)
    assert "The coin is spent\n  /errors/gate/coin/" in answer
    assert "confidence:" in answer
    assert "Nothing we know fits" in run("match", text="all is well", monkeypatch=monkeypatch)


def test_match_names_the_guide_that_fits_on_a_condition(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Signature.objects.filter(guide__slug="coin").update(in_tool=True)
    Guide.objects.update(updated=timezone.now())
    answer = run("match", text="The coin is spent: 3 of 2", monkeypatch=monkeypatch)
    assert "If this comes from gate: The coin is spent\n  /errors/gate/coin/" in answer
    assert "Nothing we know fits" not in answer


def test_match_gives_the_object_that_the_page_shows(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = json.loads(run("match", "--json", text=ERROR, monkeypatch=monkeypatch))
    assert answer == as_object(judge(redact(readable(ERROR))))
    assert answer == client.post("/match/", {"text": ERROR}).context["answer"]
    assert answer["verdict"] == "match"
    best = answer["matches"][0]
    assert {"tool": "gate", "slug": "coin", "category": "quota_rate", "hop": "budget"}.items() <= best.items()
    assert best["url"] == "/errors/gate/coin/"
    mark = best["matched"][0]
    assert ERROR[mark["start"] : mark["end"]] == mark["literal"] == "The coin is spent:"
    assert set(answer) == {
        "ruleset",
        "fingerprint",
        "verdict",
        "redacted",
        "matches",
        "unsaid",
        "similar",
        "unknown_names",
    }


def test_match_reads_a_file_of_any_bytes(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "error.log"
    file.write_bytes(b"\xff\xfe\x00" + ERROR.encode())
    answer = json.loads(run("match", "--json", str(file), monkeypatch=monkeypatch))
    assert answer["matches"][0]["slug"] == "coin"
    with pytest.raises(CommandError, match="No such file"):
        run("match", str(tmp_path / "gone"), monkeypatch=monkeypatch)


def test_match_takes_a_text_a_line(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": "a", "text": ERROR}, {"id": 2, "text": "all is well"}]
    answer = run("match", "--jsonl", text="\n".join(map(json.dumps, rows)), monkeypatch=monkeypatch)
    found = [json.loads(line) for line in answer.splitlines()]
    assert [(row["id"], row["verdict"]) for row in found] == [("a", "match"), (2, "none")]


@pytest.mark.parametrize("line", ["nonsense", "{}", '{"id": 1}', "[1]"])
def test_a_line_that_makes_no_sense_is_named(
    library: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({"id": 1, "text": "x"}) + "\n" + line
    with pytest.raises(CommandError, match="Line 2 is not"):
        run("match", "--jsonl", text=text, monkeypatch=monkeypatch)


def test_evaluate_counts_what_is_found_missed_and_wrong(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cases.jsonl"
    rows = [
        {"id": "right", "label": "coin", "text": ERROR},
        {"id": "lost", "label": "token", "text": "out of tokens"},
        {"id": "wrong", "label": "none", "text": ERROR},
        {"id": "fine", "label": "other", "text": "all is well"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    answer = run("evaluate", str(file), monkeypatch=monkeypatch)
    assert "missed lost: token, found nothing" in answer
    assert "false match wrong: none, found coin" in answer
    assert "With a guide: top-1 50.0 %, top-3 50.0 %, 2 texts." in answer
    assert "Without a guide: 1 of 2 texts matched; of these 1 are labelled none." in answer


@pytest.mark.parametrize("line", ["nonsense", '{"id": 1, "text": "x"}', "[1]"])
def test_evaluate_names_the_line_that_has_no_label(
    library: Path, tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps({"id": 1, "label": "coin", "text": ERROR}) + "\n\n" + line)
    with pytest.raises(CommandError, match=r'Line 3 is not {"id": …, "text": …, "label": …}'):
        run("evaluate", str(file), monkeypatch=monkeypatch)


def test_commands_say_when_nothing_is_loaded(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in (["match"], ["evaluate", str(tmp_path / "x")]):
        with pytest.raises(CommandError, match=r"run manage\.py load_content first"):
            run(*line, text=ERROR, monkeypatch=monkeypatch)
    with connection.execute_wrapper(away), pytest.raises(CommandError, match=r"Run manage\.py migrate"):
        run("match", text=ERROR, monkeypatch=monkeypatch)
    with connection.execute_wrapper(away), pytest.raises(CommandError, match=r"Run manage\.py migrate"):
        run("load_content", monkeypatch=monkeypatch)


def away(*args: object) -> None:
    """Any query before the first migration."""
    raise OperationalError("no such table: guides_guide")
