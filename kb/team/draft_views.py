"""Drafts as a second reader meets them: the list of those that wait, and one held against what is served."""

from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from kb.guides.models import Guide, Tool
from kb.team import editing
from kb.team.access import member, only
from kb.team.checking import problems_of, remarks_of
from kb.team.comparing import differences
from kb.team.edit_forms import number
from kb.team.editing import Clashing, Late, NotReady, Refused
from kb.team.models import OPEN, Draft, Stage
from kb.team.roles import ADMINISTER, WRITE

RECENT = 20


def mark(text: str) -> str:
    """A short name of a text: whether it is still the one that somebody read."""
    return sha256(text.encode()).hexdigest()[:16]


@only(WRITE)
@require_safe
def drafts(request: HttpRequest) -> HttpResponse:
    """What waits for a second reader, one's own drafts, guides edited twice, and what was published last."""
    twice = Guide.objects.published().exclude(theirs="").select_related("tool")
    every = Draft.objects.select_related("guide__tool", "tool", "by", "reader").defer("text", "base")
    context = {
        "waiting": every.filter(stage=Stage.REVIEW).exclude(by=member(request)).order_by("saved"),
        "own": every.filter(stage__in=OPEN, by=member(request)),
        "twice": twice.only("slug", "title", "tool__slug").order_by("title"),
        "published": every.filter(stage=Stage.PUBLISHED)[:RECENT],
        "tools": Tool.objects.all(),
    }
    return render(request, "team/drafts.html", context)


@only(WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """One draft; posted, published or sent back. Unfinished ones are their author's alone."""
    rows = Draft.objects.select_related("guide__tool", "tool", "by", "reader", "became")
    found = get_object_or_404(rows, pk=pk)
    own = found.by_id == member(request).pk
    if not own and found.stage not in (Stage.REVIEW, Stage.PUBLISHED):
        raise Http404
    if request.method != "POST":
        return shown(request, found)
    try:
        return decided(request, found)
    except Refused as error:
        return shown(request, found, 422, trouble=str(error))
    except (Late, Clashing, NotReady) as error:
        return shown(request, rows.get(pk=pk), 409, trouble=str(error))
    except Draft.DoesNotExist as gone:
        raise Http404 from gone


def decided(request: HttpRequest, found: Draft) -> HttpResponse:
    """Does what the second reader, or the author, pressed."""
    by, seen, deed = member(request), number(request.POST, "revision"), request.POST.get("deed")
    if deed == "send_back":
        if found.by_id == by.pk:
            raise Refused("It is your own: take it back in the editor.")
        editing.send_back(found, by, request.POST.get("remark", ""), seen)
        messages.success(request, "Sent back to its author, with your remark.")
        return redirect("drafts")
    if deed == "publish":
        served = found.guide.text if found.guide else ""
        if mark(served) != request.POST.get("served"):
            raise Refused("The guide was changed while you read: look at the differences again.")
        guide = editing.publish(found, by, seen, served)
        messages.success(request, "It is published.")
        return redirect("guide_history", guide.tool.slug, guide.slug)
    raise Refused("Choose what to do with it.")


def shown(request: HttpRequest, found: Draft, status: int = 200, **more: Any) -> HttpResponse:
    """The draft against what is served, or, once it is published, against what was served before."""
    by = member(request)
    context: dict[str, Any] = {"draft": found, "own": found.by_id == by.pk}
    if found.stage in OPEN:
        served = found.guide.text if found.guide else ""
        merged = editing.together(found, served)
        waits = found.stage == Stage.REVIEW
        problems = problems_of(found.tool, found.slug, merged.text) if waits else []
        ready = waits and not merged.clashes and not problems
        context |= {
            "sections": differences(served, merged.text),
            "clashes": merged.clashes,
            "merged": found.guide and found.base != served,
            "found": problems,
            "remarks": remarks_of(found.tool, found.slug, merged.text, found.guide),
            "served": mark(served),
            "may_publish": ready and editing.may_publish(found, by),
            "alone": found.by_id == by.pk and by.has_perm(ADMINISTER),
        }
    else:
        after = found.became.text if found.became else found.text
        context |= {"sections": differences(found.base, after)}
    context |= {"remark": editing.clean(request.POST.get("remark", "")).text}
    return render(request, "team/draft.html", context | more, status=status)
