"""`make live`: provokes every failure on a real LiteLLM and has the checker judge each while it holds.

Twice per failure: with the caller's key alone, then with the proxy's admin key too. Each answer is right,
undecided or wrong (verdict.py, expected.json). Ends with 1 if one is wrong, or undecided with the admin
key. What was answered is kept in var/lab/<version>/answers/.
"""

import argparse
import io
import json
import os
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.core.management import CommandError, call_command
from django.db import connection

from tests.live.lab.caller import Caller, NotProvoked, Seen
from tests.live.lab.config import MASTER_KEY
from tests.live.lab.install import VERSIONS, Failed, Installed, Missing
from tests.live.lab.running import Lab, catch_signals
from tests.live.lab.scenarios import ALONE, SCENARIOS, SLOW
from tests.live.verdict import Judgement, judge

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "var" / "lab"
AT_ONCE = 6  # scenarios that are provoked side by side
PATIENCE = 240  # seconds for one check, on a busy machine
MARKS = {"right": "right", "undecided": "UNDECIDED", "wrong": "WRONG"}


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Outcome:
    """What became of one scenario: a judgement for the key alone, and one with the admin key."""

    name: str
    seconds: float = 0.0
    judgements: dict[str, Judgement] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        words = {who: judgement.word for who, judgement in self.judgements.items()}
        return "wrong" in words.values() or words.get("admin") != "right"


class Trial:
    """The checker, put before the lab's failures."""

    def __init__(self, lab: Lab, expected: dict[str, dict[str, Any]], answers: Path) -> None:
        self.lab = lab
        self.expected = expected
        self.answers = answers

    def run(self, name: str) -> Outcome:
        """Provokes one failure, and checks while it holds."""
        start = time.monotonic()
        outcome = Outcome(name)
        try:
            with closing(SCENARIOS[name](Caller(self.lab))) as scenario:  # type: ignore[type-var]
                seen = next(scenario)
                for who in ("key", "admin"):
                    outcome.judgements[who] = self.check(name, who, seen)
                next(scenario, None)
        except (NotProvoked, Failed) as error:
            outcome.judgements = dict.fromkeys(("key", "admin"), Judgement("wrong", f"not provoked: {error}"))
        except Exception as error:  # the other scenarios go on
            why = f"the lab broke: {type(error).__name__}: {error}"
            outcome.judgements = dict.fromkeys(("key", "admin"), Judgement("wrong", why))
        finally:
            connection.close()
        outcome.seconds = time.monotonic() - start
        show(outcome)
        return outcome

    def check(self, name: str, who: str, seen: Seen) -> Judgement:
        """Runs the command as somebody would who saw this, and judges what it prints."""
        error = self.answers / f"{name}.seen"
        error.write_text(seen.body)
        variables = {f"LIVE_KEY_{name}": seen.key} | (
            {f"LIVE_ADMIN_{name}": MASTER_KEY} if who == "admin" else {}
        )
        arguments = [seen.base, "--json", "--model", seen.model or "lab-model"]
        arguments += ["--key-env", f"LIVE_KEY_{name}"] if seen.key else []
        arguments += ["--admin-key-env", f"LIVE_ADMIN_{name}"] if who == "admin" else []
        arguments += ["--end-user", seen.end_user] if seen.end_user else []
        arguments += ["--tags", ",".join(seen.tags)] if seen.tags else []
        arguments += ["--error-file", str(error)] if seen.status != 200 else []
        os.environ.update(variables)
        try:
            exit_status, printed = in_time(arguments)
        finally:
            for variable in variables:
                os.environ.pop(variable)
        (self.answers / f"{name}.{who}.json").write_text(printed)
        if any(secret and secret in printed for secret in (seen.key, MASTER_KEY)):
            return Judgement("wrong", "a key is printed")
        try:
            answer = json.loads(printed)
        except ValueError:
            return Judgement("wrong", f"exit status {exit_status}: {printed.strip()[-500:]}")
        return judge(self.expected[name], answer, exit_status)


def in_time(arguments: Sequence[str]) -> tuple[int, str]:
    """Exit status and output of `manage.py check_proxy`, run in this process: it costs no start."""
    result = (-1, f"no answer within {PATIENCE} s")

    def work() -> None:
        nonlocal result
        result = checked(arguments)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(PATIENCE)
    return result


