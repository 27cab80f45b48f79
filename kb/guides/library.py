"""All content files of all tools, read from their folder; still plain values, no database."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from kb.guides.source import ContentError, GuideSource, Problem, read

LEDGER = "slugs.txt"


@dataclass(slots=True)
class ToolSource:
    """A tool's folder: its facts, its guides, the slugs that were ever published, and what can't be read."""

    slug: str
    folder: Path
    name: str
    summary: str
    homepage: str
    source: str
    versions: list[str]
    marks: list[str]
    guides: dict[str, GuideSource] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def code_url(self, version: str, path: str) -> str:
        """Where a file of a release can be read."""
        return self.source.replace("{version}", version).replace("{path}", path)

    def capture(self, name: str) -> Path:
        """The file of a recorded exchange, such as 1.84.0/budget_key."""
        return self.folder / "captures" / f"{name}.json"

    def published_slugs(self) -> list[tuple[int, str, bool]]:
        """(line, slug, retired) of the ledger of all slugs that were ever published."""
        ledger = self.folder / LEDGER
        rows = ledger.read_text().splitlines() if ledger.exists() else []
        words = [(number, row.split()) for number, row in enumerate(rows, 1) if row.strip()]
        return [(number, row[-1], row[0] == "retired") for number, row in words]


def read_tools(content: Path) -> list[ToolSource]:
    """Every folder of `content` with a tool.toml. Raises ContentError if one of these can't be read."""
    return [read_tool(file.parent, content) for file in sorted(content.glob("*/tool.toml"))]


def read_tool(folder: Path, content: Path) -> ToolSource:
    """One tool with its guides; files that can't be read are in its `problems`."""
    shown = f"{content.name}/{folder.name}"
    try:
        facts = tomllib.loads((folder / "tool.toml").read_text())
        tool = ToolSource(slug=folder.name, folder=folder, **facts)
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ContentError([Problem(f"{shown}/tool.toml", 1, str(error))]) from error
    for file in sorted(folder.glob("*.md")):
        try:
            tool.guides[file.stem] = read(file, f"{shown}/{file.name}")
        except ContentError as error:
            tool.problems += error.problems
    return tool
