"""The feed of changes: nothing missed, nothing twice, and waiting that costs nothing."""

import asyncio

import pytest

from docaxis.api import limits
from tests.api import described
from tests.api.conftest import Pair
from tests.api.test_app import problem_of
from tests.api.test_documents import get

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_waiter_hears_of_a_change_as_soon_as_it_is_durable(shared: Pair) -> None:
    """The poll began before the document existed, and ends with its arrival."""
    after = (await get(shared, "/v1/changes?after=latest"))["after"]
    waiting = asyncio.ensure_future(get(shared, f"/v1/changes?after={after}&wait_s=60"))
    sent = await shared.sender.send(["H49"])
    found = await waiting
    described.check("Changes", found)
    (change,) = found["changes"]
    assert (change["doc"], change["name"], change["by"]) == (sent.doc, "arrived", "H49")
    assert found["after"] == change["cursor"] > after


async def test_a_wait_that_ends_with_nothing_gives_back_the_cursor(shared: Pair) -> None:
    """Whoever asks again with it misses nothing."""
    after = (await get(shared, "/v1/changes?after=latest"))["after"]
    found = await get(shared, f"/v1/changes?after={after}&wait_s=0")
    assert found == {"changes": [], "after": after}
    found = await get(shared, f"/v1/changes?after={after + 1000}")
    assert found == {"changes": [], "after": after + 1000}


async def test_the_feed_is_read_in_pages_without_a_gap(shared: Pair) -> None:
    """Each page begins where the one before ended, in the order in which things became known."""
    for _ in range(5):
        await shared.sender.send(["H49"])
    async for change in shared.sender.changes(0):
        if change.cursor >= 5:
            break
    cursors, after = [], 0
    while page := (await get(shared, f"/v1/changes?after={after}&limit=2"))["changes"]:
        cursors += [line["cursor"] for line in page]
        after = cursors[-1]
    assert cursors == sorted(set(cursors))
    assert len(cursors) >= 5


async def test_many_may_wait_at_once(shared: Pair) -> None:
    """A province's communes all wait; each is told."""
    after = (await get(shared, "/v1/changes?after=latest"))["after"]
    waiting = [asyncio.ensure_future(get(shared, f"/v1/changes?after={after}&wait_s=60")) for _ in range(80)]
    await shared.sender.send(["H49"])
    assert {len((await one)["changes"]) for one in waiting} == {1}


async def test_waiters_are_bounded(shared: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is asked to come back, and told when."""
    monkeypatch.setattr(limits, "WAITERS_MAX", 0)
    async with shared.http.get("/v1/changes") as response:
        assert (await problem_of(response))["code"] == "node.busy"
        assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1.5", f"after={2**63}", "wait_s=61", "limit=1001"])
async def test_a_wrong_question_is_refused(shared: Pair, query: str) -> None:
    """A cursor that is no cursor would silently start from the beginning."""
    assert (await get(shared, f"/v1/changes?{query}", 400))["code"] == "request.malformed"
