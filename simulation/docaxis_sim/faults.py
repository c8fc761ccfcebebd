"""The faults executor: runs worlds for many seeds, says which promise broke where, and how to see it again.

``docaxis simulate faults SCENARIO --seeds 0..999``, or ``python -m docaxis_sim.faults``. It reads arguments, starts
worlds and prints; what is promised is in `docaxis_sim.checkers`, what goes wrong in `docaxis_sim.plan`.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.progress import track

from docaxis_sim import fault_file, fault_runs, sometimes
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.shipped import shipped
from docaxis_sim.capacity.units import BadValue
from docaxis_sim.fault_fields import read_seeds
from docaxis_sim.fault_file import SWARM, Source
from docaxis_sim.fault_runs import Told
from docaxis_sim.plan import Plan
from docaxis_sim.shrink import Shrunk, shrink
from docaxis_sim.swarm import draw
from docaxis_sim.world import Outcome, World

COMMAND: Final = "docaxis simulate faults"
EXAMPLES: Final = f"""examples:
  {COMMAND}                                              a hundred worlds, all drawn
  {COMMAND} --seeds 0..9999                              a night's work
  {COMMAND} --seeds 47 --trace                           one world, every line of its trace
  {COMMAND} scenarios/faults/keys-in-traffic.toml        worlds that a file describes
  {COMMAND} scenarios/faults/swarm.toml --json           one JSON object, for programs
