"""A revocation travels by hand and from node to node: the directory's publisher need not live for it."""

import shutil
from pathlib import Path

import pytest

from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.lifecycle import State
from docaxis.core.limits import SECOND_MS
from docaxis.core.trust import encode_revocations
from docaxis.directory.entries import certificate_key_id, make_key
from docaxis.runtime.node import Node
from docaxis.seal.keys import new_ed25519, public_ed25519
from tests.runtime.town import Town, eventually, submission, until

H54 = PartyId("H54")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Three agencies; H54 has a second signing key, so that the loss of one does not end its connections."""
    town = Town(tmp_path, ["G22", "H49", "H54"])
    entry = town.ceremony.bench.entries_of(H54)[H54]
    spare = make_key(public_ed25519(new_ed25519()), town.now_ms)
    town.ceremony.put(entry._replace(keys=(*entry.keys, spare)))
    town.ceremony.publish(town.now_ms + SECOND_MS)
    return town


def stick(town: Town, key: KeyId) -> bytes:
    """The file that the officers of H54 signed against one of its keys, on no server at all."""
    town.ceremony.revoke(H54, key, town.now_ms, "máy chủ bị chiếm")
    signed = encode_revocations(town.ceremony.bench.revocations)
    town.ceremony.bench.revocations.clear()
    return signed


async def send(node: Node, *to: str) -> DocId:
    """A document; its id."""
    return DocId(bytes.fromhex(str((await node.submit(submission(to)))["doc"])))


async def refused(node: Node, code: str) -> None:
    """Returns once the node's own log of refusals shows that code for H54."""

    async def seen() -> bool:
        return any((row.peer, row.code) == ("H54", code) for row in await node.store.refusals(100))

    await eventually(seen)


async def test_a_revocation_given_to_one_node_is_honoured_by_another_while_the_publisher_is_gone(town: Town) -> None:
    """A stick, one node, and a peer that asks it: what the revoked key signs is refused at both."""
    async with town.running("G22") as office, town.running("H49") as province, town.running("H54") as stolen:
        await until(stolen, await send(stolen.node, "H49"), State.ARRIVED)
        shutil.rmtree(town.ceremony.public)
        key = town.entries["H54"].keys[0].id
        said = await office.node.revoke(stick(town, key))
        assert said == {"honoured": [{"party": "H54", "key": key.hex()}], "known": 0, "passed_over": []}
        assert key in office.node.book.revoked
        await province.node._refresher.once()
        assert key in province.node.book.revoked
        assert province.node.directory_file("revocations") == office.node.directory_file("revocations")
        sent = await send(stolen.node, "G22", "H49")
        for node in (office.node, province.node):
            await refused(node, "party.revoked")
            assert await node.store.document(sent) == ((), ())
    async with town.running("G22") as office:
        assert key in office.node.book.revoked, "it is kept"


async def test_a_revoked_certificate_is_shut_out_at_once(town: Town) -> None:
    """Nobody waits for a refresh: the connection that is open ends its usefulness with the next request."""
    async with town.running("G22") as office, town.running("H54") as stolen:
        await until(stolen, await send(stolen.node, "G22"), State.ARRIVED)
        await office.node.revoke(stick(town, certificate_key_id(town.entries["H54"].certificates[0])))
        sent = await send(stolen.node, "G22")
        await eventually(lambda: turned_away(office.node))
        assert await office.node.store.document(sent) == ((), ())


async def turned_away(node: Node) -> bool:
    """Whether somebody was, on an open connection or at the handshake of a new one."""
    codes = {row.code for row in await node.store.refusals(100)}
    return bool(codes & {"party.revoked", "party.unknown"})


async def test_a_word_without_enough_officers_revokes_nothing_and_says_why(town: Town) -> None:
    """Else anybody with a token could silence anybody."""
    async with town.running("G22") as office:
        foreign = town.entries["G22"].keys[0].id
        with pytest.raises(TheirFault) as caught:
            await office.node.revoke(stick(town, foreign))
        assert caught.value.code == "directory.wrong-path"
        assert office.node.book.revoked == {}
