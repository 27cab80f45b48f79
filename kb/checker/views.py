"""The checker's pages: the form, the run as it goes, and its result."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kb.checker import offline
from kb.checker.forms import CheckForm, cleaned_of_secrets
from kb.checker.models import CheckRun
from kb.checker.running import TOOL, Busy, Order, checked, keep, together
from kb.diagnosis.finding import Asked, Reply
from kb.guides.contents import chain
from kb.guides.models import Guide
from kb.guides.vocabulary import Hop
from kb.probes.address import Unusable, parts
from kb.probes.credential import Credential
from kb.probes.plan import plan
from kb.web.pages import page, wants_json
from kb.web.templatetags.checks import probe_row
from kb.web.throttle import may_come_back, throttle

PER_PERSON = 10  # checks a minute
PER_TARGET = 20
STREAM = "application/x-ndjson"
BUSY = "So many checks run here now that this one can't even wait. Send it again in a minute."


@never_cache
@sensitive_post_parameters("key", "admin_key")
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponseBase:
    """The form; posted, the check itself: streamed to a script, or whole to a browser without one."""
    if request.method != "POST":
        return form_page(request, CheckForm(initial=prefill(request)))
    refused = throttle(request, "check", per_minute=PER_PERSON)
    if refused and not may_come_back(request, "check", PER_PERSON):
        return refused
    form = CheckForm(request.POST)
    if refused:
        return too_many(request, form, refused)
    order = ordered(form)
    if order is None:
        return form_page(request, form, status=422)
    refused = asked_too_often(request, order)
    if refused:
        return too_many(request, form, refused)
    try:
        replies: Iterable[tuple[Reply, ...]] = checked(order) if order.asked.target else ()
    except Busy:
        form.add_error(None, BUSY)
        return later(form_page(request, form, status=503))
    if request.headers.get("Accept") == STREAM:
        return StreamingHttpResponse(
            progress(order, replies), content_type=STREAM, headers={"X-Accel-Buffering": "no"}
        )
    return redirect(keep(order, together(replies)))


def asked_too_often(request: HttpRequest, order: Order) -> HttpResponse | None:
    """The 429 page once a proxy was asked too often in this minute, by whomever and however it is written."""
    try:
        at = parts(order.asked.target)
    except Unusable:
        return None
    return throttle(request, f"target:{at.scheme}:{at.host}:{at.port}", per_minute=PER_TARGET, everyone=True)


def too_many(request: HttpRequest, form: CheckForm, refused: HttpResponse) -> HttpResponse:
    """429, with the form as it was filled in, but for its keys; nothing was called."""
    wait = refused["Retry-After"]
    form.add_error(None, f"Too many checks in this minute: send it again in {wait} seconds.")
    response = form_page(request, form, status=429)
    response["Retry-After"] = wait
    return response


def later(response: HttpResponse) -> HttpResponse:
    """The same, with word of when it is worth another try."""
    response["Retry-After"] = "60"
    return response


def prefill(request: HttpRequest) -> dict[str, Any]:
    """What a link to the form may bring along: never a key."""
    names = ("address", "model", "end_user", "tags", "previous")
    brought = {name: request.GET[name] for name in names if name in request.GET}
    return cleaned_of_secrets(brought) | {"paid": True}


def form_page(request: HttpRequest, form: CheckForm, status: int = 200) -> HttpResponse:
    """The form with the plan of what it will call, and the commands of the offline way."""
    everything = Asked(model="MODEL", end_user="END_USER", tags=("TAG",))
    steps = plan(everything, has_key=True, has_admin=True, paid=True)
    context = {"form": form, "steps": steps, "script": offline.script(form["model"].value() or "")}
    return page(request, "checker/check.html", context, status=status)


@sensitive_variables()
def ordered(form: CheckForm) -> Order | None:
    """The check that the form asks for, or None if it makes no sense (then the form says why)."""
    if not form.is_valid():
        return None
    given = form.cleaned_data
    try:
        answers = offline.read(given["answers"]) if (given["answers"] or "").strip() else ()
        key, admin = credential(given["key"]), credential(given["admin_key"])
    except ValueError as error:
        form.add_error("answers" if given["answers"] else "key", str(error))
        return None
    return Order(
        asked=form.asked,
        key=key,
        admin=admin,
        paid=given["paid"] and key is not None,
        pause=int(given["second_look"]) if given["paid"] else 0,
        answers=answers,
        previous=given["previous"],
    )


def credential(value: str) -> Credential | None:
    """A key in its wrapping."""
    return Credential(value.strip()) if value.strip() else None


def progress(order: Order, replies: Iterable[tuple[Reply, ...]]) -> Iterator[str]:
    """A line of JSON for each reply as it comes, then one with the address of the result.

    When the reader goes away, the generator is closed, and with it the check.
    """
    told: list[Reply] = []
    for group in replies:
        told += group
        yield "".join(map(line, group))
    yield json.dumps({"location": keep(order, tuple(told)).get_absolute_url()}) + "\n"


def line(reply: Reply) -> str:
    """One reply for the script that shows it."""
    return json.dumps({"probe": reply.probe, "outcome": reply.outcome, "html": probe_row(reply)}) + "\n"


@never_cache
@sensitive_post_parameters("key", "admin_key")
@require_POST
def models(request: HttpRequest) -> HttpResponse:
    """The models that the key may see, for the form's list."""
    refused = throttle(request, "check", per_minute=PER_PERSON)
    if refused:
        return refused
    form = CheckForm({**request.POST.dict(), "paid": ""})
    order = ordered(form)
    names: list[str] = []
    if order is not None and order.asked.target:
        refused = asked_too_often(request, order)
        if refused:
            return refused
        try:
            replies = together(checked(order))
        except Busy:
            return later(JsonResponse({"models": []}, status=503))
        names = model_names(next((reply for reply in replies if reply.probe == "models"), None))
    return JsonResponse({"models": names})


