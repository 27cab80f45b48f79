"""Writes the generated client of prisma-client-python without Prisma's command.

`prisma_client.py SCHEMA NODE_MODULES`, run by the Python that LiteLLM is installed in. `prisma generate`
would start a Node program that wants native engines; all that the Python generator needs of it is the
schema's data model and settings, which the npm package @prisma/prisma-schema-wasm gives.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from prisma import config
from prisma._compat import model_parse
from prisma.generator.generator import BASE_PACKAGE_DIR, Generator

PLATFORM = "debian-openssl-3.0.x"
PARSE = r"""
const fs = require('fs');
const wasm = require(process.argv[1] + '/@prisma/prisma-schema-wasm/src/prisma_schema_build.js');
const prismaSchema = fs.readFileSync(process.argv[2], 'utf8');
process.stdout.write(JSON.stringify({
  dmmf: JSON.parse(wasm.get_dmmf(JSON.stringify({prismaSchema}))),
  config: JSON.parse(wasm.get_config(JSON.stringify({prismaSchema, ignoreEnvVarErrors: true}))),
}));
"""


def parsed(schema: Path, node_modules: str) -> dict[str, Any]:
    """The schema's data model and settings."""
    command = ["node", "-e", PARSE, node_modules, str(schema)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    answer["config"] = answer["config"].get("config", answer["config"])
    return answer


def generate(schema: Path, node_modules: str) -> None:
    """Writes the client into the installed package."""
    got = parsed(schema, node_modules)
    generator = got["config"]["generators"][0] | {
        "output": {"value": str(BASE_PACKAGE_DIR), "fromEnvVar": None},
        "binaryTargets": [{"value": PLATFORM, "fromEnvVar": None}],
        "isCustomOutput": False,
    }
    sources = [
        {"sourceFilePath": str(schema)}
        | source
        | {"url": {"fromEnvVar": (source.get("url") or {}).get("fromEnvVar"), "value": None}}
        for source in got["config"]["datasources"]
    ]
    client = Generator()
    data = {
        "generator": generator,
        "otherGenerators": [],
        "schemaPath": str(schema),
        "datamodel": schema.read_text(),
        "datasources": sources,
        "dmmf": got["dmmf"],
        "version": config.expected_engine_version,
        "binaryPaths": {"queryEngine": {PLATFORM: "/nonexistent/query-engine"}},
    }
    client.generate(model_parse(client.data_class, data))


if __name__ == "__main__":
    generate(Path(sys.argv[1]).resolve(), sys.argv[2])
