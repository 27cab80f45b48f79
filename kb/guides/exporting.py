"""Writes the database's guides into content files, so that a load brings in the very same again."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from kb.guides.library import LEDGER
from kb.guides.models import Guide, Tool


@dataclass(slots=True)
class Exported:
    """What an export did: the files that it wrote, and those that it left alone."""

    written: list[Path] = field(default_factory=list)
    conflicts: list[Path] = field(default_factory=list)  # changed on disk since they were loaded
    without_text: list[Path] = field(default_factory=list)  # of guides loaded before texts were kept


def export(folder: Path) -> Exported:
    """Writes what differs below `folder`, unless it was changed there; other files stay untouched.

    A tool that has its tool.toml keeps it: tools are edited there. Retired guides keep their line in the
    ledger and have no file.
    """
    exported = Exported()
    for tool in Tool.objects.all():
        export_tool(tool, folder / tool.slug, exported)
    return exported


def export_tool(tool: Tool, folder: Path, exported: Exported) -> None:
    """One tool's files."""
    folder.mkdir(parents=True, exist_ok=True)
    guides = list(Guide.objects.filter(tool=tool).only("slug", "text", "base", "retired").order_by("slug"))
    for guide in guides:
        if guide.retired is None:
            export_guide(guide, folder / f"{guide.slug}.md", exported)
    if not (folder / "tool.toml").exists():
        write(folder / "tool.toml", tool_toml(tool), exported)
    lines = ledger(folder / LEDGER, [guide for guide in guides if guide.text or guide.retired])
    write(folder / LEDGER, lines, exported)


def export_guide(guide: Guide, file: Path, exported: Exported) -> None:
    """A guide's file, unless it holds words that were never loaded: those are nobody's to overwrite."""
    if not guide.text:
        exported.without_text.append(file)
    elif file.exists() and file.read_bytes() not in (guide.base.encode(), guide.text.encode()):
        exported.conflicts.append(file)
    else:
        write(file, guide.text, exported)


def write(file: Path, text: str, exported: Exported) -> None:
    """Writes a file unless it says so already."""
    data = text.encode()
    if not file.exists() or file.read_bytes() != data:
        file.write_bytes(data)
        exported.written.append(file)


def ledger(file: Path, guides: list[Guide]) -> str:
    """The ledger of slugs with those added that it lacks; what stands in it stays as it is."""
    text = file.read_text() if file.exists() else ""
    listed = {line.split()[-1] for line in text.splitlines() if line.strip()}
    fresh = [
        f"{'retired ' if guide.retired else ''}{guide.slug}\n" for guide in guides if guide.slug not in listed
    ]
    return text + "".join(fresh)


def tool_toml(tool: Tool) -> str:
    """The facts of a tool; JSON writes texts and lists as TOML reads them."""
    facts = {
        "name": tool.name,
        "summary": tool.summary,
        "homepage": tool.homepage,
        "source": tool.source,
        "versions": list(tool.releases.order_by("position").values_list("version", flat=True)),
        "marks": tool.marks,
    }
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in facts.items())