"""
HELD, BROKEN, USAGE = 0, 1, 2
LINES_MAX: Final = 20
"""Up to so many worlds, each gets a line."""


class Found(NamedTuple):
    """A broken promise with its smallest plan, where that was looked for, and the file that holds it."""

    told: Told
    shrunk: Shrunk | None
    file: Path | None
    repeat: str


def run(seed: int, plan: Plan | None = None) -> Outcome:
    """One world of a seed, with the plan drawn from it unless one is given; raises `docaxis_sim.world.Broken`."""
    return World(seed, draw(seed) if plan is None else plan).run()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("scenario", nargs="?", help="a scenario file; without one, everything is drawn from the seeds")
    parser.add_argument(
        "--seeds",
        type=_seeds,
        help="a seed, or a range such as 0..999; else the scenario's, 0..99 where it says nothing",
    )
    parser.add_argument(
        "--jobs", type=_count, metavar="N", help="how many worlds run at once; else as many as there are cores"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end, and nothing else")
    parser.add_argument("--trace", action="store_true", help="print every line of each world's trace")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for the smallest plan that still fails")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="where shrunk plans go; else scenarios/found, if there"
    )


def handle(arguments: argparse.Namespace) -> int:
    """Runs the seeds; 0 if every promise held and every rare path was taken, 1 if not, 2 for a file with mistakes."""
    try:
        source = SWARM if arguments.scenario is None else fault_file.read(arguments.scenario)
    except BadScenario as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    if source.left_out:
        sys.stderr.write(f"left out, for no agency would feel it: {', '.join(source.left_out)}\n")
    seeds = arguments.seeds or source.stated.seeds
    worlds = fault_runs.every(source, seeds, arguments.jobs or fault_runs.usual_jobs(len(seeds)), arguments.trace)
    told = list(_watched(worlds, len(seeds), quiet=arguments.json, trace=arguments.trace))
    found = _found(told, source, arguments)
    missing = _missing(told, source, seeds)
    if arguments.json:
        _say(json.dumps(summary(source, seeds, told, found, missing), ensure_ascii=False))
    else:
        _say(_verdict(seeds, told, missing))
    return BROKEN if found or missing else HELD


def main(arguments: Sequence[str] | None = None) -> int:
    """The command by itself."""
    parser = argparse.ArgumentParser(
        prog="python -m docaxis_sim.faults",
        description="Runs simulated worlds of real protocol machines under hostile faults, and checks every promise.",
    )
    add_arguments(parser)
    return handle(parser.parse_args(arguments))


def summary(
    source: Source, seeds: range, told: Sequence[Told], found: Sequence[Found], missing: Sequence[str]
) -> dict[str, Any]:
    """What was run on what, and what all runs came to, as one JSON object."""
    outcomes = [each.outcome for each in told if each.outcome is not None]
    happened = _happened(told)
    return {
        "scenario": source.path,
        "seeds": _range(seeds),
        "engine": fault_runs.engine()._asdict(),
        "left_out": list(source.left_out),
        "worlds": len(told),
        "broken": [
            {
                "seed": each.told.seed,
                "promise": each.told.promise,
                "detail": each.told.detail,
                "repeat": each.repeat,
                "file": str(each.file or ""),
            }
            for each in found
        ],
        "acknowledged": sum(outcome.acknowledged for outcome in outcomes),
        "boundaries": sum(outcome.boundaries for outcome in outcomes),
        "simulated_hours": sum(outcome.simulated_ms for outcome in outcomes) // 3_600_000,
        "traces": {str(outcome.seed): outcome.trace for outcome in outcomes},
        "sometimes": {name: happened[name] for name in sometimes.RARE},
        "never": list(missing),
        "happened": dict(sorted(happened.items())),
    }


# --- while worlds run -------------------------------------------------------------------------------------------------


def _watched(worlds: Iterable[Told], count: int, *, quiet: bool, trace: bool) -> Iterator[Told]:
    """Each world as it ends, with a line where there are few, and how far it is where somebody looks on."""
    for told in _with_progress(worlds, count, "worlds", quiet=trace):
        if trace and not quiet:
            _say("\n".join(told.lines))
        if not quiet and (trace or count <= LINES_MAX) and told.outcome is not None:
            done = told.outcome
            _say(f"seed {done.seed}: every promise held; {done.acknowledged} documents, trace {done.trace[:16]}")
        if not quiet and told.outcome is None:
            _say(f"seed {told.seed}: {told.promise}: {told.detail}")
        yield told


def _with_progress(worlds: Iterable[Told], count: int, what: str, *, quiet: bool) -> Iterable[Told]:
    if quiet or not sys.stderr.isatty():
        return worlds
    return track(worlds, what, count, transient=True, console=Console(stderr=True))


# --- what broke -------------------------------------------------------------------------------------------------------


def _found(told: Sequence[Told], source: Source, arguments: argparse.Namespace) -> list[Found]:
    """Every world that broke a promise; the first of each promise is shrunk."""
    found: list[Found] = []
    promises: set[str] = set()
    for each in told:
        if each.outcome is None:
            first = each.promise not in promises and not arguments.no_shrink
            promises.add(each.promise)
            found.append(_looked_into(each, source, arguments) if first else _as_it_is(each, source))
            if not arguments.json:
                _say(_explained(found[-1]))
    return found


def _as_it_is(told: Told, source: Source) -> Found:
    return Found(told, None, None, repeat_command(source, told.seed))


def _looked_into(told: Told, source: Source, arguments: argparse.Namespace) -> Found:
    def progress(runs: int, plan: Plan) -> None:
        parts = f"{len(plan.faults)} faults, {len(plan.letters)} letters, {len(plan.crash_at)} crashes"
        sys.stderr.write(f"\rshrinking seed {told.seed}: {runs} worlds, {parts} left   ")

    shown = sys.stderr.isatty()
    shrunk = (
        shrink(told.seed, told.plan, told.promise, progress) if shown else shrink(told.seed, told.plan, told.promise)
    )
    if shown:
        sys.stderr.write("\n")
    if shrunk is None:
        return _as_it_is(told, source)
    folder = arguments.keep or _folder()
    file = None if folder is None else keep(told.seed, shrunk, folder)
    return Found(told, shrunk, file, f"{COMMAND} {file}" if file else repeat_command(source, told.seed))


def _folder() -> Path | None:
    """Where found plans live in the repository; an installed simulator has no such place."""
    folder = shipped() / "found"
    return folder if (shipped().parent / "pyproject.toml").is_file() and folder.is_dir() else None


def keep(seed: int, shrunk: Shrunk, folder: Path) -> Path:
    """Writes a plan to a file that is named for its promise, its seed and itself."""
    name, detail = f"Found: {shrunk.breach.promise}, seed {seed}", shrunk.breach.detail
    comment = f"A world of seed {seed} broke the promise '{shrunk.breach.promise}':\n{detail[:500]}"
    text = fault_file.text(seed, shrunk.plan, name, f"Does the promise '{shrunk.breach.promise}' hold here?", comment)
    digest = hashlib.sha256(repr(shrunk.plan).encode()).hexdigest()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{shrunk.breach.promise.replace(' ', '-').replace(',', '')}-{seed}-{digest}.toml"
    file.write_text(text, encoding="utf-8")
    return _from_here(file)


def _from_here(file: Path) -> Path:
    here = Path.cwd()
    return file.resolve().relative_to(here) if file.resolve().is_relative_to(here) else file


def repeat_command(source: Source, seed: int) -> str:
    """The command that shows a seed again."""
    return " ".join([*COMMAND.split(), *([source.path] if source.path else []), "--seeds", str(seed), "--trace"])


def _explained(found: Found) -> str:
    told, shrunk = found.told, found.shrunk
    if shrunk is None:
        return f"seed {told.seed}: plan: {told.plan}\n" + "\n".join(told.last) + f"\nsee it again: {found.repeat}"
    plan = fault_file.text(told.seed, shrunk.plan, told.promise, "", "").split("[faults]", 1)[1].strip()
    lines = [f"seed {told.seed} breaks '{told.promise}' with this much ({shrunk.runs} worlds were tried):", "[faults]"]
    return "\n".join([*lines, plan, "", str(shrunk.breach), *told.last, f"see it again: {found.repeat}"])


# --- what all of them came to -----------------------------------------------------------------------------------------


def _happened(told: Sequence[Told]) -> Counter[str]:
    happened: Counter[str] = Counter()
    for each in told:
        if each.outcome is not None:
            happened.update(each.outcome.happened)
    return happened


def _missing(told: Sequence[Told], source: Source, seeds: range) -> list[str]:
    """Rare paths that were not taken, where at least the scenario's own seeds ran."""
    asked = source.stated.seeds
    if seeds.start > asked.start or seeds.stop < asked.stop:
        return []
    never = sometimes.missing(_happened(told))
    return [name for name in never if name in source.must_happen]


