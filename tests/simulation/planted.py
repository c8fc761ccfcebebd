"""Planted bugs: each breaks the real machine in one way, for tests only; here are the worlds that show them.

`PLANTED` names for each the scenario, the first seed whose world shows it, and the promises of which one is then
broken. Drawn worlds change when the drawing or the protocol does: ``python -m tests.simulation.planted`` looks for the
first seeds again, from 0 to 199, and prints them.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from docaxis_sim import fault_file, faults
from docaxis_sim.world import Broken
from tests.simulation import bugs, bugs_of_keeping, bugs_of_trust

Patch = pytest.MonkeyPatch


class Planted(NamedTuple):
    """A bug, the promises of which it breaks one, and where: a scenario under ``scenarios/faults``, and the first of
    its seeds that shows it."""

    plant: Callable[[Patch], None]
    promises: frozenset[str]
    seed: int
    scenario: str = "swarm"


def _row(plant: Callable[[Patch], None], promises: str, seed: int, scenario: str = "swarm") -> Planted:
    return Planted(plant, frozenset(promises.split(" | ")), seed, scenario)


NAMED: Final = (
    _row(bugs.no_dedupe, "once | chain | monotone", 0),
    _row(bugs.answer_before_commit, "durable before spoken | kept is kept", 0),
    _row(bugs.forgets_postponed_items_at_a_restart, "no loss | alive | nothing queued", 1),
    _row(bugs.forgets_failures_when_the_peer_calls, "patience", 0),
    _row(bugs.one_bad_item_stops_the_queue, "one bad item", 0, "one-bad-item"),
    _row(bugs.accepts_under_a_stale_directory, "fresh enough", 12),
    _row(bugs.moves_states_back, "monotone | no loss", 0),
    _row(bugs.answers_with_the_receipt_of_another_document, "receipt for its document", 0),
    _row(bugs.takes_the_next_step_for_the_answer_to_a_recall, "no loss | joined up | monotone", 2),
    _row(bugs.ignores_the_epochs_of_others, "no loss | nothing queued | unbroken", 0),
    _row(bugs.ignores_credit, "within credit", 0),
    _row(bugs.expires_in_silence, "no loss", 2),
)
"""The twelve that any simulator of such a protocol must find."""
PLANTED: Final = (
    *NAMED,
    _row(bugs.gives_up_after_a_few_failures, "no loss | alive", 1),
    _row(bugs.asks_for_content_once, "no loss | alive", 1),
    _row(bugs.believes_revoked_keys, "authority", 2),
    _row(bugs.forgets_its_place_in_the_chain, "chain", 0),
    _row(bugs.tries_without_end, "patience | calm", 0),
    _row(bugs.expires_too_early, "deadline", 0),
    _row(bugs.tells_no_one_of_its_new_epoch, "no loss | nothing queued", 0),
    _row(bugs.loses_keys_of_requests, "one key, one document", 0),
    _row(bugs.counts_on_unsigned_answers, "no loss | alive", 0),
    _row(bugs.delivers_under_a_stale_directory, "fresh enough", 12),
    _row(bugs.fills_the_queue_of_another, "for its recipients", 0),
    _row(bugs.asks_one_peer_after_the_other, "isolated", 0, "bad-peers"),
    _row(bugs_of_trust.looks_at_no_signature, "provable", 2),
    _row(bugs_of_trust.looks_at_no_path, "provable", 2),
    _row(bugs_of_trust.does_not_ask_who_signed, "provable", 24),
    _row(bugs_of_trust.lets_everybody_speak_for_everybody, "authentic | provable", 24),
    _row(bugs_of_trust.stops_when_the_publisher_does, "goes on", 0, "publisher-gone"),
    _row(bugs_of_trust.goes_back_to_an_older_directory, "never back", 2),
    _row(bugs_of_trust.takes_a_frozen_directory_for_fresh, "not frozen", 2),
    _row(bugs_of_trust.believes_entries_whoever_signed_them, "truly listed", 2),
    _row(bugs_of_trust.believes_revocations_whoever_signed_them, "truly revoked", 2),
    _row(bugs_of_keeping.forgets_the_first_word, "unbroken", 6),
    _row(bugs_of_keeping.claims_more_than_was_said, "joined up", 0),
    _row(bugs_of_keeping.signs_for_content_that_has_not_come, "receipts are true", 1),
    _row(bugs_of_keeping.never_takes_anything_from_a_queue, "nothing queued", 0),
    _row(bugs_of_keeping.tells_people_twice, "once", 0),
    _row(bugs_of_keeping.looks_for_due_work_all_the_time, "calm", 0),
    _row(bugs_of_keeping.keeps_no_word_that_it_says_is_kept, "kept is kept", 0),
    _row(bugs_of_keeping.leaves_one_result_out, "one result per item", 0),
    _row(bugs_of_keeping.is_at_a_loss_for_a_word_on_what_it_does_not_know, "never at a loss", 3),
)
SEEDS: Final = range(200)
FOLDER: Final = Path(__file__).resolve().parents[2] / "scenarios" / "faults"


def breach(scenario: str, seed: int) -> str:
    """The promise that the world of a seed breaks now, or nothing."""
    try:
        faults.run(seed, fault_file.plan(fault_file.read(FOLDER / f"{scenario}.toml"), seed))
    except Broken as broken:
        return broken.breach.promise
    return ""


def first(bug: Planted, seeds: Iterable[int]) -> tuple[int, str]:
    """The first of these seeds whose world breaks a promise under a bug, and that promise; -1 and nothing if none."""
    with Patch.context() as patch:
        bug.plant(patch)
        return next(((seed, found) for seed in seeds if (found := breach(bug.scenario, seed))), (-1, ""))


def main() -> int:
    """Looks for each bug in the worlds from seed 0 on, as if nothing were known, and says where it was found."""
    missed = 0
    for bug in PLANTED:
        seed, promise = first(bug, SEEDS)
        honest = seed < 0 or not breach(bug.scenario, seed)
        found = promise in bug.promises and honest
        missed += not found
        said = f"seed {seed}: {promise}" if seed >= 0 else f"nothing in {len(SEEDS)} worlds"
        sys.stdout.write(f"{bug.plant.__name__}: {bug.scenario}, {said}{'' if found else ' (NOT AS IT SHOULD BE)'}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
