"""Writes the database's guides into content files, so that a load brings in the very same again."""

import json
from pathlib import Path

from kb.guides.library import LEDGER
from kb.guides.models import Guide, Tool


def export(folder: Path) -> list[Path]:
    """Writes what differs below `folder`, and says which files those are; other files stay untouched.

    A tool that has its tool.toml keeps it: tools are edited there. Retired guides keep their line in the
    ledger and have no file.
    """
    return [file for tool in Tool.objects.all() for file in export_tool(tool, folder / tool.slug)]


def export_tool(tool: Tool, folder: Path) -> list[Path]:
    """One tool's files."""
    folder.mkdir(parents=True, exist_ok=True)
    guides = Guide.objects.filter(tool=tool).only("slug", "text", "retired").order_by("slug")
    files = {folder / f"{guide.slug}.md": guide.text for guide in guides if guide.retired is None}
    if not (folder / "tool.toml").exists():
        files[folder / "tool.toml"] = tool_toml(tool)
    files[folder / LEDGER] = ledger(folder / LEDGER, list(guides))
    return [file for file, text in files.items() if write(file, text)]


def write(file: Path, text: str) -> bool:
    """Writes a file unless it says so already."""
    data = text.encode()
    if file.exists() and file.read_bytes() == data:
        return False
    file.write_bytes(data)
    return True


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
