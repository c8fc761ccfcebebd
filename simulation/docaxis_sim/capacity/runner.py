"""Runner: one replication from scenario to measures, and many of them in this process, in others, or on a cluster.

The outcome depends on the scenario, the replication's number and nothing else: not on how many run side by side, nor
where, nor in which order they end. What the outcomes say together is `experiment`'s matter.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from docaxis_sim import machines
from docaxis_sim.capacity import cluster, edition, measure, raw_rows, reference, vector
from docaxis_sim.capacity.boards import Board, told_here
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.plan import CannotCarry, Form, Plan, Run
from docaxis_sim.capacity.portable import Parcel, pack, unpacked
from docaxis_sim.capacity.prepare import Prepared, prepare
from docaxis_sim.capacity.study import Measures, Replication
from docaxis_sim.stopwatch import Stopwatch

ENGINES: Final = ("auto", "reference", "vector", "machines")
"""What `--engine` and a scenario's `engine` take."""

WORTH_COMPILING: Final = 20_000
"""Deliveries from which on `auto` takes the vector engine where it can: for fewer, loading it takes too long."""

Progress = Callable[[int, int], None]
"""Told the simulated time in ns and how many deliveries have arrived; sums over what runs side by side."""

HEARD_EVERY_S: Final = 1.0
"""How often what other processes say is listened to."""

_Thing = TypeVar("_Thing")
_Found = TypeVar("_Found")


class Failed(Exception):
    """The machines gave up, not the scenario; says what may help."""


class Job(NamedTuple):
    """One replication to be carried out, of a scenario or of a parcel with one. `engine` as in `ENGINES`, empty for the
    scenario's own; `slim`: figures and checks alone are wanted; `rows_to`: a folder for the raw rows of deliveries, on
    the machine that asks."""

    scenario: Scenario | Parcel
    number: int
    engine: str = ""
    slim: bool = False
    rows_to: Path | None = None


def run_once(scenario: Scenario, number: int, engine: str = "", progress: Progress | None = None) -> Replication:
    """Prepares, carries and measures one replication.

    Raises `CannotCarry` where the engine cannot do it exactly, and the `ValueError`s of `prepare`."""
    return carried_out(Job(scenario, number, engine), progress)


def carried_out(job: Job, progress: Progress | None = None) -> Replication:
    """As `run_once`, for a job."""
    watch = Stopwatch()
    scenario = unpacked(job.scenario) if isinstance(job.scenario, Parcel) else job.scenario
    prepared = prepare(scenario, job.number)
    run = outcome(prepared.plan, job.engine or scenario.engine, progress)
    measures = measure.measure(prepared, run, scenario)
    if job.rows_to is not None:
        raw_rows.write(job.rows_to, prepared, run)
    if job.slim:
        measures = Measures(measures.metrics, {}, {}, measures.checks)
    return _replication(job.number, prepared, run, measures, watch)


def _replication(number: int, prepared: Prepared, run: Run, measures: Measures, watch: Stopwatch) -> Replication:
    return Replication(number, run.engine, measures, births(prepared.plan), run.events, run.seconds, watch.seconds)


def outcome(plan: Plan, engine: str, progress: Progress | None = None) -> Run:
    """The plan carried by an engine, and how long that took. Raises `CannotCarry`."""
    watch = Stopwatch()
    carry = {"vector": vector.carry, "reference": reference.carry, "machines": machines.carry}[choice(plan, engine)]
    return carry(plan, progress)._replace(seconds=watch.seconds)


def choice(plan: Plan, engine: str) -> str:
    """The engine that `auto` means for a plan, or the one that is asked for."""
    if engine not in ENGINES:
        raise CannotCarry(f"there is no engine {engine!r}; engines are {', '.join(ENGINES)}")
    if engine != "auto":
        return engine
    large = len(plan.deliveries.birth_ns) >= WORTH_COMPILING
    return "vector" if large and not vector.refusal(plan) else "reference"


