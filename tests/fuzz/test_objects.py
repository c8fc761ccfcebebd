"""Bytes of objects from outside: whatever they are, a decoder gives a value or refuses with a registered code.

`corpus/objects/<kind>/` holds one input per file: genuine ones, made by the second implementation, that the fuzzer
bends, and every input that once was worth a look. A new finding goes there under a name that says what it is.
"""

import itertools
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docaxis.core import codec, evidence, limits, wire
from docaxis.core import envelope as envelopes
from docaxis.core import statement as statements
from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.errors import REGISTRY, DocaxisError
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.signed import check_path, decode_head
from docaxis.core.trust import decode_revocation, decode_revocations
from docaxis.directory.entries import decode_entry
from docaxis.directory.proof import read_proof, verify_proof
from docaxis.directory.shards import Index, Shard
from docaxis.seal import sign
from docaxis.seal.keys import key_id

HERE: Final = Path(__file__).parent
CORPUS: Final = HERE / "corpus" / "objects"
VECTORS: Final = HERE.parent / "vectors"
PROOF_BYTES_MAX: Final = 10**6
DETAIL_BYTES_MAX: Final = 2_000


def vectors(name: str) -> Any:
    """One file of the second implementation's."""
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def parties() -> Book:
    """The parties of the evidence in the corpus, so that a file that reads is checked to its end."""
    entries = {}
    for each in vectors("evidence")["parties"]:
        public, party = bytes.fromhex(each["public"]), PartyId(each["id"])
        key = SigningKey(KeyId(key_id(public)), "ed25519", public, 0, 0)
        entries[party] = Entry(party, "", "", "", None, (), (), (key,), (), (), Status.OPEN, (), 0, 0, 1)
    return Book(entries.get, {}, 1, 0, {})


BOOK: Final = parties()
ROOT: Final = bytes.fromhex(next(each["root"] for each in vectors("directory")["vectors"] if each["kind"] == "proof"))


def read_batch(raw: bytes) -> None:
    """As a node reads it: the batch, then each object's head, path and body."""
    batch = wire.decode_batch(raw)
    for item in batch.items:
        check_path(item.signed, decode_head(item.signed.head.raw))
        (envelopes.decode if item.kind == wire.ENVELOPE else statements.decode)(item.signed.body)


def read_reply(raw: bytes) -> None:
    """As a sender reads it: the answer, then each receipt."""
    for result in wire.decode_reply(raw).results:
        if result.receipt is not None:
            check_path(result.receipt, decode_head(result.receipt.head.raw))
            statements.decode(result.receipt.body)


def read_shard(raw: bytes) -> None:
    """Entries are read when they are asked for: all of them, and all names."""
    index = Index([Shard(raw)])
    for party in index.parties():
        index.entry(party)
    for alias in index.aliases:
        index.aliases.get(alias)


def read_revocations(raw: bytes) -> None:
    """The file, and what each word in it says."""
    for signed in decode_revocations(raw):
        decode_revocation(signed.body)


READERS: Final[dict[str, Callable[[bytes], object]]] = {
    "envelope": envelopes.decode,
    "statement": statements.decode,
    "batch": read_batch,
    "reply": read_reply,
    "evidence": lambda raw: evidence.check(evidence.read(raw), sign, BOOK),
    "entry": decode_entry,
    "shard": read_shard,
    "revocations": read_revocations,
    "proof": lambda raw: verify_proof(ROOT, read_proof(codec.decode(raw, PROOF_BYTES_MAX))),
}
FILES: Final = sorted(CORPUS.glob("*/*.bin"))


def outcome(kind: str, raw: bytes) -> str:
    """``ok``, or the code of the refusal, which can be told and kept; any other exception is a finding."""
    refused: DocaxisError | None = None
    try:
        READERS[kind](raw)
    except DocaxisError as error:
        refused = error
    if refused is None:
        return "ok"
    assert refused.code in REGISTRY
    assert len(str(refused).encode()) < DETAIL_BYTES_MAX
    return refused.code


