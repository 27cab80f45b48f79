"""Search engines find every guide, and only what there is."""

import re
from pathlib import Path

import pytest
from django.test import Client

from kb.guides.loading import load

pytestmark = pytest.mark.django_db
HERE = "http://testserver"


def places(client: Client) -> list[str]:
    """The addresses in the map."""
    return re.findall("<loc>(.*?)</loc>", client.get("/sitemap.xml").text)


def test_the_map_has_every_page_that_leads_to_guides_and_each_of_them_is_there(
    library: Path, client: Client
) -> None:
    found = places(client)
    assert f"{HERE}/errors/gate/coin/" in found
    assert f"{HERE}/errors/" in found
    assert f"{HERE}/categories/quota-rate/" in found
    assert {client.get(place).status_code for place in found} == {200}


def test_the_map_says_when_a_guide_changed(library: Path, client: Client) -> None:
    text = client.get("/sitemap.xml").text
    assert re.search(
        r"<loc>http://testserver/errors/gate/coin/</loc><lastmod>\d{4}-\d\d-\d\d</lastmod>", text
    )


def test_a_retired_guide_leaves_the_map(library: Path, client: Client) -> None:
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    load(library)
    assert f"{HERE}/errors/gate/coin/" not in places(client)
    assert f"{HERE}/errors/gate/token/" in places(client)


def test_robots_are_told_where_the_map_is(library: Path, client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    assert f"Sitemap: {HERE}/sitemap.xml" in answer.text
