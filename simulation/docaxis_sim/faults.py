"""The faults executor: runs worlds for many seeds, says which promise broke where, and how to see it again.

`python -m docaxis_sim.faults --seeds 0..99`. It only starts worlds and prints; what is promised is in
`docaxis_sim.checkers`, what goes wrong in `docaxis_sim.plan`.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from docaxis_sim.plan import Plan
from docaxis_sim.swarm import draw
from docaxis_sim.world import Broken, Outcome, World

EXAMPLES = """examples:
  python -m docaxis_sim.faults                      a hundred worlds
  python -m docaxis_sim.faults --seeds 0..9999      a night's work
  python -m docaxis_sim.faults --seeds 47 --trace   one world, every line of its trace
  python -m docaxis_sim.faults --seeds 0..99 --json one JSON object, for programs
"""


def run(seed: int, plan: Plan | None = None) -> Outcome:
    """One world of a seed, with the plan drawn from it unless one is given; raises `Broken`."""
    return World(seed, draw(seed) if plan is None else plan).run()


def repeat_command(seed: int) -> str:
    """The command that shows a seed again."""
    return f"python -m docaxis_sim.faults --seeds {seed} --trace"


def read_seeds(text: str) -> range:
    """Reads ``7`` or ``0..99`` (both ends included)."""
    first, _, last = text.partition("..")
    try:
        start, end = int(first), int(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor a range such as 0..99") from None
    if not 0 <= start <= end:
        raise argparse.ArgumentTypeError("a range goes upwards from 0 or more")
    return range(start, end + 1)


def summary(outcomes: Sequence[Outcome], broken: Sequence[Broken]) -> dict[str, Any]:
    """What all runs came to, as one JSON object."""
    happened: Counter[str] = Counter()
    for outcome in outcomes:
        happened.update(outcome.happened)
    return {
        "worlds": len(outcomes) + len(broken),
        "broken": [
            {"seed": each.seed, "promise": each.breach.promise, "repeat": repeat_command(each.seed)} for each in broken
        ],
        "acknowledged": sum(outcome.acknowledged for outcome in outcomes),
        "boundaries": sum(outcome.boundaries for outcome in outcomes),
        "simulated_hours": sum(outcome.simulated_ms for outcome in outcomes) // 3_600_000,
        "traces": {str(outcome.seed): outcome.trace for outcome in outcomes},
        "happened": dict(sorted(happened.items())),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the seeds; 0 if every promise held."""
    parser = argparse.ArgumentParser(
        prog="python -m docaxis_sim.faults",
        description="Runs simulated worlds of real protocol machines under hostile faults, and checks every promise.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=read_seeds, default=range(100), help="a seed, or a range such as 0..99")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end, and nothing else")
    parser.add_argument("--trace", action="store_true", help="print every line of each world's trace")
    options = parser.parse_args(arguments)
    outcomes, broken = _run_all(options.seeds, options.json, options.trace)
    if options.json:
        _say(json.dumps(summary(outcomes, broken)))
    else:
        hours = sum(outcome.simulated_ms for outcome in outcomes) // 3_600_000
        _say(f"{len(outcomes)} worlds held every promise through {hours} hours; {len(broken)} broke one.")
    return 1 if broken else 0


def _run_all(seeds: Iterable[int], quiet: bool, trace: bool) -> tuple[list[Outcome], list[Broken]]:
    outcomes: list[Outcome] = []
    broken: list[Broken] = []
    for seed in seeds:
        world = World(seed, draw(seed), keep_trace=trace)
        try:
            outcomes.append(world.run())
            done = outcomes[-1]
            line = f"seed {seed}: every promise held; {done.acknowledged} documents, trace {done.trace[:16]}"
        except Broken as error:
            broken.append(error)
            line = f"{error}\nsee it again: {repeat_command(seed)}"
        if trace and not quiet:
            _say("\n".join(world.trace.lines))
        if not quiet:
            _say(line)
    return outcomes, broken


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
