"""The simulator: a national day on both engines, beside SimPy as usually written, Ciw and Cimba, and under overload.

Every part runs in a process of its own, so that memory and caches are its own, and whatever is compared is measured in
one part. Rates are processor time unless a name says `wall`. That engines and rivals carried the same is checked in the
same run: the largest difference of arrivals is printed. `--parts` names the figures of the acceptance list: a1 the day
(with a4, the other engine on it), a2 SimPy, a3 Ciw (with a5, Cimba), a6 overload, a13 an inverse question, a14 common
random numbers.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from docaxis_sim.capacity import cases, prepare, reference, search, vector
from docaxis_sim.capacity.model import Expectation
from docaxis_sim.capacity.plan import HOUR_NS, NODE, ROUND_MAX, SECOND_NS, SUBMIT, Form, Plan, Run, arrived_ns, hop
from docaxis_sim.capacity.runner import Job, Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.statistics import independent, paired

DAY: Final = "national-day-2m"
TANDEM_LOAD: Final = 0.8
TURNS: Final = 3
"""How often rivals are timed; the quickest counts."""
EMPTY: Final = 2.0
OVERLOADED: Final = 0.25
"""How far apart customers come, in services."""
GOAL: Final = Expectation("latency.arrived.p99_s", "<=", 10.0)
FASTER: Final = "21 Mbit/s"
"""Commune lines five per cent faster than the scenario's 20 Mbit/s."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="figures to measure")
    parser.add_argument("--load", type=float, default=1.0, help="of the day of 2 million deliveries (default 1)")
    parser.add_argument("--window", type=float, default=300, metavar="S", help="of the day for SimPy (default 300 s)")
    parser.add_argument("--customers", type=int, default=100_000, help="in the tandem (default 100,000)")
    parser.add_argument("--waiting", type=int, default=200_000, help="at one overloaded station (default 200,000)")
    parser.add_argument("--replications", type=int, default=20, help="for common random numbers (default 20)")
    parser.add_argument("--cimba", metavar="PYTHON", default="", help="an interpreter that has the package cimba")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures; the object that `--json` prints."""
    return {name: _fresh(PARTS[name], args) for name in args.parts}


def _fresh(part: Callable[[argparse.Namespace], dict[str, Any]], args: argparse.Namespace) -> dict[str, Any]:
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        return executor.submit(part, args).result()


class _Timed:
    """Wall and processor seconds of what was done inside."""

    def __enter__(self) -> _Timed:
        self._begun = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        ended = time.perf_counter(), time.process_time()
        self.wall_s, self.cpu_s = (after - before for after, before in zip(ended, self._begun, strict=True))


def _rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _warm() -> None:
    """Compiles the vector engine, which is not what is measured."""
    vector.carry(cases.CASES[0].make(np.random.Generator(np.random.Philox(1)), 100).plan)


def day(args: argparse.Namespace) -> dict[str, Any]:
    """A1 and A4: one national day, first on the SimPy engine, then on the other."""
    with _Timed() as drawn:
        plan = prepare.prepare(load(DAY, {"load": args.load}), 1).plan
    with _Timed() as simpy_engine:
        slow = reference.carry(plan)
    peak = _rss_mib()
    _warm()
    with _Timed() as vector_engine:
        fast = vector.carry(plan)
    deliveries = len(plan.deliveries.birth_ns)
    return {
        "deliveries": deliveries,
        "nodes": len(plan.node_ids),
        "drawn_cpu_s": drawn.cpu_s,
        "reference_wall_s": simpy_engine.wall_s,
        "reference_cpu_s": simpy_engine.cpu_s,
        "drawn_and_reference_wall_s": drawn.wall_s + simpy_engine.wall_s,
        "rss_peak_mib": peak,
        "events": slow.events,
        "reference_us_per_event": simpy_engine.cpu_s / slow.events * 1e6,
        "vector_cpu_s": vector_engine.cpu_s,
        "vector_us_per_event": vector_engine.cpu_s / fast.events * 1e6,
        "vector_times_faster": simpy_engine.cpu_s / vector_engine.cpu_s,
        "difference_ns_max": _difference(slow, fast),
    }


def _difference(one: Run, other: Run) -> int:
    """Over every departure of every document."""
    assert one.left_ns.keys() == other.left_ns.keys()
    return max((int(np.abs(column - other.left_ns[step]).max()) for step, column in one.left_ns.items()), default=0)


def simpy_window(args: argparse.Namespace) -> dict[str, Any]:
    """A2: the busiest while of the day, as SimPy is usually written, with callbacks, and with light events."""
    from tools.benchmarks import callbacks, rivals  # noqa: PLC0415 - only this part and the next need other simulators

    plan = prepare.prepare(load(DAY, {"load": args.load}), 1).plan
    plan = rivals.window(plan, 10 * HOUR_NS, int(args.window * SECOND_NS))
    town = rivals.town(plan)
    rows: list[dict[str, Any]] = []
    last = np.zeros(0, np.int64)
    for name, work in (
        ("reference engine", lambda: arrived_ns(plan, reference.carry(plan)).tolist()),
        ("SimPy, callbacks", lambda: callbacks.callbacks(town)),
        ("SimPy, processes", lambda: rivals.idiomatic(town)),
    ):
        turns = []
        for _ in range(TURNS):
            with _Timed() as took:
                arrived = np.array(work(), np.int64)
            turns.append(took.cpu_s)
        last = arrived if not rows else last
        rows.append(
            {
                "engine": name,
                "deliveries_per_s": len(arrived) / min(turns),
                "reference_times_faster": min(turns) / rows[0]["cpu_s"] if rows else 1.0,
                "agreeing_share": float((arrived == last).mean()) if len(arrived) else 1.0,
                "difference_ns_max": int(np.abs(arrived - last).max(initial=0)),
                "cpu_s": min(turns),
            }
        )
    return {"deliveries": len(town.ways), "rows": rows}


def tandem(args: argparse.Namespace) -> dict[str, Any]:
    """A3 and A5: three queues one after the other, drawing included."""
    from tools.benchmarks import rivals  # noqa: PLC0415 - see above

    _warm()
    few, many = args.customers, args.customers * 10
    rows = _in_turn(
        ("Ciw", few, lambda: rivals.ciw_tandem(few, TANDEM_LOAD)),
        ("SimPy, process and Resource", few, lambda: rivals.simpy_tandem(few, TANDEM_LOAD)),
        ("reference engine", few, lambda: _three_loops(reference.carry, few, 0)),
        (
            "vector engine",
            many,
            lambda: float(np.mean([_loop_link_loop(vector.carry, few, number) for number in range(10)])),
        ),
    )
    if args.cimba:
        rows.append(max((_cimba(args.cimba, many) for _ in range(TURNS)), key=_rate))
    for row in rows:
        row["times_ciw"] = row["customers_per_s"] / rows[0]["customers_per_s"]
    text = "" if args.cimba else "not measured: --cimba PYTHON names an interpreter that has it"
    return {"mean_sojourn_in_theory": 3 / (1 - TANDEM_LOAD), "cimba": text or "measured", "rows": rows}


def _in_turn(*works: tuple[str, int, Callable[[], float]]) -> list[dict[str, Any]]:
    """Each in turn, several times, and the quickest of each: what else a shared machine does, and how fast it is just
    now, can only slow one down."""
    rows = [_tandem(*work) for work in works]
    for _ in range(TURNS - 1):
        again = [_tandem(*work) for work in works]
        rows = [max(pair, key=_rate) for pair in zip(rows, again, strict=True)]
    return rows


def _rate(row: dict[str, Any]) -> float:
    return float(row["customers_per_s"])


def _tandem(name: str, customers: int, work: Callable[[], float]) -> dict[str, Any]:
    with _Timed() as took:
        mean = work()
    return {"engine": name, "customers": customers, "customers_per_s": customers / took.cpu_s, "mean_sojourn": mean}


def _three_loops(carry: Callable[[Plan], Run], customers: int, number: int) -> float:
    """Three loops in series, an exponential service at each; the links between them cost nothing. The mean sojourn."""
    chance = np.random.Generator(np.random.Philox(number))
    crowd = cases.at_loops([1, 1, 1], TANDEM_LOAD, cases.exponential)(chance, customers)
    births = crowd.plan.deliveries.birth_ns
    return float((arrived_ns(crowd.plan, carry(crowd.plan)) - births).mean() / cases.UNIT_NS)


def _loop_link_loop(carry: Callable[[Plan], Run], customers: int, number: int) -> float:
    """Loop, link and loop as three exponential servers: what a small document meets on its way. A part of shared
    content would meet no receipt, but three stations per queue; so the receipt's visit is counted in instead."""
    chance = np.random.Generator(np.random.Philox(number))
    births = (np.cumsum(chance.standard_exponential(customers)) * (cases.UNIT_NS / TANDEM_LOAD)).astype(np.int64)
    first, link, last = (chance.standard_exponential((3, customers)) * cases.UNIT_NS).astype(np.int64)
    path = np.tile(np.array([[0], [1]], np.int32), customers)
    made = cases.customers(births, path, link, {SUBMIT: first, hop(0, NODE): last})
    made = made._replace(form=np.full(customers, Form.INLINE, np.int8))
    plan = Plan(("A", "B"), cases.stations(2, up_ns_per_kib=1024), made, (), 0)
    return float((arrived_ns(plan, carry(plan)) - births).mean() / cases.UNIT_NS)


