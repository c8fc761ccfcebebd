"""Signed objects: exact bytes, the signed head of the tree they are a leaf of, and the path between the two.

The one way anything is signed in docaxis. It knows no keys and no directory: verification takes a key that the
caller found, and signing goes through the `Seal` port. Specification: ``node/docs/spec/signed-object.md``.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from docaxis.core import codec
from docaxis.core.errors import TheirFault
from docaxis.core.ids import HASH_BYTES, KEY_ID_BYTES, KeyId, PartyId, party_id
from docaxis.core.limits import HEAD_BYTES_MAX, PATH_HASHES_MAX, TREE_LEAVES_MAX
from docaxis.core.ports import Seal, Verifier
from docaxis.core.tree import leaf_hash, root_and_paths, root_from_path

HEAD_CONTEXT: Final = b"docaxis/head/v1\x00"
SIGNATURE_BYTES_MAX: Final = 8_192
HASH_ALGORITHM: Final = "sha256"

_FIELDS: Final = frozenset({"type", "signer", "key", "alg", "hash", "root", "count", "at"})


class Head(NamedTuple):
    """What a signature covers: the root over so many `leaves`, by whom, with which key, at which claimed time."""

    signer: PartyId
    key: KeyId
    alg: str
    root: bytes
    leaves: int
    at_ms: int


class SignedHead(NamedTuple):
    """The exact bytes of a head, and the signature over ``HEAD_CONTEXT || raw``."""

    raw: bytes
    signature: bytes


class Signed(NamedTuple):
    """An object as it was signed: its bytes verbatim, its head, and its `place` and `path` in the head's tree."""

    body: bytes
    head: SignedHead
    place: int
    path: tuple[bytes, ...]

    @property
    def id(self) -> bytes:
        """The object's id: its leaf hash."""
        return leaf_hash(self.body)


def encode_head(head: Head) -> bytes:
    """Canonical bytes of a head."""
    return codec.pack(
        {
            "alg": head.alg,
            "at": head.at_ms,
            "count": head.leaves,
            "hash": HASH_ALGORITHM,
            "key": head.key,
            "root": head.root,
            "signer": head.signer,
            "type": "head/1",
        }
    )


def decode_head(raw: bytes) -> Head:
    """Reads a head; raises `TheirFault` ``codec.*``, ``id.malformed`` or ``seal.algorithm``."""
    value = codec.fields(codec.decode(raw, HEAD_BYTES_MAX), _FIELDS, "head")
    if value["type"] != "head/1" or value["hash"] != HASH_ALGORITHM:
        raise TheirFault("seal.algorithm", "this version reads head/1 over sha256")
    return Head(
        signer=party_id(value["signer"]),
        key=KeyId(codec.blob(value["key"], "head.key", KEY_ID_BYTES)),
        alg=codec.text(value["alg"], "head.alg", 32, 1),
        root=codec.blob(value["root"], "head.root", HASH_BYTES),
        leaves=codec.integer(value["count"], "head.count", 1, TREE_LEAVES_MAX),
        at_ms=codec.integer(value["at"], "head.at"),
    )


def sign_together(seal: Seal, signer: PartyId, bodies: Sequence[bytes], at_ms: int) -> list[Signed]:
    """Signs `bodies` with one signature; each comes back provable alone, in the same order."""
    root, paths = root_and_paths([leaf_hash(body) for body in bodies])
    raw = encode_head(Head(signer, seal.key_id, seal.algorithm, root, len(bodies), at_ms))
    head = SignedHead(raw, seal.sign(HEAD_CONTEXT + raw))
    return [Signed(body, head, index, path) for index, (body, path) in enumerate(zip(bodies, paths, strict=True))]


def check_path(signed: Signed, head: Head) -> bytes:
    """The object's id, once its path leads to the head's root; raises `TheirFault` ``seal.bad-path``."""
    hashed = leaf_hash(signed.body)
    if root_from_path(hashed, signed.place, head.leaves, signed.path) != head.root:
        raise TheirFault("seal.bad-path", "the object is not under the root that was signed")
    return hashed


def check_signature(seal: Verifier, head: Head, signed: SignedHead, public_key: bytes) -> None:
    """Raises `TheirFault` ``seal.bad-signature`` unless the head was signed with `public_key`."""
    if not seal.verify(head.alg, public_key, HEAD_CONTEXT + signed.raw, signed.signature):
        raise TheirFault("seal.bad-signature", f"head of {head.signer} at {head.at_ms}")


def proof_value(signed: Signed) -> list[Any]:
    """``[head, signature, index, [hash, …]]``: a proof as it stands in files and rows, without the body."""
    return [signed.head.raw, signed.head.signature, signed.place, list(signed.path)]


def read_signed(body: bytes, proof: Any) -> Signed:
    """The inverse of `proof_value`; raises `TheirFault` ``codec.schema``."""
    if type(proof) is not list or len(proof) != 4:
        raise codec.wrong("proof", "an array of head, signature, index and path")
    head, signature, index, path = proof
    return Signed(body, read_signed_head([head, signature]), *read_place(index, path))


def read_signed_head(value: Any) -> SignedHead:
    """Reads ``[head, signature]``, sizes only; raises `TheirFault` ``codec.schema``."""
    if type(value) is not list or len(value) != 2 or type(value[0]) is not bytes or type(value[1]) is not bytes:
        raise codec.wrong("head", "an array of two byte strings")
    if len(value[0]) > HEAD_BYTES_MAX or len(value[1]) > SIGNATURE_BYTES_MAX:
        raise codec.wrong("head", f"at most {HEAD_BYTES_MAX} bytes and a signature of at most {SIGNATURE_BYTES_MAX}")
    return SignedHead(value[0], value[1])


def read_place(index: Any, path: Any) -> tuple[int, tuple[bytes, ...]]:
    """Reads a leaf's index and path, sizes only; raises `TheirFault` ``codec.schema``."""
    codec.integer(index, "index", 0, TREE_LEAVES_MAX - 1)
    return index, codec.array(path, "path", PATH_HASHES_MAX, lambda h: codec.blob(h, "path hash", HASH_BYTES))
