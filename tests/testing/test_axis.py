"""Behaviour of the axis that the package offers to other people's tests."""

import asyncio
from pathlib import Path

import pytest

from docaxis.client import Client
from docaxis.client.files import Attachment
from docaxis.core.errors import OurFault
from docaxis.core.lifecycle import Code, State
from docaxis.testing import LocalAxis
from docaxis.testing.plugin import StartAxis

PATIENCE_S = 20


async def settled(client: Client, doc: str, state: State) -> None:
    """Returns when the document has reached the state, as the node's own feed tells it."""
    async with asyncio.timeout(PATIENCE_S):
        async for change in client.changes(0):
            if change.doc == doc and change.state >= state:
                return


async def test_an_axis_of_two_agencies_carries_a_document_through_every_state(local_axis: StartAxis) -> None:
    """The README's example, on real nodes."""
    axis = await local_axis("G22", "H49")
    sent = await axis["G22"].client.send(["H49"], meta={"subject": "Về việc kiểm tra"}, files=[Attachment(b"noi dung")])
    await settled(axis["H49"].client, sent.doc, State.ARRIVED)
    for code in (Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED):
        await axis["H49"].client.advance(sent.doc, code)
    await settled(axis["G22"].client, sent.doc, State.COMPLETED)
    told = (await axis["G22"].client.document(sent.doc)).history
    assert [each.code for each in told] == [
        Code.ARRIVED, Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED,
    ]  # fmt: skip


async def test_a_node_that_was_stopped_gets_what_was_sent_meanwhile(tmp_path: Path) -> None:
    """Stopping and starting a node is part of what tests of other software need."""
    async with LocalAxis(["G22", "H49"], folder=tmp_path / "axis") as axis:
        await axis["H49"].stop()
        with pytest.raises(OurFault, match="stopped"):
            axis["H49"].client  # noqa: B018 - the property refuses
        sent = await axis["G22"].client.send(["H49"], meta={"subject": "gửi khi nút tắt"})
        await axis["H49"].start()
        await settled(axis["H49"].client, sent.doc, State.ARRIVED)
        await settled(axis["G22"].client, sent.doc, State.ARRIVED)


async def test_a_folder_that_was_given_is_kept_and_cannot_hold_two_axes(tmp_path: Path) -> None:
    """Whoever names a folder wants to look at it afterwards."""
    async with LocalAxis(["G22"], folder=tmp_path):
        pass
    assert (tmp_path / "nodes" / "G22" / "node.db").is_file()
    with pytest.raises(OurFault) as refused:
        async with LocalAxis(["G22"], folder=tmp_path):
            pass
    assert refused.value.code == "node.exists"