def test_every_kind_of_object_has_a_corpus() -> None:
    """Of each kind something genuine, which the fuzzer can bend, and something that is refused."""
    found = {path.parent.name: set[bool]() for path in FILES}
    for path in FILES:
        found[path.parent.name].add(outcome(path.parent.name, path.read_bytes()) == "ok")
    assert found == {kind: {True, False} for kind in READERS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_kept_corpus_is_read_or_refused(path: Path) -> None:
    """A file named ``ok-…`` is read, any other is refused with a code of the registry."""
    found = outcome(path.parent.name, path.read_bytes())
    assert (found == "ok") == path.stem.startswith("ok-"), found


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_reader_withstands_every_other_kinds_corpus(path: Path) -> None:
    """Whoever speaks may hand in anything anywhere."""
    for kind in READERS:
        outcome(kind, path.read_bytes())


GENUINE: Final = [(path.parent.name, path.read_bytes()) for path in FILES if path.stem.startswith("ok-")]
NASTY: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2**31, 2**53, 2**63, 2**64 - 1, -(2**63), 0.0, float("nan"), float("inf"),
    "", "x", "H49", "h49", "../x", "a\x00b", "a\u202eb", "\ufffe", "x" * 5_000, b"", b"\x00", bytes(8), bytes(32),
    bytes(64), b"\xff" * 600, b"{}", b"[" * 5_000, b"1" * 5_000, [], [[]], [None], {}, {"": {}}, {"type": "head/1"},
)  # fmt: skip


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a decoded value, also inside byte strings that are objects themselves."""
    found = [here]
    if isinstance(value, dict):
        for name, each in value.items():
            found += places(each, (*here, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            found += places(each, (*here, number))
    return found


def changed(value: Any, place: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """The value with what stands at a place replaced."""
    if not place:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(copy[place[0]], place[1:], change)
    return copy


@st.composite
def bent_values(draw: st.DrawFn) -> tuple[str, bytes]:
    """A genuine object with a few fields replaced, doubled, bent inside or left out, in canonical form again."""
    kind, raw = draw(st.sampled_from(GENUINE))
    value = msgpack.unpackb(raw, strict_map_key=False)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(value)))
        nasty = draw(st.sampled_from(NASTY))
        how = draw(st.sampled_from(("replace", "replace", "double", "bend")))
        if how == "replace":
            value = changed(value, place, partial(instead, nasty))
        elif how == "double":
            value = changed(value, place, doubled)
        else:
            at, other = draw(st.integers(0, 300)), draw(st.binary(max_size=4))
            value = changed(value, place, partial(spliced, at, other))
    return kind, msgpack.packb(value)


def instead(new: Any, _: Any) -> Any:
    """Something else."""
    return new


def doubled(old: Any) -> Any:
    """The same twice."""
    return old * 2 if isinstance(old, list | str | bytes) else [old, old]


def spliced(at: int, other: bytes, old: Any) -> Any:
    """Bytes with some of them replaced; anything else is left."""
    return old[:at] + other + old[at + len(other) + at % 2 :] if isinstance(old, bytes) else old


@st.composite
def bent_bytes(draw: st.DrawFn) -> tuple[str, bytes]:
    """A genuine object with a few bytes replaced, or cut short."""
    kind, raw = draw(st.sampled_from(GENUINE))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=6)) + raw[at + draw(st.integers(0, 8)) :]
    return kind, raw[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else raw


@settings(max_examples=600)
@given(bent_values())
def test_a_bent_value_is_read_or_refused(made: tuple[str, bytes]) -> None:
    """Well-formed to the last byte, and wrong in what it says."""
    outcome(*made)


@settings(max_examples=600)
@given(bent_bytes())
def test_bent_bytes_are_read_or_refused(made: tuple[str, bytes]) -> None:
    """Damage of every kind."""
    outcome(*made)


@settings(max_examples=200)
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=limits.KIB))
def test_noise_is_refused(kind: str, raw: bytes) -> None:
    """What is no object at all; the few genuine ones that are short enough to be drawn are in the corpus."""
    assert outcome(kind, raw) != "ok" or (kind, raw) in GENUINE


def test_of_the_shortest_inputs_only_the_empty_list_of_revocations_is_an_object() -> None:
    """All inputs of up to two bytes: what noise may happen to be is known, not left to the draw."""
    short = [bytes(raw) for size in range(3) for raw in itertools.product(range(256), repeat=size)]
    assert [(kind, raw) for kind in READERS for raw in short if outcome(kind, raw) == "ok"] == [
        ("revocations", b"\x90")
    ]
