"""Values of the node as JSON: times that are right in Vietnam, and nothing that JSON cannot hold."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.api import views
from docaxis.core.lifecycle import CODE_VIETNAMESE, VIETNAMESE, Code, State


@given(st.integers(1, 253_402_275_599_999))
def test_a_time_and_its_iso_form_are_the_same_moment(time_ms: int) -> None:
    """Read back by the standard library, to the millisecond."""
    text = views.iso(time_ms)
    assert text is not None
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() == views.VIETNAM.utcoffset(None)
    assert round(moment.timestamp() * 1000) == time_ms


@pytest.mark.parametrize("time_ms", [0, -1, 253_402_275_600_000, 2**63 - 1])
def test_a_time_that_no_calendar_names_is_null(time_ms: int) -> None:
    """A peer may claim any time; showing it must not fail."""
    assert views.iso(time_ms) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(State), inner),
    max_leaves=20,
)


@given(VALUES)
def test_whatever_the_node_says_becomes_json(value: object) -> None:
    """Bytes are digits and states are names."""
    json.dumps(views.plain(value))


def test_every_state_and_code_has_a_vietnamese_name() -> None:
    """A clerk never reads a bare number."""
    assert VIETNAMESE.keys() == set(State)
    assert CODE_VIETNAMESE.keys() == set(Code)
    assert views.state_of(State.RECOVERED) == {"state": "recovered", "state_vi": "đã thu hồi"}
    assert views.code_of(Code.AGREE) == {"code": "15", "name": "agree", "name_vi": "đồng ý lấy lại"}
