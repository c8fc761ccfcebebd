"""What is found is made small, written down, and found again in the file; the honest machine passes it."""

from pathlib import Path

import pytest

from docaxis.core.limits import SECOND_MS
from docaxis_sim import fault_file, faults, shrink
from docaxis_sim.checkers import Breach
from docaxis_sim.life import Life
from docaxis_sim.swarm import draw
from docaxis_sim.world import Broken, World
from tests.simulation.bugs import no_dedupe

Patch = pytest.MonkeyPatch
HERE = Path(__file__).resolve().parents[2] / "scenarios"


def test_a_failing_world_becomes_a_few_parts_and_a_file_that_repeats_it(monkeypatch: Patch, tmp_path: Path) -> None:
    """One letter at a whole second and a network that doubles it, of twelve letters and seven faults; the file gives
    the same trace, and without the bug it passes."""
    plan = draw(0)
    assert len(plan.faults) == 7
    with monkeypatch.context() as patch:
        no_dedupe(patch)
        with pytest.raises(Broken) as caught:
            faults.run(0, plan)
        promise = caught.value.breach.promise
        small = shrink.shrink(0, plan, promise)
        assert small is not None
        (letter,) = small.plan.letters
        assert letter.at_ms % SECOND_MS == small.plan.busy_ms % SECOND_MS == 0
        assert small.plan.faults == ()
        assert (small.plan.crash, small.plan.crash_at) == (0, ())
        assert len(small.plan.parties) <= 3
        assert small.plan.work.office_ms == 0
        file = faults.keep(0, small, tmp_path)
        assert fault_file.plan(fault_file.read(file), 0) == small.plan
        world = World(0, small.plan)
        with pytest.raises(Broken, match=promise):
            world.run()
        assert world.trace.digest() == small.trace
    assert faults.main([str(file)]) == faults.HELD


def test_of_many_crashes_those_that_matter_are_left_by_their_numbers(monkeypatch: Patch) -> None:
    """Drawn by chance at every boundary at first; here to die while the disk writes is the mistake."""
    struck = Life._struck

    def never_in_a_commit(self: Life, boundary: str) -> bool:
        if struck(self, boundary):
            if boundary == "in commit":
                raise Breach("dies well", f"{self.machine.delivery()}")
            return True
        return False

    monkeypatch.setattr(Life, "_struck", never_in_a_commit)
    small = shrink.shrink(0, draw(0)._replace(crash=30), "dies well")
    assert small is not None
    assert small.plan.crash == 0
    assert len(small.plan.crash_at) == 1


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


@pytest.mark.parametrize("file", sorted((HERE / "found").glob("*.toml")), ids=str)
def test_what_was_found_once_is_not_found_again(file: Path) -> None:
    """Every kept plan holds now."""
    assert faults.main([str(file)]) == faults.HELD
