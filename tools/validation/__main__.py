"""`tools/validate_simulation`: real nodes carry a load, the simulator carries the same, and both are told side by side.

Open loads run at shares of the measured capacity, beside one that comes all at once, one to all, and one with a node
switched off. Costs are read from a calibration file, which other loads made. What was recorded can be kept, and
predicted again later.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console

from docaxis.core.errors import DocaxisError
from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.costs import read as read_costs
from tools.calibration.__main__ import TARGET
from tools.calibration.load import SECOND_NS
from tools.calibration.plant import Outcome
from tools.validation import carrying, compare, contended
from tools.validation.carrying import Carried, Record
from tools.validation.predict import Predicted, Setup, plan_of, predict, predict_crowded, speed_of
from tools.validation.tables import markdown, show

SLOW_COMMIT_NS: Final = 20_000_000


class Pair(NamedTuple):
    """What became of a load, and what should have."""

    outcome: Outcome
    guess: Predicted


def tell(record: Record, setup: Setup, costs: Costs, seed: int) -> dict[str, Any]:
    """Predicts everything that was carried; the object that `--json` prints."""
    return {
        "nodes": len(record.codes),
        "capacity_per_s": {name: round(rate, 1) for name, rate in record.capacity_per_s.items()},
        "goals": {"throughput": compare.THROUGHPUT_GOAL, "latency": compare.LATENCY_GOAL},
        "rows": [_row(repeats, setup, costs, seed) for repeats in record.carried],
        "calibration": {name: costs.provenance.get(name) for name in ("date", "commit", "machine", "fit_median_error")},
        **record.surroundings,
    }


def _row(repeats: Sequence[Carried], setup: Setup, costs: Costs, seed: int) -> dict[str, Any]:
    measured, predicted, crowded = list[compare.Figures](), list[compare.Figures](), list[compare.Figures]()
    pairs: list[Pair] = []
    for number, (workload, outcome) in enumerate(repeats):
        speed = speed_of([outcome], setup.host)
        plan = plan_of(workload.load, setup, costs, outcome.met, outcome.off, speed)
        guess, beside = predict(plan, seed + number), predict_crowded(plan, setup.host, seed + number)
        for row, times in (measured, outcome), (predicted, guess), (crowded, beside):
            row.append(compare.figures(workload.load, times.arrived_ns, times.home_ns, workload.window_s))
        pairs.append(Pair(outcome, guess))
    found = compare.row(repeats[0].workload.load.name, *map(compare.middle, (measured, predicted, crowded)))
    return {
        **found,
        "share": repeats[0].workload.share,
        "speed": round(speed_of([outcome for _, outcome in repeats], setup.host), 3),
        **_how(pairs),
        **_drains(pairs),
    }


def _drains(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Where a node was off: how long the backlog for it took once it was back, s, measured and predicted."""
    if not pairs[0].outcome.off:
        return {}
    real = [compare.drain_s(each.load, each.home_ns, each.off) for each, _ in pairs]
    guessed = [compare.drain_s(each.load, guess.home_ns, each.off) for each, guess in pairs]
    return {"drain_s": round(statistics.median(real), 3), "drain_s_predicted": round(statistics.median(guessed), 3)}


def _how(pairs: Sequence[Pair]) -> dict[str, Any]:
    """How well the load was paced, what processes used of a core, and rounds and commits, measured and predicted."""
    real = [pair.outcome for pair in pairs]
    commits = [ns / 1e6 for each in real for ns in each.commit_ns]
    wall_s = sum(used.wall_ns for each in real for used in each.used) / SECOND_NS
    return {
        "documents": sum(len(each.load.births) for each in real),
        "late": sum(each.late for each in real),
        "late_ms_max": round(max(each.late_ns_max for each in real) / 1e6, 2),
        "refused": sum(sum(each.refused.values()) for each in real),
        "others_cores": round(statistics.mean(each.others_cores for each in real), 3),
        "busy": round(sum(used.cpu_ns for each in real for used in each.used) / SECOND_NS / wall_s, 3),
        "busy_predicted": round(sum(int(pair.guess.run.loop_busy_ns.sum()) for pair in pairs) / SECOND_NS / wall_s, 3),
        "rounds": sum(used.counts["handled"] for each in real for used in each.used),
        "rounds_predicted": sum(int(pair.guess.run.rounds.sum()) for pair in pairs),
        "commit_p50_ms": round(compare.percentile(commits, 50), 3),
        "commit_p99_ms": round(compare.percentile(commits, 99), 3),
        "slow_commits": sum(ms * 1e6 > SLOW_COMMIT_NS for ms in commits),
    }


def _found(args: argparse.Namespace) -> dict[str, Any]:
    costs = read_costs(args.calibration)
    host = contended.read(json.loads(args.calibration.read_text(encoding="utf-8")))
    record = carrying.read(args.replay) if args.replay else asyncio.run(carrying.carry_all(args))
    if args.record:
        carrying.write(record, args.record)
    return tell(record, Setup(record.codes, record.of, host), costs, args.seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/validate_simulation", description="Holds the simulator against real nodes on this machine."
    )
    parser.add_argument("--nodes", type=int, default=8, help="real nodes, in two processes (default 8)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each load lasts (default 20)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each load is carried (default 3)")
    parser.add_argument("--quick", action="store_true", help="short loads, each once")
    parser.add_argument("--only", default="", help="only loads whose name has this in it")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default 1)")
    parser.add_argument("--calibration", type=Path, default=TARGET, help="the costs to predict with")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on whose disk nodes live")
    parser.add_argument("--record", type=Path, help="keep what was recorded in this file")
    parser.add_argument("--replay", type=Path, help="run no nodes, but predict what such a file holds")
    parser.add_argument("--markdown", action="store_true", help="print the tables as pages show them, too")
    parser.add_argument("--json", action="store_true", help="print one object last; the table goes to stderr")
    return parser


def main(words: list[str]) -> int:
    """Runs, and tells; the exit code says whether it ran, not whether the goals were met."""
    args = _parser().parse_args(words)
    if args.quick:
        args.seconds, args.repeats = min(args.seconds, 4.0), 1
    try:
        found = _found(args)
    except (DocaxisError, OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"not validated: {error}\n")
        return 1
    show(found, Console(file=sys.stderr if args.json else sys.stdout, width=None if sys.stdout.isatty() else 160))
    if args.markdown:
        print(markdown(found))
    if args.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
