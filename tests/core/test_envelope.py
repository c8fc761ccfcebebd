"""Envelopes: read back as written, each rule of a field refused with its code, hostile names and sizes too."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec, limits
from docaxis.core import envelope as envelopes
from docaxis.core.envelope import Envelope, File, Priority
from docaxis.core.errors import TheirFault
from docaxis.core.ids import HASH_BYTES, PartyId
from docaxis.core.tree import leaf_hash
from tests.core.story import FIRST, SECOND, SENDER, START_MS, STRANGER, an_envelope

HASH = st.binary(min_size=32, max_size=32)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
NAMES = WORDS.filter(lambda name: name.isprintable() and not {"/", "\\"} & set(name) and name not in (".", ".."))


@st.composite
def any_file(draw: st.DrawFn) -> File:
    """A file of up to five chunks."""
    chunk = draw(st.integers(1, limits.CHUNK_BYTES))
    size = draw(st.integers(0, 5 * chunk))
    count = -(-size // chunk)
    digests = tuple(draw(st.lists(HASH, min_size=count, max_size=count)))
    return envelopes.make_file(draw(NAMES), draw(WORDS), size, chunk, digests)


@st.composite
def any_envelope(draw: st.DrawFn) -> Envelope:
    """An envelope that keeps every rule."""
    to = tuple(draw(st.lists(st.sampled_from([FIRST, SECOND, STRANGER]), min_size=1, unique=True)))
    kind = draw(st.sampled_from(envelopes.KINDS))
    created = draw(st.integers(0, 2**62))
    return Envelope(
        sender=SENDER,
        to=to,
        kind=kind,
        ref=None if kind == "new" else draw(HASH),  # type: ignore[arg-type]
        thread=draw(st.none() | HASH),  # type: ignore[arg-type]
        created_ms=created,
        expires_ms=created + draw(st.integers(limits.EXPIRES_MS_MIN, limits.EXPIRES_MS_MAX)),
        priority=draw(st.sampled_from(Priority)),
        meta=draw(st.dictionaries(st.sampled_from(["number", "notation", "subject", "note", "due"]), WORDS, max_size=3))
        if draw(st.booleans())
        else {},
        files=tuple(draw(st.lists(any_file(), max_size=3))) if draw(st.booleans()) else (),
        enc="none",
        dir=draw(st.integers(0, 2**63 - 1)),
        nonce=draw(st.binary(min_size=16, max_size=16)),
        written_as={to[0]: PartyId("OLD.1")} if draw(st.booleans()) else {},
    )


def _within(envelope: Envelope) -> bool:
    short = all(len(value) <= 10 for name, value in envelope.meta.items() if name == "due")
    return short and envelopes.content_bytes(envelope.files) <= limits.CONTENT_BYTES_MAX


@given(any_envelope().filter(_within))
def test_an_envelope_reads_back_as_it_was_written(envelope: Envelope) -> None:
    """Every field; and its id is the leaf hash of its bytes."""
    raw = envelopes.encode(envelope)
    assert envelopes.decode(raw) == envelope
    assert envelopes.envelope_id(raw) == leaf_hash(raw)


@given(st.binary(max_size=300))
def test_noise_is_refused_with_a_code(raw: bytes) -> None:
    """Nothing but a refusal is raised, whatever comes."""
    with pytest.raises(TheirFault):
        envelopes.decode(raw)


VALUE = codec.decode(envelopes.encode(an_envelope()), limits.ENVELOPE_BYTES_MAX)
FILE = VALUE["files"][0]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "envelope/2"}, "codec.schema"),
    ({"from": "g22"}, "id.malformed"),
    ({"from": None}, "id.malformed"),
    ({"to": []}, "codec.schema"),
    ({"to": "H49"}, "codec.schema"),
    ({"to": ["H49", "H49"]}, "codec.schema"),
    ({"to": ["H49", "../etc"]}, "id.malformed"),
    ({"kind": "recall"}, "codec.schema"),
    ({"kind": ["new"]}, "codec.schema"),
    ({"kind": "new", "ref": bytes(32)}, "codec.schema"),
    ({"kind": "update"}, "codec.schema"),
    ({"kind": "replace", "ref": bytes(31)}, "codec.schema"),
    ({"thread": b""}, "codec.schema"),
    ({"created": -1}, "codec.schema"),
    ({"expires": START_MS}, "codec.schema"),
    ({"expires": START_MS + limits.EXPIRES_MS_MAX + 1}, "codec.schema"),
    ({"priority": 5}, "codec.schema"),
    ({"priority": True}, "codec.schema"),
    ({"meta": []}, "codec.schema"),
    ({"meta": {"color": "red"}}, "codec.schema"),
    ({"meta": {"subject": ""}}, "codec.schema"),
    ({"meta": {"subject": "x" * 2_001}}, "codec.schema"),
    ({"meta": {"subject": 5}}, "codec.schema"),
    ({"meta": {"subject": "a\x00b"}}, "codec.schema"),
    ({"meta": {"secrecy": "tối mật"}}, "envelope.secret"),
    ({"files": {}}, "codec.schema"),
    ({"files": [None]}, "codec.schema"),
    ({"files": [FILE] * (limits.FILES_MAX + 1)}, "codec.schema"),
    ({"enc": {"alg": "hpke-x25519"}}, "seal.algorithm"),
    ({"enc": {"alg": ["none"]}}, "seal.algorithm"),
    ({"enc": {"alg": "none", "salt": b""}}, "codec.schema"),
    ({"enc": "none"}, "codec.schema"),
    ({"dir": -1}, "codec.schema"),
    ({"nonce": bytes(15)}, "codec.schema"),
    ({"as": []}, "codec.schema"),
    ({"as": {"H99": "H1"}}, "codec.schema"),
    ({"as": {"H49": "x y"}}, "id.malformed"),
    ({"more": 1}, "codec.schema"),
    ({"meta": {"note": "x" * limits.ENVELOPE_BYTES_MAX}}, "codec.too-long"),
]


@pytest.mark.parametrize(("changes", "code"), BAD)
def test_each_rule_of_a_field_has_its_refusal(changes: dict[str, Any], code: str) -> None:
    """Specification: envelope.md."""
    with pytest.raises(TheirFault) as caught:
        envelopes.decode(codec.encode({**VALUE, **changes}))
    assert caught.value.code == code


BAD_FILES: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "codec.schema"),
    ({"name": ".."}, "codec.schema"),
    ({"name": "../../etc/passwd"}, "codec.schema"),
    ({"name": "C:\\windows"}, "codec.schema"),
    ({"name": "two\nlines"}, "codec.schema"),
    ({"name": "nul\x00l.pdf"}, "codec.schema"),
    ({"name": "invoice\u202efdp.exe"}, "codec.schema"),
    ({"name": "x" * 501}, "codec.schema"),
    ({"name": 7}, "codec.schema"),
    ({"media": ""}, "codec.schema"),
    ({"size": -1}, "codec.schema"),
    ({"size": limits.CONTENT_BYTES_MAX + 1}, "codec.schema"),
    ({"size": 2**62}, "codec.schema"),
    ({"chunk": 0}, "codec.schema"),
    ({"chunk": limits.CHUNK_BYTES_MAX + 1}, "codec.schema"),
    ({"chunks": []}, "content.unsupported"),
    ({"size": 6}, "content.corrupt"),
    ({"chunk": 2}, "content.corrupt"),
    ({"root": bytes(32)}, "content.corrupt"),
    ({"size": 0, "chunks": [], "root": b"x" * 32}, "content.corrupt"),
    ({"chunks": [bytes(31)]}, "codec.schema"),
    ({"chunks": [bytes(32)] * (limits.CHUNKS_LISTED_MAX + 1)}, "codec.schema"),
    ({"more": 1}, "codec.schema"),
]


@pytest.mark.parametrize(("changes", "code"), BAD_FILES)
def test_each_rule_of_a_file_has_its_refusal(changes: dict[str, Any], code: str) -> None:
    """Hostile names and sizes are refused while the envelope is read."""
    with pytest.raises(TheirFault) as caught:
        envelopes.decode(codec.encode({**VALUE, "files": [{**FILE, **changes}]}))
    assert caught.value.code == code


def test_all_files_together_are_bounded() -> None:
    """Each within its own limit, and their sum above it."""
    digests = tuple(sha256(bytes([number])).digest() for number in range(9))
    half = envelopes.make_file("half", "application/octet-stream", 9 * limits.MIB, limits.MIB, digests)
    with pytest.raises(TheirFault, match=r"content\.too-large"):
        envelopes.decode(envelopes.encode(an_envelope(files=(half, half._replace(name="other")))))


@pytest.mark.parametrize("field", sorted(VALUE))
def test_no_field_may_be_absent(field: str) -> None:
    """One form: absent and empty are not the same thing."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        envelopes.decode(codec.encode({name: VALUE[name] for name in VALUE if name != field}))


def test_an_empty_file_has_no_chunks_and_a_root_of_zeros() -> None:
    """The one file without content."""
    empty = envelopes.make_file("empty.txt", "text/plain", 0, 1, ())
    assert (empty.root, empty.chunks) == (bytes(HASH_BYTES), ())
    envelope = an_envelope(files=(empty,))
    assert envelopes.decode(envelopes.encode(envelope)) == envelope


def test_vietnamese_names_pass_however_they_are_composed() -> None:
    """Precomposed letters and combining marks are both in use."""
    for name in ("Quyết định số 17.pdf", "Quye\u0302\u0301t đi\u0323nh.pdf"):
        assert envelopes.check_file(an_envelope().files[0]._replace(name=name)).name == name


def test_chunks_are_listed_once_however_often_they_occur() -> None:
    """Equal chunks are fetched once."""
    same = envelopes.make_file("a", "x/y", 3, 1, (b"a" * 32, b"b" * 32, b"a" * 32))
    assert envelopes.chunk_digests((same, same)) == [b"a" * 32, b"b" * 32]