def checked(arguments: Sequence[str]) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command("check_proxy", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except CommandError as error:
        return 2, str(error)
    except Exception as error:
        return 1, f"check_proxy raised {type(error).__name__}: {error}"
    finally:
        connection.close()
    return status, out.getvalue() or err.getvalue()


def show(outcome: Outcome) -> None:
    """One line, and one more for each answer that isn't right."""
    words = "".join(f"{MARKS[judgement.word]:11}" for judgement in outcome.judgements.values())
    rows = [f"{outcome.name:42} {words} {outcome.seconds:5.1f} s"]
    for who, judgement in outcome.judgements.items():
        if judgement.why:
            rows.append(f"    {'with the admin key' if who == 'admin' else 'key alone'}: {judgement.why}")
    say("\n".join(rows))


def prepare_checker(scratch: Path) -> None:
    """Culprit itself, with a database of its own and the guides in it."""
    for name in [name for name in os.environ if name.startswith("CULPRIT_")]:
        del os.environ[name]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "kb.settings",
        "DATABASE_URL": f"sqlite:///{scratch / 'culprit.sqlite3'}",
    }
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("load_content", stdout=io.StringIO())


def chosen(expected: dict[str, dict[str, Any]], version: str, only: str) -> list[str]:
    """The scenarios that this version knows and that ONLY's words pick; the slow ones come first."""
    names = [name for name in SCENARIOS if version in expected[name].get("versions", VERSIONS)]
    words = [word for word in only.replace(",", " ").split() if word]
    if words:
        names = [name for name in names if any(word in name for word in words)]
    return sorted(names, key=lambda name: name not in SLOW)


def everything(
    lab: Lab, names: Sequence[str], expected: dict[str, dict[str, Any]], answers: Path
) -> list[Outcome]:
    """Every scenario: most side by side, then one by one those that change the lab."""
    trial = Trial(lab, expected, answers)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        outcomes = list(pool.map(trial.run, [name for name in names if name not in ALONE]))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # (on ctrl-C the lab's end ends what still runs)
    return outcomes + [trial.run(name) for name in names if name in ALONE]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make live", description=__doc__)
    parser.add_argument("--version", choices=VERSIONS, default=VERSIONS[0])
    parser.add_argument("--only", default="", help="words: only scenarios whose names hold one")
    options = parser.parse_args()
    expected = json.loads((Path(__file__).parent / "expected.json").read_text())
    expected.pop("_")
    names = chosen(expected, options.version, options.only)
    if not names:
        say(f"No scenario of {options.version} is named {options.only}.")
        return 2
    catch_signals()
    begun = time.monotonic()
    installed = Installed(CACHE / options.version, options.version)
    answers = installed.folder / "answers"
    shutil.rmtree(answers, ignore_errors=True)
    answers.mkdir(parents=True)
    try:
        fresh = installed.ensure()
        ready = time.monotonic()
        with Lab(installed) as lab:
            prepare_checker(lab.scratch)
            started = time.monotonic()
            say(f"LiteLLM {options.version} at {lab.proxy}\n")
            say(f"{'':42} {'key alone':11}{'admin key':11}")
            outcomes = everything(lab, names, expected, answers)
    except Missing as missing:
        needed = os.environ.get("CI") == "true"
        say(str(missing) if needed else f"Skipped. {missing}")
        return 1 if needed else 0
    except Failed as failed:
        say(str(failed))
        return 1
    except KeyboardInterrupt:
        return 130
    say()
    for who, label in (("key", "key alone"), ("admin", "admin key")):
        words = Counter(outcome.judgements[who].word for outcome in outcomes)
        say(f"{label}: " + ", ".join(f"{words[word]} {word}" for word in MARKS))
    ended = time.monotonic()
    say(
        f"{'installed' if fresh else 'found installed'} in {ready - begun:.0f} s, "
        f"started in {started - ready:.0f} s, ran in {ended - started:.0f} s"
    )
    bad = [outcome for outcome in outcomes if outcome.failed]
    say(f"{len(outcomes) - len(bad)} passed, {len(bad)} failed")
    if bad:
        tell(bad, lab, answers)
    return 1 if bad else 0


def tell(bad: Sequence[Outcome], lab: Lab, answers: Path) -> None:
    """What failed once more, below all that went well, and where more of it stands."""
    say(f"\nThe end of the proxy's log:\n{lab.last_words('proxy')}\n")
    for outcome in bad:
        show(outcome)
    say(f"\nAnswers: {answers.relative_to(ROOT)}/ Logs: {lab.scratch.relative_to(ROOT)}/*.log")
    say(f"Again: make live VERSION={lab.installed.version} ONLY={bad[0].name}")


if __name__ == "__main__":
    sys.exit(main())
