"""Sends a page, or the fragment of it that htmx asked for."""

from pathlib import PurePosixPath
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """`guides/match.html`, or `guides/_match.html` beside it for htmx; it varies by HX-Request."""
    asked = request.headers.get("HX-Request") == "true"
    whole = not asked or request.headers.get("HX-Boosted") == "true"
    path = PurePosixPath(template)
    name = template if whole else str(path.with_name(f"_{path.name}"))
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
