"""The outcome of a replication depends on the scenario and its number, and on nothing else."""

import json
from pathlib import Path

import pytest

from docaxis_sim.capacity import runner, shards
from docaxis_sim.capacity.plan import HOUR_NS, CannotCarry, Law
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.runner import Job, Progress, Runner, births, choice, run_once
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.study import Replication
from tests.simulation.capacity.measured import SMALL, carried


def written(found: list[Replication]) -> str:
    """Outcomes as text, without what depends on the machine."""
    return json.dumps([shards.to_json(each) for each in found])


def test_one_worker_and_two_give_the_same_bytes() -> None:
    """Real processes, started anew; whichever ends first."""
    jobs = [Job(load(SMALL), number, slim=True) for number in (1, 2, 3)]
    ended: list[int] = []
    with Runner() as alone:
        expected = alone.carry(jobs, lambda each: ended.append(each.number))
    with Runner(2) as two:
        assert written(two.carry(jobs)) == written(expected)
    assert ended == [1, 2, 3]


def _tells(place: Path, progress: Progress | None) -> int:
    """Says how far it is until somebody has heard it."""
    assert progress is not None
    progress(HOUR_NS, 7)
    while not place.exists():
        pass
    return 3


def test_what_happens_inside_other_processes_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated time and arrivals of all of them together, while they run; nothing is left of it afterwards."""
    monkeypatch.setattr(runner, "HEARD_EVERY_S", 0.01)
    heard: list[tuple[int, int]] = []
    ended: list[int] = []

    def listen(simulated_ns: int, arrived: int) -> None:
        heard.append((simulated_ns, arrived))
        if arrived == 14:
            (tmp_path / "heard").touch()

    with Runner(2) as two:
        assert two.each(_tells, [tmp_path / "heard"] * 2, ended.append, listen) == [3, 3]
    assert (2 * HOUR_NS, 14) in heard
    assert ended == [3, 3]
    with Runner() as one:
        assert one.each(_tells, [tmp_path / "heard"], ended.append, listen) == [3]
    assert heard[-1] == (HOUR_NS, 7)


def test_both_engines_give_the_same_figures() -> None:
    """Whoever carries it: what is measured is equal to the last bit."""
    scenario = load(SMALL)
    one, other = (run_once(scenario, 1, engine) for engine in ("reference", "vector"))
    assert one.measures.metrics == other.measures.metrics
    assert (one.engine, other.engine) == ("reference", "vector")


def test_auto_compiles_what_is_worth_it_and_only_what_it_can() -> None:
    """Small plans and plans with shared lines go to the reference engine."""
    plan = carried()[1].plan
    assert choice(plan, "auto") == "reference"
    assert choice(plan, "vector") == "vector"
    large = prepare(load(SMALL, {"load": 80}), 1).plan
    assert choice(large, "auto") == "vector"
    shared = large._replace(stations=large.stations._replace(up_law=Law.PS))
    assert choice(shared, "auto") == "reference"
    with pytest.raises(CannotCarry, match="engines are"):
        choice(plan, "steam")


def test_births_tell_whether_two_scenarios_met_the_same_documents() -> None:
    """Lines and routes do not matter, seeds, loads and replications do."""

    def seen(number: int = 1, **overrides: object) -> str:
        return births(prepare(load(SMALL, {k.replace("__", "."): v for k, v in overrides.items()}), number).plan)

    first = seen()
    assert first == seen(nodes__province__uplink="1 Mbit/s") == seen(topology__routing="tiered")
    assert len({first, seen(2), seen(experiment__seed=8), seen(load=2)}) == 4


def test_raw_rows_are_written_where_a_job_says(tmp_path: Path) -> None:
    """By the process that has them."""
    with Runner() as runner:
        runner.carry([Job(load(SMALL), 1, rows_to=tmp_path / "rows")])
    assert (tmp_path / "rows" / "deliveries.csv.gz").stat().st_size > 1000