def _verdict(seeds: range, told: Sequence[Told], missing: Sequence[str]) -> str:
    held = [each.outcome for each in told if each.outcome is not None]
    hours = sum(outcome.simulated_ms for outcome in held) // 3_600_000
    happened = _happened(told)
    taken = [name for name in sometimes.RARE if happened[name]]
    code, python, simpy = fault_runs.engine()
    which = "seed" if len(seeds) == 1 else "seeds"
    worlds = "1 world" if len(held) == 1 else f"{len(held)} worlds"
    lines = [f"{which} {_range(seeds)} on machines and checkers of code {code}, Python {python}, SimPy {simpy}"]
    through = "1 hour" if hours == 1 else f"{hours} hours"
    lines += [f"{worlds} held every promise through {through}; {len(told) - len(held)} broke one."]
    lines += [f"{len(taken)} of {len(sometimes.RARE)} rare paths were taken."]
    lines += [f"never: {name} ({sometimes.RARE[name]})" for name in missing]
    return "\n".join(lines)


def _range(seeds: range) -> str:
    return f"{seeds.start}..{seeds[-1]}" if len(seeds) > 1 else str(seeds.start)


def _seeds(text: str) -> range:
    try:
        return read_seeds(text)
    except BadValue as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 256):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 256")
    return int(text)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
