"""What the lab is made of, installed once into a folder that the next run finds again."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import uv

HERE = Path(__file__).parent
VERSIONS = ("1.84.0", "1.108.7")
NEEDED = ("redis-server", "node", "npm")


class Missing(Exception):
    """The machine lacks something that the lab doesn't bring; its words say how to get it."""


class Failed(Exception):
    """A part of the lab did not do what it should; its words are the part's own."""


def lacking() -> None:
    """Raises Missing where the machine lacks a program that no Python package brings."""
    absent = [name for name in NEEDED if not shutil.which(name)]
    if absent:
        packages = " ".join(dict.fromkeys("nodejs" if name == "node" else name for name in absent))
        raise Missing(
            f"The lab needs {', '.join(absent)}: apt-get install --no-install-recommends {packages}"
        )


def run(command: list[str | Path], **options: object) -> str:
    """What a command printed. Raises Failed with the end of it if it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return str(done.stdout)


class Installed:
    """One version of LiteLLM and what it needs, in `folder`."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.version = version
        self.venv = folder / "venv"
        self.node_modules = folder / "node" / "node_modules"
        self.programs = folder / "bin"

    @property
    def litellm(self) -> Path:
        return self.venv / "bin" / "litellm"

    @property
    def packages(self) -> Path:
        """Where LiteLLM's Python packages lie."""
        return next(self.venv.glob("lib/python*/site-packages"))

    def ensure(self) -> bool:
        """Installs what isn't there yet as pinned; says whether it had to."""
        lacking()
        pins = HERE / "requirements" / f"lab-{self.version}.txt"
        sources = [pins, HERE / "package-lock.json", HERE / "prisma_client.py"]
        parts = [*(file.read_bytes() for file in sources), sys.version.encode(), str(self.folder).encode()]
        wanted = hashlib.sha256(b"\0".join(parts)).hexdigest()
        mark = self.folder / "installed"
        fresh = not mark.exists() or mark.read_text() != wanted
        if fresh:
            mark.unlink(missing_ok=True)
            self.install(pins)
            mark.write_text(wanted)
        self.stand_ins()
        return fresh

    def install(self, pins: Path) -> None:
        """LiteLLM from its pins, Prisma's engine from its lock file, and the client made of both."""
        node = self.node_modules.parent
        node.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, node / name)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=node)
        command = uv.find_uv_bin()
        python = self.venv / "bin" / "python"
        run([command, "venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, self.venv])
        run([command, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", pins])
        schema = self.packages / "litellm" / "proxy" / "schema.prisma"
        run([python, HERE / "prisma_client.py", schema, self.node_modules])

    def stand_ins(self) -> None:
        """What LiteLLM calls by name: Prisma's engine, and its command, which has nothing to do."""
        self.programs.mkdir(exist_ok=True)
        (self.programs / "prisma").write_text("#!/bin/sh\nexit 0\n")
        shutil.copyfile(HERE / "prisma-engine.js", self.programs / "query-engine")
        for name in ("prisma", "query-engine"):
            (self.programs / name).chmod(0o755)

    def environment(self, scratch: Path) -> dict[str, str]:
        """What a proxy finds in its environment: nothing of the caller's, and nothing that goes out."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "*",
            "DISABLE_SCHEMA_UPDATE": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOCAL_POLICY_TEMPLATES": "true",
            "LITELLM_LOCAL_BLOG_POSTS": "true",
            "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "true",
            "PRISMA_QUERY_ENGINE_BINARY": str(self.programs / "query-engine"),
            "PRISMA_BINARY_CACHE_DIR": str(scratch / "prisma"),
            "LAB_NODE_MODULES": str(self.node_modules),
            "LAB_ENGINE_LOG": str(scratch / "query-engine.log"),
        }
