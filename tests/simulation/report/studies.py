"""A study made by hand, as large as the country: what a report must be able to show, without running anything."""

from pathlib import Path

import numpy as np

from docaxis_sim.capacity.model import Expectation, Experiment, NodeClass, Scenario, TopologySpec
from docaxis_sim.capacity.plan import MINUTE_NS
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Check, Measures, Provenance, Replication, Series, Study, Table, Verdict

STEP_NS = 15 * MINUTE_NS
BINS = 96


def study(nodes: int = 12_000, provinces: int = 63, name: str = "A day") -> Study:
    """Everything that a report draws, with values that are easy to recognise."""
    chance = np.random.default_rng(1)
    return Study(
        scenario=scenario(name),
        replications=(Replication(0, "reference", Measures({}, {}, {}, ()), "ab" * 32, 1, 1.5, 2.0),),
        estimates={
            "latency.arrived.p99_s": Interval(12.5, 0.25, 5, 0.95),
            "carried_per_s": Interval(69.4, float("inf"), 1, 0.95),
            "lost": Interval(0.0, 0.0, 5, 0.95),
        },
        tables={
            "nodes": _nodes(nodes, chance),
            "bottlenecks": _bottlenecks(),
            "latency": Table(
                {"name": ("all", "express"), "count": np.array([9, 1]), "p99_s": np.array([3.0, 0.5])}, "How long."
            ),
            "ecdf": _curves("name", ("all", "express")),
            "failures": Table(
                {"name": ("Quảng Ninh",), "from_s": np.array([25_200.0]), "until_s": np.array([39_600.0])}, "Cut off."
            ),
        },
        series={
            "rates": _series(("offered", "carried"), chance, "number"),
            "under_way": _series(("at stations", "waiting for a peer"), chance, "number"),
            "utilisation": _series(("up", "down", "loop", "disk"), chance, "share"),
            "queue_by_province": _series(tuple(f"Tỉnh {n}" for n in range(provinces)), chance, "number"),
        },
        checks=(Check("conservation", True, 0, 0, "submitted = arrived + expired + under way"),),
        verdicts=(
            Verdict(Expectation("latency.arrived.p99_s", "<=", 60.0), Interval(12.5, 0.25, 5, 0.95), True),
            Verdict(Expectation("latency.arrived.p99_s", "<=", 10.0), Interval(12.5, 0.25, 5, 0.95), False),
        ),
        executors=_curves("executor", ("machines", "reference", "vector")),
        provenance=Provenance({"docaxis": "1"}, "docaxis simulate run day.toml", {"machine": "two cores"}, "two cores"),
        notes=("One replication says nothing about its own spread.",),
        wall_seconds=60.0,
    )


def scenario(name: str) -> Scenario:
    """The smallest scenario that a study can be about."""
    return Scenario(
        path=Path("day.toml"), name=name, name_vi="Một ngày", question="How long does it take?",
        topology=TopologySpec(), nodes={"commune": NodeClass(1, 1)}, sites=(), overrides=(), calibration=Path("c.json"),
        link_sharing="fifo", traffic=(), failures=(), experiment=Experiment(), expect=(), load=1.0, days=1,
        day_factors=(1.0,), until_done=True, profiles={}, engine="auto", faults={}, raw={"name": name},
        digest="cd" * 32,
    )  # fmt: skip


def _nodes(count: int, chance: np.random.Generator) -> Table:
    busy = {kind: chance.random(count) for kind in ("up", "down", "loop", "disk")}
    return Table(
        {
            "id": tuple(f"N{n}" for n in range(count)),
            "name": tuple(f"Xã {n}" for n in range(count)),
            "tier": tuple("province" if n < 63 else "commune" for n in range(count)),
            "lat": chance.uniform(8.6, 23.3, count),
            "lon": chance.uniform(102.2, 109.4, count),
            **busy,
            "wait_s": chance.exponential(1.0, count),
            "failed": (np.arange(count) < 3).astype(np.int64),
        },
        "Every node.",
    )


def _bottlenecks() -> Table:
    rows = range(10)
    return Table(
        {
            "node": tuple(f"N{n}" for n in rows),
            "name": tuple(f"Xã {n}" for n in rows),
            "station": ("up",) * 10,
            "busy": np.linspace(0.99, 0.5, 10),
            "wait_s": np.linspace(60, 1, 10),
        },
        "Where documents waited longest.",
    )


def _curves(column: str, names: tuple[str, ...]) -> Table:
    shares = np.linspace(0, 1, 50)
    return Table(
        {
            column: tuple(name for name in names for _ in shares),
            "latency_s": np.concatenate([0.01 * (1 + n) * np.exp(5 * shares) for n in range(len(names))]),
            "share": np.tile(shares, len(names)),
        },
        "The same documents.",
    )


def _series(labels: tuple[str, ...], chance: np.random.Generator, unit: str) -> Series:
    return Series(
        labels, chance.random((len(labels), BINS)) * (1 if unit == "share" else 100), STEP_NS, unit, "By time."
    )
