"""Signatures: what holds, what does not, and that nothing malformed raises."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.ids import PartyId
from docaxis.core.ports import Seal
from docaxis.core.signed import check_path, check_signature, decode_head, sign_together
from docaxis.seal import keys, sign
from docaxis.seal.sign import NodeSeal, is_sound_ed25519, verify

SEAL = NodeSeal(bytes(range(32)))
MESSAGE = b"Decision 28/2018"
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P


def test_the_first_vector_of_rfc_8032_holds() -> None:
    """RFC 8032 §7.1, test 1: another implementation made it."""
    seal = NodeSeal(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert seal.public_key.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert seal.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )


def test_what_was_signed_verifies_and_nothing_else_does() -> None:
    """The one property everything rests on."""
    signature = SEAL.sign(MESSAGE)
    assert SEAL.verify("ed25519", SEAL.public_key, MESSAGE, signature)
    assert not SEAL.verify("ed25519", SEAL.public_key, MESSAGE + b"\x00", signature)
    assert not SEAL.verify("ed25519", NodeSeal(bytes(32)).public_key, MESSAGE, signature)


@given(index=st.integers(0, 511))
def test_each_single_bit_of_a_signature_counts(index: int) -> None:
    """A signature that can be altered is no identifier of anything."""
    altered = bytearray(SEAL.sign(MESSAGE))
    altered[index // 8] ^= 1 << index % 8
    assert not SEAL.verify("ed25519", SEAL.public_key, MESSAGE, bytes(altered))


@given(
    algorithm=st.sampled_from(["ed25519", "ED25519", "paper", "none", "", "ml-dsa-65"]),
    public=st.binary(max_size=40) | st.binary(min_size=32, max_size=32),
    signature=st.binary(max_size=70) | st.binary(min_size=64, max_size=64),
)
def test_nothing_malformed_raises_or_verifies(algorithm: str, public: bytes, signature: bytes) -> None:
    """Keys and signatures come from outside: a bad one is a No, not an accident."""
    assert verify(algorithm, public, MESSAGE, signature) is False


def test_a_signature_with_s_plus_the_group_order_does_not_hold() -> None:
    """RFC 8032 §5.1.7: S is below the order, else each signature would have a second form."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = SEAL.sign(MESSAGE)
    s = int.from_bytes(signature[32:], "little") + order
    assert not SEAL.verify("ed25519", SEAL.public_key, MESSAGE, signature[:32] + s.to_bytes(32, "little"))


def _add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, two
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P


def _decompress(encoded: bytes) -> tuple[int, int] | None:
    y = int.from_bytes(encoded, "little") % 2**255 % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == square:
            return (x if x % 2 == encoded[31] >> 7 else -x % P), y
    return None


def test_every_key_of_small_order_is_refused() -> None:
    """Under such a key the owner could deny what it signed: the list is derived here from the curve itself."""
    assert len(sign._SMALL_ORDER_Y) == 7
    for y in sign._SMALL_ORDER_Y:
        for encoded in (y, y[:31] + bytes((y[31] | 0x80,))):
            point = _decompress(encoded)
            assert point is not None, "each entry of the list is on the curve"
            for _ in range(3):
                point = _add(point, point)
            assert point == (0, 1), "eight times the point is the neutral element"
            assert not is_sound_ed25519(encoded)


def test_all_eight_points_of_small_order_are_in_the_list() -> None:
    """From a point of order eight its multiples follow; each of their encodings must be known."""
    generator = _decompress(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
    assert generator is not None
    seen, point = set(), generator
    for _ in range(8):
        seen.add(point)
        assert point[1].to_bytes(32, "little") in sign._SMALL_ORDER_Y
        point = _add(point, generator)
    assert len(seen) == 8


def test_an_ordinary_key_is_sound() -> None:
    """The refusals above must not touch honest keys."""
    assert all(is_sound_ed25519(keys.public_ed25519(keys.new_ed25519())) for _ in range(16))
    assert not is_sound_ed25519(b"short")


def test_a_seal_opens_from_the_file_of_its_key(tmp_path: Path) -> None:
    """The way a node starts."""
    keys.save_ed25519(tmp_path / "signing.pem", bytes(range(32)), "secret")
    seal: Seal = NodeSeal.load(tmp_path / "signing.pem", "secret")
    assert seal.key_id == SEAL.key_id == keys.key_id(SEAL.public_key)
    assert (seal.algorithm, len(seal.key_id)) == ("ed25519", 8)
    assert "secret" not in repr(seal)


def test_objects_signed_together_verify_alone() -> None:
    """The seal and the core's trees fit: one signature, each leaf provable by itself."""
    for signed in sign_together(SEAL, PartyId("H49"), [b"one", b"two", b"three"], 1):
        head = decode_head(signed.head.raw)
        check_signature(SEAL, head, signed.head, SEAL.public_key)
        assert check_path(signed, head) == signed.id


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_private_key_of_another_length_is_a_mistake_of_ours(length: int) -> None:
    """Raw keys come from `docaxis.seal.keys` only."""
    with pytest.raises(ValueError, match="32"):
        NodeSeal(bytes(length))
