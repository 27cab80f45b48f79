"""Small content folders for tests: a tool with two guides that are right in every way."""

import json
from pathlib import Path

TOOL = """
name = "Gate"
summary = "A gateway."
homepage = "https://gate.example/"
source = "https://code.example/{version}/{path}"
versions = ["1.0", "2.0"]
marks = ["gatelib"]
"""

GUIDE = """+++
title = "{title}"
summary = "The key of {word} is spent."
category = "quota_rate"
hop = "budget"
verified = 2026-11-24
synonyms = ["{word} money"]

[[message]]
versions = ["1.0", "2.0"]
status = 400
text = 'The {word} is spent: {{cost}} of {{limit}}'
source = "code-{word}"

[[signature]]
id = "plain"
all_of = ["The {word} is spent:"]

[[sample]]
origin = "lab:1.0/{word}"
text = '''The {word} is spent: 3 of 2'''

[[sample]]
near_miss = true
origin = "https://threads.example/1"
text = '''The weather is fine'''

[[source]]
id = "code-{word}"
kind = "code"
version = "1.0"
path = "gate/{word}.py"
contains = "is spent"
title = "Where {word} is counted"
read = 2026-11-24

[[source]]
id = "lab-{word}"
kind = "lab"
capture = "1.0/{word}"
title = "A spent {word}"
read = 2026-11-24

[fix.raise-{word}]
who = "proxy_admin"
retry = "now"
causes = ["spent-{word}"]
helps = {{ "1.0" = "yes", "2.0" = "no" }}
+++

## What it means

The {word} counter passed its limit. [^code-{word}]

## Why it happens

Each call adds to the {word} counter. [^code-{word}]

## Causes

### The {word} is really spent {{#spent-{word}}}

All calls of {word} were paid for. [^lab-{word}]

#### Confirm

Ask for the {word} row: [^lab-{word}]

```bash
curl "$GATE/{word}"
```

## Quick fixes

### Raise the {word} limit {{#raise-{word}}}

#### When to choose it

The {word} spend is wanted. [^code-{word}]

#### Steps

1. Raise the limit of {word}. [^code-{word}]
2. Call the {word} again.

#### Cost

More {word} money may be spent. [^code-{word}]

#### Verify

The {word} call answers 200. [^lab-{word}]

## Platform checks

### Redis: the {word} counter {{#redis-{word}}}

The {word} key holds a number. [^lab-{word}]

## Step by step

### Read the {word} numbers {{#read-{word}}}

Compare both numbers of {word}. [^code-{word}]

## Prevention

### Alert on {word} {{#alert-{word}}}

Set a soft limit for {word}. [^code-{word}]

## FAQ

### Does a retry of {word} help? {{#retry-{word}}}

Not before the {word} limit is raised. [^code-{word}]
"""


def guide(word: str, title: str = "") -> str:
    """A guide that is right in every way; `word` makes its sentences its own."""
    return GUIDE.format(word=word, title=title or f"The {word} is spent")


def write(folder: Path, **guides: str) -> Path:
    """A content folder with the tool `gate` and the given guides, all published."""
    tool = folder / "gate"
    (tool / "captures" / "1.0").mkdir(parents=True, exist_ok=True)
    (tool / "tool.toml").write_text(TOOL)
    for slug, text in guides.items():
        (tool / f"{slug}.md").write_text(text)
        (tool / "captures" / "1.0" / f"{slug}.json").write_text(json.dumps({}))
    (tool / "slugs.txt").write_text("".join(f"{slug}\n" for slug in guides))
    return folder


def two(folder: Path) -> Path:
    """Two guides: about coins and about tokens."""
    return write(folder, coin=guide("coin"), token=guide("token"))
