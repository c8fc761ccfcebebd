"""Signed objects: real Ed25519 signatures over tree heads, each object provable alone, any changed bit refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec, limits, signed
from docaxis.core.errors import TheirFault
from docaxis.core.signed import Head, Signed, SignedHead
from docaxis.core.tree import leaf_hash
from tests.core.story import FIRST, SECOND, SENDER, START_MS, seal_of

BODIES = [f"body {number}".encode() for number in range(7)]
SEAL = seal_of(SENDER)
TOGETHER = signed.sign_together(SEAL, SENDER, BODIES, START_MS)
HEAD = signed.decode_head(TOGETHER[0].head.raw)


def verify(each: Signed) -> Head:
    """What every reader does, with the key that the directory would give."""
    head = signed.decode_head(each.head.raw)
    signed.check_signature(SEAL, head, each.head, SEAL.public_key)
    signed.check_path(each, head)
    return head


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=80))
def test_what_is_signed_together_shares_one_signature_and_is_provable_alone(bodies: list[bytes]) -> None:
    """The whole point: one signature, and no object needs another."""
    together = signed.sign_together(SEAL, SENDER, bodies, START_MS)
    assert len({each.head for each in together}) == 1
    for body, each in zip(bodies, together, strict=True):
        head = verify(each)
        assert (each.body, each.id, head.leaves) == (body, leaf_hash(body), len(bodies))
        assert (head.signer, head.key, head.alg, head.at_ms) == (SENDER, SEAL.key_id, "ed25519", START_MS)


@given(st.sampled_from(TOGETHER), st.data())
def test_any_flipped_bit_is_refused(each: Signed, data: st.DataObject) -> None:
    """In the body, the head, the signature or the path."""

    def flip(raw: bytes) -> bytes:
        at = data.draw(st.integers(0, len(raw) - 1))
        return raw[:at] + bytes([raw[at] ^ 1 << data.draw(st.integers(0, 7))]) + raw[at + 1 :]

    at = data.draw(st.integers(0, len(each.path) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                each._replace(body=flip(each.body)),
                each._replace(head=each.head._replace(raw=flip(each.head.raw))),
                each._replace(head=each.head._replace(signature=flip(each.head.signature))),
                each._replace(path=(*each.path[:at], flip(each.path[at]), *each.path[at + 1 :])),
            ]
        )
    )
    with pytest.raises(TheirFault):
        verify(changed)


@given(st.sampled_from(TOGETHER), st.integers(0, 20))
def test_an_object_holds_at_its_own_place_only(each: Signed, place: int) -> None:
    """The index is part of what was signed."""
    if place != each.place:
        with pytest.raises(TheirFault, match=r"seal\.bad-path"):
            verify(each._replace(place=place))


def test_a_signature_by_another_key_is_refused() -> None:
    """The key is the directory's word, not the object's."""
    with pytest.raises(TheirFault, match=r"seal\.bad-signature"):
        signed.check_signature(SEAL, HEAD, TOGETHER[0].head, seal_of(FIRST).public_key)


def test_a_signature_over_the_head_without_its_context_is_refused() -> None:
    """Whatever else the key signs can never pass for a head."""
    bare = SignedHead(TOGETHER[0].head.raw, SEAL.sign(TOGETHER[0].head.raw))
    with pytest.raises(TheirFault, match=r"seal\.bad-signature"):
        signed.check_signature(SEAL, HEAD, bare, SEAL.public_key)


def test_an_object_of_another_tree_is_refused() -> None:
    """Genuine head, genuine body, no path between them."""
    other = signed.sign_together(SEAL, SENDER, [b"other"], START_MS)[0]
    with pytest.raises(TheirFault, match=r"seal\.bad-path"):
        signed.check_path(other._replace(head=TOGETHER[0].head), HEAD)


PARTIES = st.sampled_from([SENDER, FIRST, SECOND])
HEADS = st.builds(
    Head,
    signer=PARTIES,
    key=st.binary(min_size=8, max_size=8),
    alg=st.sampled_from(["ed25519", "ml-dsa-65"]),
    root=st.binary(min_size=32, max_size=32),
    leaves=st.integers(1, limits.TREE_LEAVES_MAX),
    at_ms=st.integers(0, 2**63 - 1),
)


@given(HEADS)
def test_a_head_reads_back_as_it_was_written(head: Head) -> None:
    """Also under an algorithm that this version cannot verify: reading and verifying are two things."""
    assert signed.decode_head(signed.encode_head(head)) == head


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "head/2"}, "seal.algorithm"),
        ({"hash": "sha512"}, "seal.algorithm"),
        ({"signer": "no party"}, "id.malformed"),
        ({"key": b"short"}, "codec.schema"),
        ({"alg": ""}, "codec.schema"),
        ({"alg": "x" * 33}, "codec.schema"),
        ({"root": bytes(31)}, "codec.schema"),
        ({"count": 0}, "codec.schema"),
        ({"count": limits.TREE_LEAVES_MAX + 1}, "codec.schema"),
        ({"count": True}, "codec.schema"),
        ({"at": -1}, "codec.schema"),
        ({"more": 1}, "codec.schema"),
    ],
)
def test_each_rule_of_a_head_has_its_refusal(changes: dict[str, Any], code: str) -> None:
    """Specification: signed-object.md."""
    value = {**codec.decode(TOGETHER[0].head.raw, 512), **changes}
    with pytest.raises(TheirFault) as caught:
        signed.decode_head(codec.encode(value))
    assert caught.value.code == code


def test_a_head_is_short() -> None:
    """Nobody is made to read more."""
    with pytest.raises(TheirFault, match=r"codec\.too-long"):
        signed.decode_head(bytes(limits.HEAD_BYTES_MAX + 1))


@given(st.sampled_from(TOGETHER))
def test_a_proof_reads_back_as_it_was_written(each: Signed) -> None:
    """As it stands in files and rows."""
    value = codec.decode(codec.encode(signed.proof_value(each)), limits.STATEMENT_BYTES_MAX)
    assert signed.read_signed(each.body, value) == each


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        [b"", b"", 0],
        ["text", b"", 0, []],
        [b"", 5, 0, []],
        [bytes(limits.HEAD_BYTES_MAX + 1), b"", 0, []],
        [b"", bytes(signed.SIGNATURE_BYTES_MAX + 1), 0, []],
        [b"", b"", -1, []],
        [b"", b"", limits.TREE_LEAVES_MAX, []],
        [b"", b"", True, []],
        [b"", b"", 0, [b"short"]],
        [b"", b"", 0, [bytes(32)] * (limits.PATH_HASHES_MAX + 1)],
    ],
)
def test_a_proof_of_another_shape_is_refused(bad: object) -> None:
    """Sizes and types, before anything is computed."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        signed.read_signed(b"body", bad)
