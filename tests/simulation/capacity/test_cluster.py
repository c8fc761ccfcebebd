"""A Dask scheduler and its worker on the loopback give what one process gives."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from docaxis_sim.capacity.cluster import NoCluster, connected
from docaxis_sim.capacity.plan import CannotCarry
from docaxis_sim.capacity.runner import Job, Runner
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL
from tests.simulation.capacity.test_runner import written


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real scheduler with one worker in a process of its own."""
    folder = str(tmp_path_factory.mktemp("dask"))
    make: Any = LocalCluster  # carries no types
    with make(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=folder,
        protocol="tcp",
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


def test_a_cluster_gives_the_same_bytes_as_this_process(scheduler: str, tmp_path: Path) -> None:
    """The worker gets the scenario as text: it needs no file of this machine."""
    copy = tmp_path / "question.toml"
    copy.write_bytes(SMALL.read_bytes())
    jobs = [Job(load(copy), number, slim=True) for number in (1, 2)]
    with Runner() as alone:
        expected = alone.carry(jobs)
    ended: list[int] = []
    with Runner(address=scheduler) as runner:
        assert runner.workers == 1
        copy.unlink()
        found = runner.carry(jobs, lambda each: ended.append(each.number))
    assert written(found) == written(expected)
    assert sorted(ended) == [1, 2]


def test_a_mistake_comes_back_from_the_cluster_as_what_it_is(scheduler: str) -> None:
    """An engine's refusal reads the same from afar."""
    jobs = [Job(load(SMALL, {"link_sharing": "ps"}), 1, "vector", slim=True)]
    with Runner(address=scheduler) as runner, pytest.raises(CannotCarry, match="vector engine knows no up links"):
        runner.carry(jobs)


def test_an_address_where_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, after as long as it may take."""
    monkeypatch.setattr("docaxis_sim.capacity.cluster.SECONDS_TO_CONNECT", 0.3)
    with pytest.raises(NoCluster, match="no scheduler answers at tcp"), connected("tcp://127.0.0.1:9"):
        pass
