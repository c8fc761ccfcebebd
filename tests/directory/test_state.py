"""What a node remembers beside the files: it reads back, and nonsense is nothing."""

from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.ids import KeyId
from docaxis.core.trust import Versions
from docaxis.directory.state import EMPTY, State, read_state, write_state

NUMBERS = st.integers(0, 2**62)
STATES = st.builds(
    State,
    floor=st.builds(
        Versions, NUMBERS, NUMBERS, NUMBERS, st.dictionaries(st.sampled_from(["targets", "H49", "G22"]), NUMBERS)
    ),
    verified_ms=NUMBERS,
    revoked=st.dictionaries(st.binary(min_size=8, max_size=8).map(KeyId), NUMBERS),
)


@given(STATES)
def test_a_state_reads_back_as_written(state: State) -> None:
    """Floor, time of verification, revoked keys."""
    assert read_state(write_state(state)) == state


@given(st.binary(max_size=200))
def test_nonsense_is_an_empty_state(raw: bytes) -> None:
    """A damaged cache is fetched again, never a crash."""
    assert read_state(raw) == EMPTY
    assert read_state(None) == EMPTY


@given(STATES, st.data())
def test_a_damaged_state_is_read_as_it_stands_or_not_at_all(state: State, data: st.DataObject) -> None:
    """No damage ends in an exception."""
    raw = bytearray(write_state(state))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(read_state(bytes(raw)), State)
