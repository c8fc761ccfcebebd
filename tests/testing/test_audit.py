"""The judge judged: faults planted in the databases that a real axis left behind, and an axis with none.

Every demonstration and every kill test ends with this audit, so that each fault it cannot see is one they cannot see.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from docaxis.client import Client
from docaxis.client.files import Attachment
from docaxis.core.effects import LogRefusal
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.limits import KIB
from docaxis.runtime import folder as places
from docaxis.testing import LocalAxis
from docaxis.testing.audit import Attempt, Findings, Repeat, audit, refused, without_effect
from docaxis.testing.ground import Ground

PATIENCE_S = 30
CODES = ("G22", "H49", "H55")
LARGE = bytes(range(256)) * (200 * KIB // 256)
HONEST = Findings(
    documents=5,
    transmissions=6,
    deliveries=6,
    receipts_verified=6,
    statements_verified=22,
    by_state={"arrived": 3, "completed": 1, "recovered": 1, "refused": 1},
    lost=0,
    duplicated=0,
    false=0,
    unproven=0,
    refusals={},
)


class Played(NamedTuple):
    """What an axis left behind: its ground, and of documents of G22 the ids of one to two agencies of which H49
    completed it, of one that has only arrived at H49, and of one whose content H49 had to pull."""

    ground: Ground
    both: DocId
    plain: DocId
    large: DocId


class Copy:
    """A copy of those databases, to plant a fault in."""

    def __init__(self, folder: Path, played: Played) -> None:
        shutil.copytree(played.ground.folder / "nodes", folder / "nodes")
        of = played.ground
        self.ground = Ground(folder, of.agencies, of.ceremony, [of.entry(code) for code in CODES])
        self.docs = played._asdict()

    def plant(self, rows: Sequence["Row"]) -> None:
        """Changes those rows behind everybody's back."""
        for code, doc, statement in rows:
            with closing(sqlite3.connect(self.ground.nodes[code] / places.DATABASE)) as connection, connection:
                assert connection.execute(statement, {"doc": self.docs[doc], "other": self.docs["both"]}).rowcount == 1

    def chunk(self, code: str) -> Path:
        """The file of the large document's chunk."""
        (found,) = [each for each in (self.ground.nodes[code] / places.BLOBS).rglob("*") if each.is_file()]
        return found


async def reached(client: Client, doc: str, state: State) -> None:
    """Returns when the document has that state at every recipient."""
    async with asyncio.timeout(PATIENCE_S):
        async for _ in client.changes(0):
            if all(each.state is state for each in (await client.document(doc)).transmissions):
                return


