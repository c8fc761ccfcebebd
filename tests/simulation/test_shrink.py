"""What is found is made small, written down, and found again in the file; the honest machine passes it."""

from pathlib import Path

import pytest

from docaxis.core.addresses import Book
from docaxis_sim import fault_file, faults, shrink
from docaxis_sim.plan import Kind
from docaxis_sim.swarm import draw
from docaxis_sim.world import Broken, World

Patch = pytest.MonkeyPatch
HERE = Path(__file__).resolve().parents[2] / "scenarios"


def plant(patch: Patch) -> None:
    """A revocation is published, read, and not looked at."""
    signing_key = Book.signing_key

    def trusting(self: Book, *of: object) -> object:
        revoked, self.revoked = self.revoked, {}
        try:
            return signing_key(self, *of)  # type: ignore[arg-type]  # handed on as they came
        finally:
            self.revoked = revoked

    patch.setattr(Book, "signing_key", trusting)


def first_broken() -> Broken:
    """The first drawn world in which the planted bug shows."""
    for seed in range(20):
        if any(fault.kind is Kind.REVOKE for fault in draw(seed).faults):
            try:
                faults.run(seed)
            except Broken as broken:
                return broken
    raise AssertionError("the planted bug shows nowhere")


def test_a_failing_world_becomes_a_few_parts_and_a_file_that_repeats_it(monkeypatch: Patch, tmp_path: Path) -> None:
    """The revocation, a document or two, nothing else; the file gives the same trace, and without the bug it passes."""
    with monkeypatch.context() as patch:
        plant(patch)
        broken = first_broken()
        small = shrink.shrink(broken.seed, broken.plan, broken.breach.promise)
        assert small is not None
        assert [fault.kind for fault in small.plan.faults] == [Kind.REVOKE]
        assert len(small.plan.letters) <= 3
        assert len(small.plan.crash_at) <= 1
        assert small.plan.crash == 0
        file = faults.keep(broken.seed, small, tmp_path)
        source = fault_file.read(file)
        assert fault_file.plan(source, broken.seed) == small.plan
        world = World(broken.seed, small.plan)
        with pytest.raises(Broken, match="authority"):
            world.run()
        assert world.trace.digest() == small.trace
    assert faults.main([str(file)]) == faults.HELD


def test_a_world_that_breaks_nothing_is_not_made_smaller() -> None:
    """There is nothing to keep."""
    assert shrink.shrink(11, draw(11), "no loss") is None


def test_letters_that_are_written_out_give_the_same_world() -> None:
    """Before anything is left out, the plan that is shrunk is the plan that failed."""
    told: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shrink, "RUNS_MAX", 1)
        patch.setattr("docaxis_sim.checkers.EVENTS_PER_MINUTE_MAX", 40)
        plan = draw(5)
        with pytest.raises(Broken, match="calm") as caught:
            faults.run(5, plan)
        world = World(5, plan)
        with pytest.raises(Broken, match="calm"):
            world.run()
        small = shrink.shrink(5, plan, caught.value.breach.promise, lambda runs, _plan: told.append(runs))
    assert small is not None
    assert small.trace == world.trace.digest()
    assert small.plan.work.documents == 0
    assert len(small.plan.letters) == plan.work.documents
    assert told == [1]


@pytest.mark.parametrize("file", sorted((HERE / "found").glob("*.toml")) or [None], ids=str)
def test_what_was_found_once_is_not_found_again(file: Path | None) -> None:
    """Every kept plan holds now; where nothing was ever found, this says so."""
    if file is None:
        pytest.skip("nothing is kept in scenarios/found")
    assert faults.main([str(file)]) == faults.HELD
