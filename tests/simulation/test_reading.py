"""Bytes as checkers read them: what the core wrote, read without the core; and modules that stay without it."""

import ast
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec, envelope, statement, wire
from docaxis.core.envelope import Envelope, Priority, make_file
from docaxis.core.ids import PartyId, StatementId
from docaxis.core.lifecycle import Code
from docaxis.core.signed import decode_head, sign_together
from docaxis.core.statement import Statement
from docaxis.core.tree import root_and_paths
from docaxis.seal.paper import PaperSeal
from docaxis_sim import checkers, ledger, reading, vouching
from docaxis_sim.plan import Plan
from docaxis_sim.reading import Unreadable, Word
from docaxis_sim.world import Broken, World

CHUNKS = (b"mot", b"hai", b"ba")
DIGESTS = tuple(sha256(chunk).digest() for chunk in CHUNKS)
FILE = make_file("công văn.pdf", "application/pdf", 8, 3, DIGESTS)
LETTER = Envelope(
    PartyId("G22"), (PartyId("H49"), PartyId("H26")), "new", None, None, 1_000, 90_000_000, Priority.URGENT,
    {}, (FILE,), "none", 1, b"n" * 16, {},
)  # fmt: skip
DOC = envelope.envelope_id(envelope.encode(LETTER))


def answer_to_a_recall(code: Code) -> Statement:
    """A statement in which every field differs from every other."""
    answers = StatementId(b"r" * 32) if code in (Code.AGREE, Code.DECLINE) else None
    return Statement(
        PartyId("H49"), DOC, PartyId("G22"), PartyId("H26"), code, 2, 3, b"p" * 32, answers, 4, "a.reason", "t", "u", 5
    )


@pytest.mark.parametrize("code", Code)
def test_a_statement_is_read_as_it_was_written(code: Code) -> None:
    """Every code, and every field that a checker looks at."""
    said = reading.statement(statement.encode(answer_to_a_recall(code)))
    assert said == ("H49", DOC, "G22", "H26", Word(code.value), 2, 3, b"p" * 32, 4, "a.reason")


def test_a_statement_is_told_in_words() -> None:
    """Whoever reads of a broken promise is no computer."""
    said = reading.statement(statement.encode(answer_to_a_recall(Code.REFUSED)))
    assert str(said) == f"H49 says 02 a.reason about {DOC.hex()[:16]} of G22 at H26 (number 3 of epoch 2, at 4 ms)"


def test_an_envelope_is_read_as_it_was_written() -> None:
    """To whom, until when, and all of its content; its id is worked out anew."""
    raw = envelope.encode(LETTER)
    assert reading.envelope(raw) == ("G22", ("H49", "H26"), 90_000_000, DIGESTS)
    assert reading.object_id(raw) == DOC


def test_requests_and_answers_are_read_as_they_were_written() -> None:
    """Parts in their order, with their ids, the content that travels along, and the receipts."""
    seal = PaperSeal("G22", simulation=True)
    bodies = [envelope.encode(LETTER), statement.encode(answer_to_a_recall(Code.AGREE))]
    first, second = sign_together(seal, PartyId("G22"), bodies, 7)
    items = (wire.Item(wire.ENVELOPE, first.id, first, CHUNKS), wire.Item(wire.STATEMENT, second.id, second, ()))
    read = reading.request(wire.encode_batch(wire.Batch(PartyId("G22"), PartyId("H49"), 1, 0, 1, items)))
    assert (read.sender, read.recipient) == ("G22", "H49")
    assert read.parts == tuple((item.kind, item.id, item.signed.body, item.inline) for item in items)
    results = (wire.Result(wire.Outcome.KEPT, "", 0, second), wire.Result(wire.Outcome.DEFERRED, "node.busy", 5, None))
    raw = wire.encode_reply(wire.Reply(PartyId("H49"), 1, 0, 1, 9, 0, results))
    assert reading.answer(raw) == (("kept", bodies[1]), ("deferred", None))
    head = decode_head(first.head.raw)
    assert reading.seal(first.head.raw) == ("G22", seal.key_id, "paper", head.root, 2)
    assert reading.is_signed(*first.head, seal.public_key)
    assert not reading.is_signed(first.head.raw, first.head.signature, bytes(32))
    assert [reading.author(item.kind, item.signed.body) for item in items] == ["G22", "H49"]


@given(st.integers(1, 200), st.data())
def test_a_path_leads_to_the_root_of_its_own_place_alone(leaves: int, data: st.DataObject) -> None:
    """Worked out from the root down, where the core goes from the leaf up: two ways through RFC 9162, one tree."""
    hashes = [sha256(bytes([number])).digest() for number in range(leaves)]
    root, paths = root_and_paths(hashes)
    place = data.draw(st.integers(0, leaves - 1))
    assert reading.root(hashes[place], place, leaves, paths[place]) == root
    other = data.draw(st.integers(-1, leaves))
    for wrong in (
        (other, leaves, paths[place]),
        (place, leaves, (*paths[place], root)),
        (place, leaves, paths[place][1:]),
    ):
        same = wrong == (place, leaves, paths[place])
        assert (reading.root(hashes[place], *wrong) == root) == same


BAD: dict[str, Callable[[], object]] = {
    "is no MessagePack": lambda: reading.statement(b"\xc1"),
    "is no envelope/1": lambda: reading.envelope(statement.encode(answer_to_a_recall(Code.AGREE))),
    "says '99'": lambda: reading.statement(msgpack.packb({"type": "statement/1", "code": "99"})),
    "has no field 'expires'": lambda: reading.envelope(
        msgpack.packb({"type": "envelope/1", "from": "G22", "to": [], "files": []})
    ),
    "columns, not 6": lambda: reading.request(msgpack.packb({"type": "batch/1", "items": [["envelope", b""]]})),
}


@pytest.mark.parametrize("words", BAD)
def test_bytes_of_no_format_are_said_to_be_unreadable(words: str) -> None:
    """With what is wrong about them."""
    with pytest.raises(Unreadable, match=words):
        BAD[words]()


def test_an_encoder_that_loses_a_field_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the machine's own decoder is lenient in the same place, and the two of them agree."""
    fields, pack = codec.fields, codec.pack
    monkeypatch.setattr(codec, "pack", lambda value: pack({k: v for k, v in value.items() if k != "reason"}))
    monkeypatch.setattr(codec, "fields", lambda value, names, what: fields({"reason": ""} | value, names, what)
                        if what == "statement" else fields(value, names, what))  # fmt: skip
    with pytest.raises(Broken, match="readable: statement/1 has no field 'reason'"):
        World(1, Plan(("G22", "H49"), 600_000)).run()


def test_checkers_import_no_code_that_they_check() -> None:
    """Of the core only values: ids, effects, events, records, books and limits."""
    allowed = {f"docaxis.core.{name}" for name in ("addresses", "effects", "events", "ids", "limits", "record")}
    for module in (checkers, ledger, reading, vouching):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        names = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        names |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
        assert {name for name in names if name.startswith("docaxis.")} <= allowed
