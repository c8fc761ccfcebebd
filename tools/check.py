"""The one command that checks everything: `tools/test`, or `.venv/bin/python tools/check.py`.

It decides nothing itself: each step is a command of its own, printed before it runs, so that a failure can be repeated
by copying one line. No step may depend on another, and all of them run even when one fails. It reads and reports;
only `--fix` writes. pytest comes last, after the summary of the other steps, so that its closing line closes the run.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
BIN: Final = Path(sys.executable).parent


class Step(NamedTuple):
    """One check: its name, the command that checks, and the command that repairs where there is one."""

    name: str
    command: tuple[str, ...]
    repair: tuple[str, ...] | None = None


class Outcome(NamedTuple):
    """What became of a step."""

    step: Step
    code: int
    seconds: float


def program(name: str) -> str:
    """A program of this environment, named from the root where it lies below it, so that its line can be copied."""
    path = BIN / name
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def all_steps(pytest_arguments: list[str]) -> list[Step]:
    """Every step in the order in which it runs; pytest stays last."""
    ruff = program("ruff")
    return [
        Step("tidy", (program("python"), "-m", "tools.tidy")),
        Step("lint", (ruff, "check"), (ruff, "check", "--fix")),
        Step("format", (ruff, "format", "--check"), (ruff, "format")),
        Step("types", (program("mypy"),)),
        Step("walls", (program("lint-imports"), "--no-logo")),
        Step("tests", (program("python"), "-m", "pytest", *pytest_arguments)),
    ]


STEP_NAMES: Final = tuple(step.name for step in all_steps([]))


def run(step: Step, *, fix: bool) -> Outcome:
    """Print a step's command line and run it from the root of the repository."""
    command = step.repair if fix and step.repair else step.command
    print(f"\n== {step.name}: {shlex.join(command)}", flush=True)
    started = time.monotonic()
    try:
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
    except OSError as error:
        print(f"{error}; tools/test installs what is missing", flush=True)
        code = 127
    return Outcome(step, code, time.monotonic() - started)


def summary(outcomes: list[Outcome]) -> str:
    """One line per finished step."""
    lines = [
        f"  {'ok    ' if not each.code else 'FAILED'} {each.step.name:<8}{each.seconds:6.1f} s" for each in outcomes
    ]
    return "\n".join(["\n== so far", *lines])


def arguments_of(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own options, and what follows `--`, which belongs to pytest."""
    ours, theirs = (words, []) if "--" not in words else (words[: words.index("--")], words[words.index("--") + 1 :])
    parser = argparse.ArgumentParser(
        prog="tools/test",
        description="Run every check of the house.",
        epilog="What follows -- is handed to pytest: tools/test --only tests -- tests/core -x",
    )
    parser.add_argument("--fix", action="store_true", help="repair what can be repaired (imports, format) on the way")
    parser.add_argument("--only", action="append", choices=STEP_NAMES, metavar="STEP", help=", ".join(STEP_NAMES))
    return parser.parse_args(ours), theirs


def main(words: list[str]) -> int:
    """Run the steps asked for; 1 when any of them failed."""
    options, pytest_arguments = arguments_of(words)
    chosen = [step for step in all_steps(pytest_arguments) if not options.only or step.name in options.only]
    outcomes: list[Outcome] = []
    for step in chosen:
        if outcomes and step.name == "tests":
            print(summary(outcomes), flush=True)
        outcomes.append(run(step, fix=options.fix))
    if chosen[-1].name != "tests":
        print(summary(outcomes), flush=True)
    return int(any(outcome.code for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