def _cimba(python: str, customers: int) -> dict[str, Any]:
    script = Path(__file__).with_name("cimba_tandem.py")
    command = [python, str(script), str(customers), str(TANDEM_LOAD)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    seconds, mean = map(float, done.stdout.split())
    return {"engine": "Cimba", "customers": customers, "customers_per_s": customers / seconds, "mean_sojourn": mean}


def overload(args: argparse.Namespace) -> dict[str, Any]:
    """A6: what a visit costs at a station that gets four times what it can do, until so many wait there, beside one
    that gets half of it and where nobody ever waits."""
    _warm()
    rows, customers = [], round(args.waiting / (1 - OVERLOADED))
    for station in ("loop", "link"):
        for engine, carry in (("reference", reference.carry), ("vector", vector.carry)):
            costs = {spread: _per_visit(carry, station, customers, spread) for spread in (EMPTY, OVERLOADED)}
            rows.append(
                {
                    "station": station,
                    "engine": engine,
                    "waiting": args.waiting,
                    "empty_us_per_visit": costs[EMPTY],
                    "overloaded_us_per_visit": costs[OVERLOADED],
                    "ratio": costs[OVERLOADED] / costs[EMPTY],
                }
            )
    return {"rows": rows}


def _per_visit(carry: Callable[[Plan], Run], station: str, customers: int, spread: float) -> float:
    """The best of three, in µs; customers come `spread` services apart."""
    births = (np.arange(customers) * spread * cases.UNIT_NS).astype(np.int64)
    path = np.tile(np.array([[0], [1]], np.int32), customers)
    service = np.full(customers, cases.UNIT_NS, np.int64)
    at_link = station == "link"
    made = cases.customers(births, path, service * at_link, {} if at_link else {hop(0, NODE): service})
    plan = Plan(("A", "B"), cases.stations(2, up_ns_per_kib=1024, round_max=ROUND_MAX), made, (), 0)
    costs = []
    for _ in range(3):
        with _Timed() as took:
            carry(plan)
        costs.append(took.cpu_s / (3 * customers) * 1e6)
    return min(costs)


def inverse(args: argparse.Namespace) -> dict[str, Any]:
    """A13: the smallest line of communes with which the day meets a goal, three replications, the vector engine."""
    _warm()
    asked = {"load": args.load, "experiment.replications": 3}
    with _Timed() as took:
        between = search.scale("2 Mbit/s", "50 Mbit/s")
        question = search.Search(DAY, "nodes.commune.downlink", between, GOAL, asked, engine="vector")
        answer = question.run()
    return {
        "goal": " ".join(map(str, GOAL)),
        "answer": "none" if answer.best is None else answer.best.text,
        "trials": len(question.trials),
        "runs": sum(len(trial.figures) for trial in question.trials),
        "wall_s": took.wall_s,
        "cpu_s": took.cpu_s,
        "rss_peak_mib": _rss_mib(),
    }


def common_numbers(args: argparse.Namespace) -> dict[str, Any]:
    """A14: the interval of what five per cent faster lines change, on the same documents and on others."""
    count = args.replications
    slow, fast = (load(DAY, {"load": args.load / 20, "nodes.commune.downlink": line}) for line in ("20 Mbit/s", FASTER))
    with Runner() as runner:
        before, same = (
            [found.measures.metrics["latency.arrived.mean_s"] for found in runner.carry(
                [Job(each, number, "vector", True) for number in range(1, count + 1)]
            )]
            for each in (slow, fast)
        )  # fmt: skip
        others = [Job(fast, number, "vector", True) for number in range(count + 1, 2 * count + 1)]
        other = [found.measures.metrics["latency.arrived.mean_s"] for found in runner.carry(others)]
    rows: list[dict[str, Any]] = [
        {"numbers": name, "difference_ms": 1e3 * found.mean, "half_width_ms": 1e3 * found.half_width}
        for name, found in (("common", paired(before, same, 0.95)), ("independent", independent(before, other, 0.95)))
    ]
    return {"replications": count, "rows": rows, "times_narrower": rows[1]["half_width_ms"] / rows[0]["half_width_ms"]}


PARTS: Final[dict[str, Callable[[argparse.Namespace], dict[str, Any]]]] = {
    "a1": day,
    "a2": simpy_window,
    "a3": tandem,
    "a6": overload,
    "a13": inverse,
    "a14": common_numbers,
}
