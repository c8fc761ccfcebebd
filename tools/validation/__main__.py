"""`tools/validate_simulation`: real nodes carry a load, the simulator carries the same, and both are told side by side.

The capacity of the set-up is measured first; open loads run at shares of it, beside one that comes all at once, one to
all, and one with a node switched off. Costs are read from a calibration file, which other loads made.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from docaxis.core.errors import DocaxisError
from docaxis_sim.capacity.costs import Costs, read
from tools.benchmarks.__main__ import machine
from tools.calibration.__main__ import TARGET
from tools.calibration.load import SECOND_NS, Load, bursts, poisson
from tools.calibration.plant import Outcome, Plant
from tools.calibration.surroundings import disk_ms
from tools.validation import compare, contended, workloads
from tools.validation.contended import SharedHost
from tools.validation.predict import Setup, plan_of, predict
from tools.validation.tables import markdown, show
from tools.validation.workloads import Workload

PROCESSES: Final = 2
SLOW_COMMIT_NS: Final = 20_000_000
OUTAGE_PATIENCE_S: Final = 60.0
DISK_S: Final = 3.0
WARM: Final = bursts("warm", ((0, (1,)), (1, (0,))), 100, 1, 0.01)
"""What runs for the first time runs before anything is measured; the two have met then."""


async def validate(args: argparse.Namespace, costs: Costs, host: SharedHost) -> dict[str, Any]:
    """Carries everything, and predicts it; the object that `--json` prints."""
    of = tuple(node % PROCESSES for node in range(args.nodes))
    with tempfile.TemporaryDirectory(prefix="docaxis-validate-", dir=args.folder) as folder:
        async with Plant(Path(folder) / "ground", of) as plant:
            setup = Setup(plant.codes, of, host)
            await plant.carry(WARM)
            rows = [
                await _row(plant, setup, costs, [workloads.strangers(args.nodes, args.seconds, args.seed)], args.seed)
            ]
            await plant.carry(workloads.everybody_meets(args.nodes, plant.met), OUTAGE_PATIENCE_S)
            capacities = {inline: await _capacity(plant, args, inline) for inline in (True, False)}
            chosen = _chosen(args, capacities)
            rows += [await _row(plant, setup, costs, each, args.seed) for each in chosen]
    return {
        "nodes": args.nodes,
        "processes": PROCESSES,
        "seconds": args.seconds,
        "repeats": args.repeats,
        "capacity_per_s": {"inline": round(capacities[True], 1), "pulled": round(capacities[False], 1)},
        "goals": {"throughput": compare.THROUGHPUT_GOAL, "latency": compare.LATENCY_GOAL},
        "rows": rows,
        "disk_alone_ms": disk_ms(args.folder, DISK_S),
        "calibration": {name: costs.provenance.get(name) for name in ("date", "commit", "machine", "fit_median_error")},
        "machine": machine(),
    }


async def _capacity(plant: Plant, args: argparse.Namespace, inline: bool) -> float:
    size = workloads.INLINE_BYTES if inline else workloads.PULLED_BYTES
    count = 6_000 if inline else 300
    load = poisson("capacity", args.nodes, count, 1.0, args.seed, size=size, inline=inline)
    in_flight = (8 if inline else 2) * min(args.nodes, 32)
    if not inline:
        return await _drained(plant, load)
    return await plant.saturate(load, in_flight, args.seconds / 5, args.seconds / 2)


async def _drained(plant: Plant, load: Load) -> float:
    """Content has to be new each time, so that documents cannot be taken in turn: so many at once, until the last."""
    outcome = await plant.carry(load._replace(births=tuple(each._replace(at_ns=0) for each in load.births)), 120.0)
    return len(load.births) * SECOND_NS / max(outcome.home_ns)


def _chosen(args: argparse.Namespace, capacities: dict[bool, float]) -> list[list[Workload]]:
    """Workloads, each as often as it is repeated."""
    seeds = [args.seed + 100 * number for number in range(args.repeats)]
    found = [
        [
            *workloads.open_loop(args.nodes, capacities[True], args.seconds, seed, inline=True),
            *workloads.open_loop(args.nodes, capacities[False], args.seconds, seed, inline=False),
            workloads.bulk(args.nodes, capacities[True], args.seconds, seed),
            workloads.to_all(args.nodes, max(2, int(args.seconds / 3))),
            workloads.outage(args.nodes, capacities[True], args.seconds * 1.5, seed),
        ]
        for seed in seeds
    ]
    return [list(each) for each in zip(*found, strict=True) if args.only in each[0].load.name]


async def _row(plant: Plant, setup: Setup, costs: Costs, repeats: list[Workload], seed: int) -> dict[str, Any]:
    measured, predicted, outcomes = [], [], []
    for number, each in enumerate(repeats):
        outcome = await plant.carry(each.load, OUTAGE_PATIENCE_S, each.outages)
        plan = plan_of(each.load, setup, costs, outcome.met, outcome.off)
        guess = predict(plan, setup.host, seed + number)
        measured.append(compare.figures(each.load, outcome.arrived_ns, outcome.home_ns, each.window_s))
        predicted.append(compare.figures(each.load, guess.arrived_ns, guess.home_ns, each.window_s))
        outcomes.append((outcome, guess))
    found = compare.row(repeats[0].load.name, compare.middle(predicted), compare.middle(measured))
    return {**found, "share": repeats[0].share, **_how(outcomes), **_drains(outcomes)}


def _drains(outcomes: list[Any]) -> dict[str, Any]:
    """Where a node was off: how long the backlog for it took once it was back, s, measured and predicted."""
    if not outcomes[0][0].off:
        return {}
    real = [compare.drain_s(each.load, each.home_ns, each.off) for each, _ in outcomes]
    guessed = [compare.drain_s(each.load, guess.home_ns, each.off) for each, guess in outcomes]
    return {"drain_s": round(statistics.median(real), 3), "drain_s_predicted": round(statistics.median(guessed), 3)}


def _how(outcomes: list[Any]) -> dict[str, Any]:
    """How well the load was paced, what processes used of a core, and rounds and commits, measured and predicted."""
    real: list[Outcome] = [outcome for outcome, _ in outcomes]
    commits = sorted(ns for each in real for ns in each.commit_ns)
    documents = sum(len(each.load.births) for each in real)
    busy = [used.cpu_ns / used.wall_ns for each in real for used in each.used]
    seconds = sum(used.wall_ns for each in real for used in each.used) / SECOND_NS
    return {
        "documents": documents,
        "late": sum(each.late for each in real),
        "late_ms_max": round(max(each.late_ns_max for each in real) / 1e6, 2),
        "refused": sum(sum(each.refused.values()) for each in real),
        "others_cores": round(statistics.mean(each.others_cores for each in real), 3),
        "busy": round(statistics.mean(busy), 3),
        "busy_predicted": round(sum(int(guess.run.loop_busy_ns.sum()) for _, guess in outcomes) / 1e9 / seconds, 3),
        "rounds": sum(used.counts["handled"] for each in real for used in each.used),
        "rounds_predicted": sum(int(guess.run.rounds.sum()) for _, guess in outcomes),
        "commit_p50_ms": round(commits[len(commits) // 2] / 1e6, 3) if commits else 0.0,
        "commit_p99_ms": round(commits[int(len(commits) * 0.99)] / 1e6, 3) if commits else 0.0,
        "slow_commits": sum(ns > SLOW_COMMIT_NS for ns in commits),
    }


def main(words: list[str]) -> int:
    """Runs, and tells; the exit code says whether it ran, not whether the goals were met."""
    parser = argparse.ArgumentParser(prog="tools/validate_simulation", description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=8, help="real nodes, in two processes (default 8)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each load lasts (default 20)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each load is carried (default 3)")
    parser.add_argument("--quick", action="store_true", help="short loads, each once")
    parser.add_argument("--only", default="", help="only loads whose name has this in it")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default 1)")
    parser.add_argument("--calibration", type=Path, default=TARGET, help="the costs to predict with")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on whose disk nodes live")
    parser.add_argument("--markdown", action="store_true", help="print the tables as pages show them, too")
    parser.add_argument("--json", action="store_true", help="print one object last; the table goes to stderr")
    args = parser.parse_args(words)
    if args.quick:
        args.seconds, args.repeats = min(args.seconds, 4.0), 1
    try:
        costs = read(args.calibration)
        host = contended.read(json.loads(args.calibration.read_text(encoding="utf-8")))
        found = asyncio.run(validate(args, costs, host))
    except (DocaxisError, OSError, ValueError) as error:
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
