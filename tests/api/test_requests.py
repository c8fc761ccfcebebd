"""JSON of strangers: whatever it is, it becomes a plain value of the right types or a refusal with a code."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.api import requests
from docaxis.core.errors import REGISTRY, TheirFault
from docaxis.core.events import Act, Submission
from docaxis.core.ids import DocId
from tests.api.conftest import Pair

T = TypeVar("T")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FILES = st.lists(
    st.dictionaries(st.sampled_from(["name", "media", "size", "chunk", "chunks", "data", "x"]), JSON, max_size=6)
)
SUBMISSIONS = st.fixed_dictionaries(
    {},
    optional={
        "to": st.lists(st.sampled_from(["H49", "H54", "", "x"])) | JSON,
        "kind": st.sampled_from(["new", "update", "replace"]) | JSON,
        "ref": st.sampled_from([None, "00" * 32]) | JSON,
        "priority": st.sampled_from(["express", 0, 4, 5]) | JSON,
        "expires_ms": JSON,
        "meta": st.dictionaries(st.sampled_from(["subject", "number", "secrecy"]), JSON) | JSON,
        "files": FILES | JSON,
    },
)
STATEMENTS = st.dictionaries(st.sampled_from(["code", "recipient", "text", "actor", "x"]), JSON)


def outcome(read: Callable[[], T]) -> T | str:
    """What was read, or the code of the refusal."""
    try:
        return read()
    except TheirFault as error:
        return error.code


@given(SUBMISSIONS)
def test_any_submission_is_read_or_refused_by_a_code(value: dict[str, Any]) -> None:
    """No other error ever comes out of reading."""
    read = outcome(lambda: requests.read_submission(value, "key")[0])
    assert isinstance(read, Submission) or REGISTRY[read].status < 500


@given(STATEMENTS)
def test_any_statement_is_read_or_refused_by_a_code(value: dict[str, Any]) -> None:
    """No other error ever comes out of reading."""
    read = outcome(lambda: requests.read_act(value, "key", DocId(bytes(32))))
    assert isinstance(read, Act) or REGISTRY[read].status < 500


def test_the_digest_is_of_the_meaning_and_not_of_the_spelling() -> None:
    """A default that is written out, or content that came another way, is the same request."""
    inline, _ = requests.read_submission({"to": ["H49"], "files": [{"name": "a", "data": "YQ=="}]}, "k")
    digest = inline.files[0].chunks[0].hex()
    spelt = {"to": ["H49"], "kind": "new", "priority": 0, "files": [{"name": "a", "size": 1, "chunks": [digest]}]}
    uploaded, _ = requests.read_submission(spelt, "other key")
    assert inline.digest == uploaded.digest
    other, _ = requests.read_submission(spelt | {"priority": "urgent"}, "k")
    assert other.digest != inline.digest


@pytest.mark.asyncio(loop_scope="module")
@given(st.sampled_from(["/v1/documents", f"/v1/documents/{'0' * 64}/statements", "/v1/admin/backup"]), JSON)
async def test_no_json_is_a_mistake_of_ours(shared: Pair, path: str, value: object) -> None:
    """Over HTTP, against a real node: every answer is below 500."""
    async with shared.http.post(path, data=json.dumps(value), headers={"Idempotency-Key": "k"}) as response:
        assert response.status < 500, await response.text()