def model_names(reply: Reply | None) -> list[str]:
    """The ids in an answer of /v1/models."""
    rows = reply.body.get("data") if reply and isinstance(reply.body, dict) else None
    rows = rows if isinstance(rows, list) else []
    return sorted({str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row})[:500]


@require_safe
def check_run(request: HttpRequest, id: str) -> HttpResponse:
    """The result of a run; the same as JSON where that is asked for, by header or `?format=json`."""
    run = get_object_or_404(CheckRun.objects.select_related("previous"), pk=id, expires__gt=timezone.now())
    if run.previous and run.previous.expires <= timezone.now():
        run.previous = None  # forgotten too, though nobody has cleared it away yet
    if request.GET.get("format") == "json" or wants_json(request):
        response: HttpResponse = JsonResponse(run.diagnosis | {"second_look": run.second})
    else:
        response = page(request, "checker/run.html", result(run))
    patch_vary_headers(response, ["Accept"])
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "private, no-store"
    return response


def result(run: CheckRun) -> dict[str, Any]:
    """What the result page shows."""
    diagnosis = run.diagnosis
    verdict = diagnosis["verdict"]
    slugs = {verdict["slug"], *(finding["slug"] for finding in diagnosis["findings"])}
    known = Guide.objects.published().cards().filter(tool__slug=TOOL, slug__in=slugs)
    guides = {guide.slug: guide for guide in known}
    broken = verdict["hop"] if verdict["status"] in ("fault", "not_reached") and verdict["hop"] else None
    return {
        "run": run,
        "diagnosis": diagnosis,
        "guide": guides.get(verdict["slug"]),
        "guides": guides,
        "chain": chain(Hop(broken)) if broken else None,
        "ruled_out": [row for row in diagnosis["findings"] if row["state"] == "refuted"],
        "open": [row for row in diagnosis["findings"] if row["state"] == "undecided"],
        "changes": changes(run),
    }


def changes(run: CheckRun) -> list[tuple[str, Any, Any]]:
    """(what, before, now) for all that differs from the run before this one."""
    if run.previous is None:
        return []
    before, now = figures(run.previous.diagnosis), figures(run.diagnosis)
    names = dict.fromkeys([*before, *now])
    return [(name, before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)]


def figures(diagnosis: dict[str, Any]) -> dict[str, Any]:
    """The numbers and words of a diagnosis that a reader compares, by name."""
    found: dict[str, Any] = {
        "verdict": diagnosis["verdict"]["status"],
        "cause": diagnosis["verdict"]["cause"],
    }
    found["version"] = diagnosis["proxy"]["version"]
    for row in diagnosis["budgets"]:
        for name in ("spend", "enforced_spend", "max_budget"):
            found[f"{row['scope']} {row['id']} {name}"] = row[name]
    return found


@require_POST
def delete_run(request: HttpRequest, id: str) -> HttpResponse:
    """Forgets a run now: whoever has its address may do so."""
    get_object_or_404(CheckRun, pk=id).delete()
    return redirect("check")
