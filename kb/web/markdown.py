"""Turns Markdown into HTML that is safe to send, when content is saved, never when it is read."""

import re
import threading
import xml.etree.ElementTree as etree
from collections.abc import Mapping
from html import unescape
from importlib.metadata import version

import markdown
import nh3
from django.utils.html import strip_tags
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.util import AtomicString

from kb.web.templatetags.words import REMOVED

CITATION = re.compile(r"\[\^([a-z0-9][a-z0-9.-]*)\]")
CHIP = re.compile(r'<a [^>]*class="chip"[^>]*>.*?</a>')
MARK = f"<(?:{'|'.join((*REMOVED, 'removed'))})>"
LIST_MARK = re.compile(r"(?:[-*+]|\d+[.)]) +(?=\S)")
CONFIGS = {"pymdownx.highlight": {"use_pygments": False}}
TAGS = {
    "p", "ul", "ol", "li", "strong", "em", "code", "pre", "a", "table", "thead", "tbody", "tr", "th",
    "td", "blockquote", "br", "h4", "h5", "hr", "del", "sup", "sub", "kbd", "dl", "dt", "dd",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title", "class"}, "code": {"class"}, "ol": {"start"}, "th": {"scope"}}

# Part of a guide's digest: a new number renders and indexes all guides anew on the next load.
RENDERER = f"7 markdown-{version('markdown')} nh3-{version('nh3')}"


class Citation(InlineProcessor):
    """[^id] becomes a link to the source of that id, worded by `chips`: id -> (words, title)."""

    def __init__(self, md: markdown.Markdown, chips: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(CITATION.pattern, md)
        self.chips = chips

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[etree.Element, int, int]:
        key = m.group(1)
        words, title = self.chips.get(key, (key, key))
        chip = etree.Element("a", {"class": "chip", "href": f"#source-{key}", "title": title})
        chip.text = words
        return chip, m.start(0), m.end(0)


class Mark(InlineProcessor):
    """<api_key> and its like, which stand where a secret was taken out, are words and no HTML."""

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[etree.Element, int, int]:
        code = etree.Element("code")
        code.text = AtomicString(m.group(0))
        return code, m.start(0), m.end(0)


class Citations(Extension):
    """Adds Citation and Mark to Python-Markdown; `chips` may be others for each text."""

    def __init__(self) -> None:
        super().__init__()
        self.chips: dict[str, tuple[str, str]] = {}

    def extendMarkdown(self, md: markdown.Markdown) -> None:
        md.inlinePatterns.register(Citation(md, self.chips), "citation", 175)
        md.inlinePatterns.register(Mark(MARK, md), "mark", 170)


class Renderer(threading.local):
    """Python-Markdown with all that it is told: to make one takes longer than most texts do."""

    def __init__(self) -> None:
        self.citations = Citations()
        extensions: list[str | Extension] = ["pymdownx.superfences", "tables", "sane_lists", self.citations]
        self.md = markdown.Markdown(extensions=extensions, extension_configs=CONFIGS, output_format="html")

    def html(self, text: str, chips: Mapping[str, tuple[str, str]]) -> str:
        """HTML of a text, not sanitised yet."""
        self.citations.chips.clear()
        self.citations.chips.update(chips)
        return self.md.reset().convert(text)


renderer = Renderer()


def nested(text: str) -> str:
    """The same Markdown with what belongs to a list item indented by four, as Python-Markdown wants it.

    Writers indent it by the width of the item's mark, as everybody else's Markdown does.
    """
    lines, width, fenced = [], 0, False
    for line in text.split("\n"):
        mark = None if fenced else LIST_MARK.match(line)
        if mark:
            width = len(mark[0])
        elif line.strip() and not line.startswith(" " * max(width, 1)) and not fenced:
            width = 0
        inside = bool(width) and not mark and line.startswith(" " * width)
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        lines.append(" " * (4 - width) + line if inside and width < 4 else line)
    return "\n".join(lines)


def render(text: str, chips: Mapping[str, tuple[str, str]] | None = None) -> str:
    """HTML of a Markdown text: sanitised, so hostile HTML in it is harmless.

    `chips` words the citations in it. Costs milliseconds: for saving, never for a GET.
    """
    return nh3.clean(
        renderer.html(nested(text), chips or {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener nofollow",
    )


def plain_text(html: str) -> str:
    """The words of rendered Markdown, without tags and citations."""
    return unescape(strip_tags(CHIP.sub("", html)))