async def play(folder: Path) -> Played:
    """Five letters to six ends, three of them the same."""
    async with LocalAxis(CODES, folder=folder) as axis:
        office, hue, danang = (axis[code].client for code in CODES)
        both = await office.send(["H49", "H55"], files=[Attachment(b"noi dung", "a.txt")])
        plain = await office.send(["H49"], files=[Attachment(b"cong van", "d.txt")])
        large = await office.send(["H49"], files=[Attachment(LARGE, "b.pdf")])
        wrong = await office.send(["H55"], files=[Attachment(b"nham", "c.txt")])
        back = await hue.send(["G22"])
        for sender, sent in ((office, both), (office, plain), (office, large), (office, wrong), (hue, back)):
            await reached(sender, sent.doc, State.ARRIVED)
        await hue.advance(both.doc, Code.COMPLETED)
        await office.refuse(back.doc, "không thuộc thẩm quyền")
        await office.recall(wrong.doc, "gửi nhầm")
        async with asyncio.timeout(PATIENCE_S):
            async for change in danang.changes(0):
                if change.code is Code.RECALL:
                    break
        await danang.agree(wrong.doc)
        await reached(office, wrong.doc, State.RECOVERED)
        await reached(hue, back.doc, State.REFUSED)
        async with asyncio.timeout(PATIENCE_S):
            async for change in office.changes(0):
                if change.code is Code.COMPLETED:
                    break
    return Played(axis.ground, *(DocId(bytes.fromhex(each.doc)) for each in (both, plain, large)))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One run serves all tests: each plants its fault in a copy."""
    return asyncio.run(play(tmp_path_factory.mktemp("axis")))


@pytest.fixture
def copy(played: Played, tmp_path: Path) -> Copy:
    """What the axis left behind, to be spoilt."""
    return Copy(tmp_path, played)


async def test_an_honest_axis_counts_clean(copy: Copy) -> None:
    """Every figure, so that no fault below is seen only because something else was counted wrongly."""
    found = await copy.ground.findings()
    assert found == HONEST


Row = tuple[str, str, str]
"""A node, one of the documents above, and an SQL statement about exactly one row, with `:doc` for that document."""

OF_IT = "envelope = (SELECT seq FROM objects WHERE id = :doc)"
GONE_THERE: list[Row] = [
    ("H49", "plain", "DELETE FROM records WHERE doc = :doc"),
    ("H49", "plain", f"DELETE FROM objects WHERE {OF_IT}"),
    ("H49", "plain", "DELETE FROM objects WHERE id = :doc"),
]
TWICE_IN_FEED: Row = (
    "H49",
    "plain",
    (
        "INSERT INTO changes SELECT NULL, doc, recipient, outgoing, code, state, author, at_ms FROM changes"
        " WHERE doc = :doc AND code = '01'"
    ),
)
SECOND_RECEIPT: Row = (
    "H49",
    "plain",
    (
        "INSERT INTO objects (id, kind, envelope, recipient, author, epoch, number, head, place, path, kept_ms, body)"
        " SELECT randomblob(32), kind, envelope, recipient, author, epoch, number, head, place, path, kept_ms, body"
        f" FROM objects WHERE {OF_IT}"
    ),
)
RECEIPT_GONE: Row = ("G22", "plain", f"DELETE FROM objects WHERE {OF_IT}")
UNPROVEN_ARRIVAL: dict[str, Any] = {
    "by_state": HONEST.by_state | {"arrived": 2, "sent": 1},
    "receipts_verified": 5, "statements_verified": 21, "lost": 1, "unproven": 1,
}  # fmt: skip
NOT_HELD: dict[str, Any] = {"deliveries": 5, "lost": 1}


FAULTS: dict[str, tuple[list[Row], dict[str, Any]]] = {
    "the receipt is gone": ([RECEIPT_GONE], UNPROVEN_ARRIVAL),
    "the sender's row is gone": (
        [("G22", "plain", "DELETE FROM records WHERE doc = :doc")],
        {"by_state": HONEST.by_state | {"arrived": 2}, "receipts_verified": 5, "lost": 1},
    ),
    "the recipient's copy is gone": (GONE_THERE, NOT_HELD | {"statements_verified": 21}),
    "every trace at the recipient is gone": (
        [*GONE_THERE, ("H49", "plain", "DELETE FROM changes WHERE doc = :doc")],
        NOT_HELD | {"statements_verified": 21},
    ),
    "content in a row is another": (
        [("H49", "plain", f"UPDATE content SET inline = x'00' WHERE {OF_IT}")],
        NOT_HELD,
    ),
    "the feed announces it twice": ([TWICE_IN_FEED], {"duplicated": 1}),
    "a statement's body is altered": (
        [("G22", "plain", f"UPDATE objects SET body = CAST(body || x'00' AS BLOB) WHERE {OF_IT}")],
        UNPROVEN_ARRIVAL | {"false": 1},
    ),
    "a statement's place is altered": (
        [("G22", "plain", f"UPDATE objects SET place = place + 1 WHERE {OF_IT}")],
        UNPROVEN_ARRIVAL | {"false": 1},
    ),
    "a signature is altered": (
        [
            ("G22", "plain", ("INSERT INTO heads SELECT NULL, randomblob(32), raw, zeroblob(64) FROM heads"
             f" WHERE seq = (SELECT head FROM objects WHERE {OF_IT})")),
            ("G22", "plain", f"UPDATE objects SET head = (SELECT max(seq) FROM heads) WHERE {OF_IT}"),
        ],
        UNPROVEN_ARRIVAL | {"false": 1},
    ),
    "a statement stands in another's name": (
        [("G22", "plain", f"UPDATE objects SET author = 'G22' WHERE {OF_IT}")],
        UNPROVEN_ARRIVAL | {"false": 1},
    ),
    "a statement stands at another recipient": (
        [("G22", "plain", f"UPDATE objects SET recipient = 'H55' WHERE {OF_IT}")],
        UNPROVEN_ARRIVAL | {"false": 1},
    ),
    "a statement stands at another document": (
        [("G22", "plain", f"UPDATE objects SET envelope = (SELECT seq FROM objects WHERE id = :other) WHERE {OF_IT}")],
        UNPROVEN_ARRIVAL | {"false": 1},
    ),
    "the recipient's envelope does not verify": (
        [("H49", "plain", "UPDATE objects SET place = place + 1 WHERE id = :doc")],
        NOT_HELD | {"false": 1},
    ),
    "the sender claims a state": (
        [("G22", "plain", f"UPDATE records SET progress = {int(State.COMPLETED)} WHERE doc = :doc")],
        {"unproven": 1},
    ),
    "the recipient claims an agreement": (
        [("H49", "plain", "UPDATE records SET agreed = 1 WHERE doc = :doc")],
        {"unproven": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "counted"), FAULTS.values(), ids=FAULTS)
async def test_a_planted_fault_is_counted_as_what_it_is(copy: Copy, rows: list[Row], counted: dict[str, Any]) -> None:
    """One fault each, and every other figure as on the honest axis."""
    copy.plant(rows)
    assert await copy.ground.findings() == HONEST._replace(**counted)


@pytest.mark.parametrize("content", [None, LARGE[:-1] + b"x"], ids=["gone", "another"])
async def test_a_document_whose_content_is_not_on_the_disk_counts_as_lost(copy: Copy, content: bytes | None) -> None:
    """A receipt says that everything is durable; a row that names a file is not the file."""
    chunk = copy.chunk("H49")
    chunk.unlink() if content is None else chunk.write_bytes(content)
    assert await copy.ground.findings() == HONEST._replace(**NOT_HELD)


async def test_a_document_whose_recipients_node_is_not_there_counts_as_lost(copy: Copy) -> None:
    """What nobody can look at is not delivered, whatever receipts say."""
    async with copy.ground.kit("G22") as kit:
        found = await audit({PartyId("G22"): kit}, copy.ground.book())
    assert (found.transmissions, found.lost) == (6, 6)


# --- attacks and replays --------------------------------------------------------------------------------------------

ATTEMPT = Attempt("forged envelope", "H55", "seal.bad-signature", "00112233")


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        (("H55", "seal.bad-signature", "envelope 00112233: head"), ["forged envelope"]),
        (("H49", "seal.bad-signature", "envelope 00112233: head"), []),
        (("H55", "seal.bad-path", "envelope 00112233: head"), []),
        (("H55", "seal.bad-signature", "envelope 44556677: head"), []),
    ],
    ids=["it", "another caller", "another code", "another object"],
)
async def test_only_the_refusal_of_this_very_attempt_counts(
    copy: Copy, row: tuple[str, str, str], kinds: list[str]
) -> None:
    """A node refuses many things; the figure of attacks may not be met by one of those."""
    async with copy.ground.kit("H49") as kit:
        await kit.store.commit([LogRefusal(*row, 1)])
        assert await refused(kit.store, [ATTEMPT]) == kinds


@pytest.mark.parametrize(
    ("rows", "answers", "harmless"),
    [
        ([], ["receipt", "receipt"], True),
        ([RECEIPT_GONE], ["receipt"], True),
        ([], ["receipt", "other"], False),
        ([], [None], False),
        ([], [], False),
        ([TWICE_IN_FEED], ["receipt"], False),
        ([SECOND_RECEIPT], ["receipt"], False),
        (GONE_THERE, ["receipt"], False),
    ],
)
async def test_a_replay_is_without_effect_only_if_its_answer_is_the_receipt_and_nothing_is_there_twice(
    copy: Copy, rows: list[Row], answers: list[str | None], harmless: bool
) -> None:
    """Counted at the recipient: what the sender's own database lacks has nothing to do with it."""
    plain = copy.docs["plain"]
    async with copy.ground.kit("H49") as kit:
        _, (_, receipt) = await kit.store.document(plain)
    ids = {"receipt": receipt.signed.id, "other": bytes(32), None: None}
    copy.plant(rows)
    async with copy.ground.kit("H49") as kit:
        repeat = Repeat(plain, PartyId("H49"), tuple(ids[each] for each in answers))
        assert await without_effect(kit.store, repeat) is harmless