def births(plan: Plan) -> str:
    """SHA-256 over who submits what to whom, when and how urgently; parts of shared content and ways do not count."""
    deliveries = plan.deliveries
    row = np.flatnonzero(deliveries.form != Form.CHUNK)
    ids = np.array([hashlib.sha256(each.encode()).digest()[:8] for each in plan.node_ids]).view(np.int64)
    ends = (deliveries.path[0][row], deliveries.path[deliveries.hops[row], row])
    sha = hashlib.sha256()
    group = deliveries.group[row]
    since = np.full(int(group.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(since, group[deliveries.parent[row] < 0], deliveries.birth_ns[row][deliveries.parent[row] < 0])
    order = np.lexsort((ids[ends[1]], group))
    for column in (since[group], ids[ends[1]], deliveries.priority[row], deliveries.traffic[row]):
        sha.update(np.ascontiguousarray(column[order].astype(np.int64)).tobytes())
    return sha.hexdigest()


class Runner:
    """Carries jobs out: in this process with one worker, else in so many processes, or on a cluster's machines."""

    def __init__(self, workers: int = 1, address: str = "") -> None:
        self.workers, self.address = workers, address
        self._executor: Executor | None = None
        self._board: Board | None = None
        self._open = ExitStack()

    def __enter__(self) -> "Runner":
        """Raises `docaxis_sim.capacity.cluster.NoCluster`."""
        if self.address:
            self._executor, self.workers = self._open.enter_context(cluster.connected(self.address))
        elif self.workers > 1:
            self._board = Board(self.workers)
            self._executor = self._open.enter_context(_processes(self.workers, self._board))
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def carry(
        self,
        jobs: Sequence[Job],
        done: Callable[[Replication], None] | None = None,
        progress: Progress | None = None,
    ) -> list[Replication]:
        """The outcomes, in the order of the jobs. `done` is told each when it has ended, `progress` what happens
        inside, where that is on this machine. Raises `CannotCarry`, `Failed`, and the `ValueError`s of `prepare`."""
        if self._executor is None:
            return [_told(carried_out(job, progress), done) for job in jobs]
        futures = {self._submitted(self._executor, job): job for job in jobs}
        for future in self._ended(futures, progress):
            brought = _result(future)
            _keep(brought.rows, futures[future].rows_to)
            _told(brought.replication, done)
        return [future.result().replication for future in futures]

    def each(
        self,
        function: Callable[[_Thing, Progress | None], _Found],
        things: Sequence[_Thing],
        done: Callable[[_Found], None],
        progress: Progress | None = None,
    ) -> list[_Found]:
        """What a function of this simulator's modules makes of each of some things, in their order; `done` is told each
        when it is there. In this process or in others, but not on a cluster. Raises what it raises, and `Failed`."""
        if self._executor is None or self.address:
            found = []
            for thing in things:
                found.append(function(thing, progress))
                done(found[-1])
            return found
        futures = [self._executor.submit(_here, function, thing) for thing in things]
        for future in self._ended(futures, progress):
            done(_result(future))
        return [future.result() for future in futures]

    def _ended(self, futures: "Iterable[Future[_Found]]", progress: Progress | None) -> "Iterator[Future[_Found]]":
        """Each as it ends; meanwhile, what is happening inside is told."""
        left = set(futures)
        listened = progress if self._board is not None else None
        while left:
            ended, left = wait(left, HEARD_EVERY_S if listened else None, FIRST_COMPLETED)
            if listened and self._board is not None:
                listened(*self._board.sums())
            yield from ended

    def _submitted(self, executor: Executor, job: Job) -> "Future[_Brought]":
        if not self.address:
            return executor.submit(_near, job)
        return executor.submit(_far, job._replace(scenario=_packed(job.scenario)), edition.deciding())


def _result(future: "Future[_Found]") -> _Found:
    try:
        return future.result()
    except BrokenProcessPool as error:
        text = "a worker process ended before its time, as happens when memory runs out; use fewer --jobs"
        raise Failed(text) from error


def _here(function: Callable[[_Thing, Progress | None], _Found], thing: _Thing) -> _Found:
    """In a worker process: what happens inside is written where who asks can read it."""
    with told_here() as progress:
        return function(thing, progress)


class _Brought(NamedTuple):
    """What comes back from a worker. `rows`: raw rows as files, from one without the folders of who asked."""

    replication: Replication
    rows: dict[str, bytes]


def _near(job: Job) -> _Brought:
    with told_here() as progress:
        return _Brought(carried_out(job, progress), {})


def _far(job: Job, expected: dict[str, str]) -> _Brought:
    """On a machine that may have joined after the others were asked what they are; none of the job's folders is its."""
    there = edition.deciding()
    if there != expected:
        raise Failed(f"a worker has another simulator: {edition.difference(there, expected)}")
    if job.rows_to is None:
        return _near(job)
    with TemporaryDirectory(prefix="docaxis-rows-") as folder:
        found = carried_out(job._replace(rows_to=Path(folder)))
        return _Brought(found, {file.name: file.read_bytes() for file in Path(folder).iterdir()})


def _keep(rows: dict[str, bytes], folder: Path | None) -> None:
    if rows and folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in rows.items():
            (folder / Path(name).name).write_bytes(content)


@contextmanager
def _processes(workers: int, board: Board) -> Iterator[Executor]:
    executor = ProcessPoolExecutor(workers, get_context("spawn"), board.take_place, (board.cells, board.taken))
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)  # nobody waits for work that nobody wants
        raise
    executor.shutdown()


def _packed(scenario: Scenario | Parcel) -> Parcel:
    return scenario if isinstance(scenario, Parcel) else pack(scenario)


def _told(replication: Replication, done: Callable[[Replication], None] | None) -> Replication:
    if done is not None:
        done(replication)
    return replication
