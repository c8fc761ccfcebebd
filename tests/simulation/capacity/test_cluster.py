"""A Dask scheduler and its worker on the loopback give what one process gives."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import LocalCluster, Security

from docaxis_sim.capacity import edition
from docaxis_sim.capacity.cluster import NoCluster, connected
from docaxis_sim.capacity.plan import CannotCarry
from docaxis_sim.capacity.runner import Failed, Job, Runner
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL
from tests.simulation.capacity.test_runner import written


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real scheduler with one worker of two threads in a process of its own."""
    folder = str(tmp_path_factory.mktemp("dask"))
    make: Any = LocalCluster  # carries no types
    with make(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0", local_directory=folder,
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
        assert runner.workers == 2
        copy.unlink()
        found = runner.carry(jobs, lambda each: ended.append(each.number))
    assert written(found) == written(expected)
    assert sorted(ended) == [1, 2]


def test_a_mistake_comes_back_from_the_cluster_as_what_it_is(scheduler: str) -> None:
    """An engine's refusal reads the same from afar."""
    jobs = [Job(load(SMALL, {"link_sharing": "ps"}), 1, "vector", slim=True)]
    with Runner(address=scheduler) as runner, pytest.raises(CannotCarry, match="vector engine knows no up links"):
        runner.carry(jobs)


@pytest.mark.parametrize(
    "address", ["foo", "10.0.0.5:8786", "tcp://10.0.0.5", "tcp://:8786", "tcp://a:99999", "tcp://"]
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask would take some words for a way of its own to find a scheduler, and show a traceback."""
    monkeypatch.setattr("distributed.Client", lambda *_, **__: pytest.fail("somebody was asked"))
    with pytest.raises(NoCluster, match=r"is no address of a scheduler: write tcp://HOST:PORT"), connected(address):
        pass


def test_an_address_where_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, after as long as it may take."""
    monkeypatch.setattr("docaxis_sim.capacity.cluster.SECONDS_TO_CONNECT", 0.3)
    with pytest.raises(NoCluster, match="no scheduler answers at tcp"), connected("tcp://127.0.0.1:9"):
        pass


def test_raw_rows_come_home_from_the_cluster(scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is somewhere else: a folder that is named here is nothing there."""
    monkeypatch.chdir(tmp_path)
    job = Job(load(SMALL), 1, rows_to=Path("answer") / "rows")
    with Runner(address=scheduler) as runner:
        runner.carry([job])
    found = tmp_path / "answer" / "rows" / "deliveries.csv.gz"
    with Runner() as alone:
        alone.carry([job._replace(rows_to=tmp_path / "here")])
    assert gzip.decompress(found.read_bytes()) == gzip.decompress(
        (tmp_path / "here" / "deliveries.csv.gz").read_bytes()
    )


def test_a_worker_with_another_simulator_is_refused_by_name(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other libraries may find other figures; whoever joins later is asked, too."""
    here = edition.versions() | {"numpy": "0.1"}
    job = Job(load(SMALL), 1, slim=True)
    with Runner(address=scheduler) as runner:
        monkeypatch.setattr(edition, "versions", lambda: here)
        with pytest.raises(Failed, match=r"a worker has another simulator: numpy [\d.]+ instead of 0\.1"):
            runner.carry([job])
    with pytest.raises(NoCluster, match=r"the worker .* has another simulator: numpy [\d.]+ instead of 0\.1"):
        Runner(address=scheduler).__enter__()


PAGE = Path(__file__).resolve().parents[3] / "simulation" / "docs" / "many-machines.md"
SETTINGS = re.findall(r"^(DASK_\w+)=(\S+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_a_cluster_behind_certificates_is_reached_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Dask's own settings; without them nobody gets in, and is told so."""
    security: Any = Security  # carries no types
    made = security.temporary()
    kept = {"ca.pem": made.tls_ca_file, "client.pem": made.tls_client_cert, "client.key": made.tls_client_key}
    for name, text in kept.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert {Path(value).name for _, value in SETTINGS} == set(kept)
    stated = {name: str(tmp_path / Path(value).name) for name, value in SETTINGS}
    make: Any = LocalCluster
    with make(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", local_directory=str(tmp_path),
        protocol="tls", security=made,
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address
        assert address.startswith("tls://")
        with pytest.raises(NoCluster, match="no scheduler answers at tls"), connected(address):
            pass
        settings = dask.config.merge(dask.config.config, dask.config.collect_env(stated))
        with dask.config.set(settings), connected(address) as (_, workers):
            assert workers == 1
