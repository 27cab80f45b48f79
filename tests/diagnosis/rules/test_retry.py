"""A fix says in the guides' words whether the call is worth sending again, so that both read the same."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.diagnosis import rules
from kb.diagnosis.diagnose import diagnose
from kb.guides.vocabulary import RETRY_WORDS
from kb.web.templatetags.words import retry
from tests.diagnosis.captures import CASES, asked, capture, replies

FILES = sorted(Path(rules.__path__[0]).glob("*.py"))


def written(file: Path) -> Iterator[tuple[int, str]]:
    """(line, beginning) of each `retry` that a fix in this file is given as text."""
    for call in ast.walk(ast.parse(file.read_text())):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "Fix":
            continue
        given = {word.arg: word.value for word in call.keywords}
        value = given.get("retry", ast.Constant("nothing"))
        value = value.values[0] if isinstance(value, ast.JoinedStr) else value
        if isinstance(value, ast.Constant):
            yield call.lineno, str(value.value)


def test_every_fix_that_a_rule_writes_down_says_whether_to_retry() -> None:
    found = [(file.name, line, text) for file in FILES for line, text in written(file)]
    assert len(found) > 40
    assert [one for one in found if one[2].split()[0] not in RETRY_WORDS] == []


@pytest.mark.parametrize(("version", "name"), CASES)
def test_every_fix_of_a_captured_failure_says_whether_to_retry(version: str, name: str) -> None:
    for admin in (True, False):
        heard, given = replies(version, name, admin=admin), asked(capture(version, name), admin=admin)
        for fix in diagnose(heard, given).fixes:
            assert fix.retry.split()[0] in RETRY_WORDS, fix
            assert retry(fix.retry).split()[0] in {"Yes,", "No:", "It"}, fix
