"""What must hold of the house: addresses, templates, sizes, and that what can be set is documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(settings.BASE_DIR)
TEMPLATES = ROOT / "templates"


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Every address of the site but the admin's own."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from ["admin/…"] if path == "admin/" else routes(pattern.url_patterns, path)
        else:
            yield path


def test_the_addresses_are_these() -> None:
    assert list(routes(get_resolver().url_patterns)) == [
        "sign-in/",
        "sign-in/",
        "sign-in/off/",
        "sign-in/second-factor/",
        "sign-in/passkey/",
        "sign-in/with/<slug:provider_id>/",
        "sign-in/with/<slug:provider_id>/callback/",
        "sign-out/",
        "sign-out/",
        "me/",
        "me/data.json",
        "me/erase/",
        "me/sessions/end/",
        "me/sessions/<int:pk>/end/",
        "me/tokens/",
        "me/tokens/<int:pk>/revoke/",
        "me/password/",
        "me/confirm/",
        "me/confirm/code/",
        "me/confirm/passkey/",
        "me/second-factor/",
        "me/second-factor/app/",
        "me/second-factor/app/remove/",
        "me/second-factor/codes/",
        "me/second-factor/codes/new/",
        "me/second-factor/passkeys/",
        "me/second-factor/passkeys/add/",
        "me/second-factor/passkeys/<int:pk>/remove/",
        "me/second-factor/passkeys/<int:pk>/name/",
        "admin/…",
        "check/",
        "match/suggest/",
        "check/models/",
        "check/runs/<slug:id>/",
        "check/runs/<slug:id>/delete/",
        "errors/<slug:tool>/<slug:slug>/report/",
        "report/",
        "reports/<slug:id>/",
        "reports/drafts/<slug:id>/",
        "errors/<slug:tool>/<slug:slug>/reports/",
        "review/",
        "review/<slug:id>/",
        "errors/<slug:tool>/<slug:slug>/note/",
        "notes/",
        "due/",
        "errors/<slug:tool>/<slug:slug>/edit/",
        "errors/<slug:tool>/<slug:slug>/history/",
        "errors/<slug:tool>/<slug:slug>/retire/",
        "tools/<slug:tool>/new/",
        "unmatched/",
        "drafts/",
        "drafts/<int:pk>/",
        "drafts/<int:pk>/edit/",
        "audit/",
        "",
        "errors/",
        "errors/<slug:tool>/",
        "errors/<slug:tool>/<slug:slug>/",
        "coverage/<slug:tool>/",
        "coverage/<slug:tool>/changes/",
        "categories/<slug:slug>/",
        "match/",
        "search/",
        "sitemap.xml",
        "robots.txt",
    ]


def test_every_template_compiles_and_every_fragment_is_used() -> None:
    files = [file.relative_to(TEMPLATES).as_posix() for file in TEMPLATES.rglob("*.html")]
    sources = [*TEMPLATES.rglob("*.html"), *(ROOT / "kb").rglob("*.py")]
    everything = "".join(path.read_text() for path in sources)
    for name in files:
        get_template(name)
        if Path(name).name.startswith("_"):
            page = name.replace("_", "", 1) if name.startswith("_") else name.replace("/_", "/", 1)
            assert f'"{name}"' in everything or f"'{name}'" in everything or page in files, name


def test_no_template_calls_a_reader_s_text_safe() -> None:
    allowed = re.compile(r"\{\{ ?[\w.]*(_html|snippet)[\w|:\"' .]*\|safe ?\}\}")
    for file in TEMPLATES.rglob("*.html"):
        for line in file.read_text().splitlines():
            if "|safe" in line or "autoescape off" in line:
                assert allowed.search(line), f"{file.name}: {line.strip()}"


def test_files_and_functions_stay_small() -> None:
    for file in (ROOT / "kb").rglob("*.py"):
        text = file.read_text()
        if "migrations" not in file.parts:
            assert len(text.splitlines()) <= 400, file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                assert size <= 60, f"{file}:{node.lineno} {node.name} has {size} lines"


def test_every_module_says_who_lives_in_it() -> None:
    for file in (ROOT / "kb").rglob("*.py"):
        text = file.read_text()
        if text.strip() and "migrations" not in file.parts:
            assert ast.get_docstring(ast.parse(text)), file


def test_every_setting_of_the_environment_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    code = (ROOT / "kb" / "settings.py").read_text()
    names = re.findall(r'env_\w+\("([A-Z_]+)"', code)
    assert len(names) >= 6
    for name in names:
        assert f"`{name}`" in readme, name


def test_every_command_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    for file in (ROOT / "kb").glob("*/management/commands/[a-z]*.py"):
        assert f"manage.py {file.stem}" in readme, file.stem


def test_no_requirement_names_where_it_comes_from() -> None:
    for file in (ROOT / "requirements").iterdir():
        assert "://" not in file.read_text(), file
