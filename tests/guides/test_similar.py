"""What nothing recognises is shown beside what comes near it: similar, not a match, and why."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from kb.diagnosis.likeness import Known
from kb.diagnosis.signature import Signature
from kb.diagnosis.text import readable, redact
from kb.guides import matching, similar
from kb.guides.models import Guide, Message
from kb.guides.releases import table
from kb.guides.releases.row import Row
from tests.guides.test_match_page import ERROR, post

pytestmark = pytest.mark.django_db
WORDS = "Gate {n} refuses travellers whose passport has no <stamp> of the harbour office"


def test_what_comes_near_is_shown_as_similar_with_the_words_shared_and_never_as_a_match(
    library: Path, client: Client
) -> None:
    Message.objects.update(
        text="The purse of this traveller is empty: {cost} coins are left of his limit today"
    )
    Guide.objects.exclude(slug="coin").delete()
    Guide.objects.update(updated=timezone.now())
    text = "Error: the purse of this traveller is empty: no coins are left of his limit since noon"
    page = post(client, text)
    assert "Nothing we know fits" in page
    assert "Similar, not a match" in page
    assert "/errors/gate/coin/" in page
    assert "<mark>the purse of this traveller is empty</mark>" in page
    judged = matching.judge(redact(readable(text)))
    answer = matching.as_object(judged)
    assert (answer["verdict"], answer["matches"]) == ("none", [])
    (near,) = answer["similar"]
    assert (near["slug"], near["url"]) == ("coin", "/errors/gate/coin/")
    first = near["shared"][0]
    assert text[first["start"] : first["end"]] == "the purse of this traveller is empty"


def test_a_message_of_a_release_without_a_guide_is_named_as_such(
    library: Path, client: Client, settings: Settings
) -> None:
    settings.CONTENT_DIR = library
    similar.gathered.cache_clear()
    row = Row("gate/harbour.py", "enter", "raise", "GateError", 403, "", WORDS)
    (library / "gate" / table.NAME).write_text(table.written(table.made({"2.0": [row]}, ["2.0"])))
    page = post(client, "Gate 9 refuses travellers whose passport has no <stamp> of the harbour office in it")
    assert "Gate 2.0 can print this; it has no guide yet" in page
    assert 'href="https://code.example/2.0/gate/harbour.py"' in page
    assert "no &lt;stamp&gt; of the" in page
    assert "no <stamp>" not in page


def test_of_many_who_ask_at_once_one_gathers_and_the_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    edition, begun, twice, go_on = object(), Event(), Event(), Event()

    def slowly() -> list[Known]:
        (twice if begun.is_set() else begun).set()
        go_on.wait(30)
        return []

    monkeypatch.setattr(similar, "of_guides", slowly)
    monkeypatch.setattr(similar, "samples", lambda published: [])
    monkeypatch.setattr(similar, "of_releases", lambda owners, printed: [])
    signature = Signature(guide="gate/coin", id="plain", all_of=("the coin is spent",))

    def published() -> tuple[list[Signature], dict[str, list[str]]]:
        return [signature], {}

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(similar.known, edition, published)
        begun.wait(30)
        second = pool.submit(similar.known, edition, published)
        assert not twice.wait(0.3)
        go_on.set()
        assert first.result() is second.result()


def test_a_match_has_nothing_similar_beside_it(library: Path) -> None:
    assert matching.as_object(matching.judge(redact(readable(ERROR))))["similar"] == []


def test_a_process_that_serves_has_read_signatures_and_messages_before_the_first_text(
    library: Path, client: Client
) -> None:
    matching.prepare()
    with CaptureQueriesContext(connection) as asked:
        page = post(client, "words that nobody has ever said of the purse of a traveller or his limit")
    assert "Nothing we know fits" in page
    assert not [
        query for query in asked if "guides_signature" in query["sql"] or "guides_message" in query["sql"]
    ]
