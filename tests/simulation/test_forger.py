"""Somebody with the certificate of a party: whatever he says is refused for its own reason, and honest mail goes on."""

from collections import Counter
from collections.abc import Mapping

import pytest

from docaxis.core.effects import LogRefusal
from docaxis.core.lifecycle import Code, State
from docaxis.core.limits import HOUR_MS, MINUTE_MS
from docaxis_sim import checkers, fault_file
from docaxis_sim.capacity.shipped import shipped
from docaxis_sim.checkers import Transmission
from docaxis_sim.plan import Fault, Kind, Plan
from docaxis_sim.world import Outcome, World

FORGER = Fault(Kind.FORGER, 0, HOUR_MS, "H49", "G22")


@pytest.fixture(scope="module")
def world() -> tuple[World, Outcome]:
    """H49's certificate is stolen for an hour, in which three agencies write to each other."""
    plan = Plan(("G22", "H49", "H26"), 2 * HOUR_MS, faults=(FORGER,))
    made = World(1, plan._replace(work=plan.work._replace(documents=0, office_ms=0, recall=0)))
    for minute in range(1, 60, 3):
        order = made.workload.order(minute * MINUTE_MS, "G22", "H49", "H26")
        made.workload.order(minute * MINUTE_MS, "H49", "G22")
        made.workload.state((minute + 1) * MINUTE_MS, "H26", order, Code.RECEIVED)
    return made, made.run()


def test_each_rule_of_whom_to_believe_is_what_refuses_him(world: tuple[World, Outcome]) -> None:
    """A key that is not listed, a signature by another, a path to another root, a name that is not his, a word on what
    is not his to state: all of them at G22, and none of them more often than it was said."""
    logs = [op for op in world[0].ledger.logs["G22"] if isinstance(op, LogRefusal)]
    codes = Counter(op.code for op in logs if op.peer == "H49")
    assert {"seal.key-unknown", "seal.bad-signature", "seal.bad-path"} <= set(codes)
    assert {"party.mismatch", "statement.wrong-author"} <= set(codes)


def test_every_kind_of_forgery_was_offered_and_none_was_kept(world: tuple[World, Outcome]) -> None:
    """Documents, words and receipts; a node that kept one would have broken a promise."""
    happened = world[1].happened
    for kind in ("envelope", "statement", "receipt"):
        assert happened[f"forged {kind} refused"] > 3


def test_honest_mail_goes_on_and_what_he_swallowed_comes_later(world: tuple[World, Outcome]) -> None:
    """Everything arrives, and no state is another than the one that was stated."""
    made, outcome = world
    assert outcome.acknowledged == 40
    states = {record.standing.state for shelf in made.ledger.shelves.values() for record in shelf.records.values()}
    assert states == {State.ARRIVED, State.RECEIVED}


@pytest.mark.parametrize(("name", "bad"), [("forger", {"H49", "H29"}), ("bad-peers", {"H49", "H29"})])
def test_in_shipped_worlds_the_others_waits_are_compared(
    name: str, bad: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad peer harms only itself: a comparison that is skipped would hold whatever happens."""
    compared: list[frozenset[str]] = []
    isolated = checkers.isolated

    def told(alone: Mapping[Transmission, int], beside: Mapping[Transmission, int], healthy: frozenset[str]) -> None:
        compared.append(healthy)
        isolated(alone, beside, healthy)

    monkeypatch.setattr(checkers, "isolated", told)
    plan = fault_file.plan(fault_file.read(shipped() / "faults" / f"{name}.toml"), 3)
    World(3, plan).run()
    assert compared == [frozenset(plan.parties) - bad]
