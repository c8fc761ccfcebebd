"""The lifecycle: every transition of the table, and a merge that gives one result in any order."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import limits
from docaxis.core.errors import TheirFault
from docaxis.core.lifecycle import (
    BY_PEOPLE,
    BY_SENDER,
    CODE_VIETNAMESE,
    FINAL,
    NEEDS_REASON,
    RECALL_ANSWERS,
    TABLE,
    VIETNAMESE,
    Code,
    Standing,
    State,
    allowed,
    merge,
    require,
)

RECALL_ID, OTHER_ID = b"r" * 32, b"o" * 32
TRANSITIONS = [(state, code, after) for state, row in TABLE.items() for code, after in row.items()]
IDS = st.integers(0, 5).map(lambda n: bytes([n]) * 32)
FACTS = st.lists(
    st.tuples(st.sampled_from(Code), IDS, IDS).map(
        lambda fact: (fact[0], fact[1], fact[2] if fact[0] in RECALL_ANSWERS else None)
    ),
    max_size=12,
)
Fact = tuple[Code, bytes, bytes | None]


def told(facts: list[Fact], start: Standing | None = None) -> Standing:
    """What is known after these facts."""
    standing = start or Standing()
    for code, statement, answers in facts:
        standing = merge(standing, code, statement, answers)
    return standing


@pytest.mark.parametrize(("state", "code", "after"), TRANSITIONS)
def test_each_transition_of_the_table_is_allowed_and_merges_as_the_table_says(
    state: State, code: Code, after: State
) -> None:
    """The table and the merge are one truth told twice."""
    standing = Standing(progress=state)
    require(standing, code, code in BY_SENDER)
    assert merge(standing, code, RECALL_ID, None).state is after


@pytest.mark.parametrize("by_sender", [True, False])
@pytest.mark.parametrize("state", [state for state in State if state is not State.RECOVERED])
def test_what_is_not_in_the_table_is_refused_and_the_refusal_names_what_is_possible(
    state: State, by_sender: bool
) -> None:
    """For each state, each side and each code."""
    possible = {code for code in TABLE[state] if (code in BY_SENDER) == by_sender}
    assert set(allowed(Standing(progress=state), by_sender)) == possible
    for code in set(Code) - possible:
        with pytest.raises(TheirFault) as caught:
            require(Standing(progress=state), code, by_sender)
        assert caught.value.code == "lifecycle.not-allowed"
        assert all(each.name.lower() in caught.value.detail for each in possible)


@pytest.mark.parametrize("state", list(State))
def test_a_waiting_recall_is_answered_by_the_recipient_before_anything_else(state: State) -> None:
    """15 leads to recovered, 16 back to the state before; the sender waits."""
    waiting = merge(Standing(progress=state), Code.RECALL, RECALL_ID, None)
    assert (waiting.waiting_recall, waiting.state) == (RECALL_ID, state)
    assert (allowed(waiting, by_sender=False), allowed(waiting, by_sender=True)) == (sorted(RECALL_ANSWERS), [])
    assert merge(waiting, Code.AGREE, OTHER_ID, RECALL_ID).state is State.RECOVERED
    declined = merge(waiting, Code.DECLINE, OTHER_ID, RECALL_ID)
    assert (declined.state, declined.waiting_recall) == (state, None)


def test_every_state_is_reachable_and_has_its_names() -> None:
    """From *sent*, by steps of the table and by an agreed recall."""
    reached, frontier = {State.RECOVERED}, {State.SENT}
    while frontier:
        reached |= frontier
        frontier = {after for state in frontier for after in TABLE[state].values()} - reached
    assert reached == set(State) == set(VIETNAMESE) == set(TABLE)
    assert set(CODE_VIETNAMESE) == set(Code)


def test_final_states_are_those_without_a_way_out() -> None:
    """Completed can still be recalled; expired, refused and recovered cannot be left by an act."""
    assert {state for state in State if not TABLE[state]} == FINAL
    recovered = Standing(State.RECEIVED, (RECALL_ID,), (), True)
    assert allowed(recovered, by_sender=True) == allowed(recovered, by_sender=False) == []


def test_steps_only_lead_up() -> None:
    """The table never lowers a rank, and its columns belong to exactly one side."""
    assert all(after >= state for state, _, after in TRANSITIONS)
    assert {Code.RECALL, Code.EXPIRED} == BY_SENDER
    assert NEEDS_REASON <= BY_PEOPLE


@given(FACTS, st.randoms(use_true_random=False))
def test_any_order_of_the_same_facts_gives_one_standing(facts: list[Fact], chance: object) -> None:
    """Late, early, shuffled: what is known does not depend on the network."""
    shuffled = list(facts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(shuffled) == told(facts)


@given(FACTS)
def test_the_same_facts_twice_change_nothing(facts: list[Fact]) -> None:
    """Idempotent, one by one and all together."""
    assert told(facts + facts) == told(facts)
    assert told([fact for fact in facts for _ in range(2)]) == told(facts)


@given(FACTS, FACTS, FACTS)
def test_facts_may_be_learned_in_portions(first: list[Fact], second: list[Fact], third: list[Fact]) -> None:
    """Associative: a node that knows some already ends where everybody ends."""
    assert told(third, told(second, told(first))) == told(first, told(third, told(second)))


@given(FACTS)
def test_progress_never_falls_and_recovered_stays(facts: list[Fact]) -> None:
    """A receiver that signs two histories moves nothing back, whichever of them comes last."""
    standings = [told(facts[:count]) for count in range(len(facts) + 1)]
    assert all(before.progress <= after.progress for before, after in pairwise(standings))
    assert all(before.agreed <= after.agreed for before, after in pairwise(standings))


def test_an_answer_that_comes_before_its_recall_counts_when_the_recall_comes() -> None:
    """Crossing messages: first the refusal of a recall that is still on its way."""
    early = merge(Standing(progress=State.RECEIVED), Code.DECLINE, OTHER_ID, RECALL_ID)
    assert merge(early, Code.RECALL, RECALL_ID, None).waiting_recall is None


def test_a_second_recall_after_a_refused_one_waits_for_its_own_answer() -> None:
    """Each recall has its own answer."""
    once = told([(Code.ARRIVED, b"a" * 32, None), (Code.RECALL, RECALL_ID, None), (Code.DECLINE, b"d" * 32, RECALL_ID)])
    require(once, Code.RECALL, by_sender=True)
    assert merge(once, Code.RECALL, OTHER_ID, None).waiting_recall == OTHER_ID


def test_a_flood_of_recalls_keeps_the_record_small_in_any_order() -> None:
    """The bound is a join itself."""
    flood: list[Fact] = [(Code.RECALL, number.to_bytes(32, "big"), None) for number in range(3 * limits.RECALLS_MAX)]
    assert len(told(flood).recalls) == limits.RECALLS_MAX
    assert told(flood) == told(flood[::-1])


def test_an_arrival_that_crosses_the_end_of_the_deadline_wins() -> None:
    """The document is there: what the sender wrote off has happened after all."""
    crossed: list[Fact] = [(Code.EXPIRED, b"x" * 32, None), (Code.ARRIVED, b"a" * 32, None)]
    assert told(crossed).state is told(crossed[::-1]).state is State.ARRIVED
