"""What must hold of the room as a whole: who opens connections, and whom it knows."""

import ast
from pathlib import Path

ROOM = Path(__file__).parents[2] / "kb" / "probes"
NETWORK = {"socket", "ssl", "aiohttp", "http", "urllib.request", "requests", "httpx", "asyncio"}


def imports(file: Path) -> set[str]:
    """The modules that a file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_one_file_opens_connections() -> None:
    allowed = {"dial.py": NETWORK, "trouble.py": {"ssl", "aiohttp"}, "run.py": {"asyncio"}}
    allowed["loop.py"] = {"asyncio", "socket"}
    for file in ROOM.glob("*.py"):
        assert imports(file) & NETWORK <= allowed.get(file.name, set()), file.name
    opening = [file.name for file in ROOM.glob("*.py") if "open_connection" in file.read_text()]
    assert opening == ["dial.py"]


def test_the_room_knows_the_judge_s_words_alone() -> None:
    for file in ROOM.glob("*.py"):
        foreign = {
            name for name in imports(file) if name.startswith("kb.") and not name.startswith("kb.probes")
        }
        assert foreign <= {"kb.diagnosis.finding", "kb.diagnosis.marks", "kb.diagnosis.text"}, file.name
        assert not any(name.partition(".")[0] == "django" for name in imports(file))
