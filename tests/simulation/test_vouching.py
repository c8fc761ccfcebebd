"""Who said what and who is who, as checkers see it: each says yes to what is right, and no to what is wrong by one."""

from types import MappingProxyType

import pytest

from docaxis.core import statement as statements
from docaxis.core import wire
from docaxis.core.addresses import Book, SigningKey
from docaxis.core.effects import PutHead, PutObject
from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.lifecycle import Code
from docaxis.core.signed import Signed, sign_together
from docaxis.core.statement import Statement
from docaxis.seal.paper import PAPER, PaperSeal
from docaxis_sim import vouching
from docaxis_sim.checkers import Breach
from docaxis_sim.plan import Plan
from docaxis_sim.world import World

SEAL = PaperSeal("H49", simulation=True)
FALSE = PaperSeal("H26", simulation=True)
PUBLISHED = {SEAL.key_id: ("H49", SEAL.public_key), FALSE.key_id: ("H26", FALSE.public_key)}
DOC = DocId(b"d" * 32)


def word(seq: int) -> bytes:
    """A statement of H49."""
    parties = PartyId("H49"), DOC, PartyId("G22"), PartyId("H49")
    return statements.encode(Statement(*parties, Code.RECEIVED, 1, seq, DOC, None, 7, "", "", "", 1))


def kept(seal: PaperSeal = SEAL, signer: str = "H49") -> tuple[PutObject, PutHead]:
    """The second of three words that were signed together, as a node keeps it."""
    return put(sign_together(seal, PartyId(signer), [word(1), word(2), word(3)], 7)[1])


def put(signed: Signed) -> tuple[PutObject, PutHead]:
    """What is kept of something signed."""
    path = b"".join(signed.path)
    each = PutObject(signed.id, wire.STATEMENT, DOC, "H49", PartyId("H49"), b"h", signed.place, path, signed.body, 7)
    return each, PutHead(b"h", *signed.head)


def test_what_its_author_signed_is_provable() -> None:
    """From the bytes, the path, the head and the listed key alone."""
    vouching.provable("G22", *kept(), PUBLISHED)


def test_what_anybody_else_signed_is_not() -> None:
    """Neither under a key of another, nor in another's name under one's own, nor under a key that nobody has."""
    for each, head in (kept(FALSE), kept(FALSE, "H26"), kept(SEAL, "H26")):
        with pytest.raises(Breach, match=r"provable: G22 keeps statement .* of H49, under key"):
            vouching.provable("G22", each, head, PUBLISHED)
    with pytest.raises(Breach, match=r"under key .* of nobody"):
        vouching.provable("G22", *kept(), {})


def test_a_proof_with_one_bit_changed_proves_nothing() -> None:
    """Signature, place, path and id each count."""
    each, head = kept()
    with pytest.raises(Breach, match="which H49 did not sign"):
        vouching.provable("G22", each, head._replace(signature=bytes(64)), PUBLISHED)
    for wrong in (each._replace(place=0), each._replace(path=each.path[:32]), each._replace(id=b"i" * 32)):
        with pytest.raises(Breach, match="not under the root"):
            vouching.provable("G22", wrong, head, PUBLISHED)


def test_nobody_is_believed_to_have_said_what_he_never_said() -> None:
    """However well it is signed; what a node says itself is new when it is kept."""
    each, _ = kept()
    vouching.authentic("G22", each, {each.id})
    vouching.authentic("H49", each, ())
    with pytest.raises(Breach, match="which H49 never said"):
        vouching.authentic("G22", each, ())


def test_a_directory_goes_forward_and_grows_old() -> None:
    """The same version may come again; a stamp is good for a day, and clocks may differ."""
    vouching.never_back("G22", 3, 3)
    with pytest.raises(Breach, match="goes by version 2 of the directory, and had 3"):
        vouching.never_back("G22", 3, 2)
    vouching.not_frozen("G22", 0, vouching.STAMP_MS_MAX - 1)
    with pytest.raises(Breach, match="not frozen"):
        vouching.not_frozen("G22", 0, vouching.STAMP_MS_MAX)


def book(revoked: dict[KeyId, int], key: SigningKey | None = None) -> Book:
    """A directory of one agency, with a key more or without."""
    world = World(1, Plan(("G22", "H49")))
    entry = world.authority.entries[PartyId("H49")]
    keys = (*entry.keys, key) if key else entry.keys
    listed = {entry.id: entry._replace(keys=keys)}
    return Book(listed.get, MappingProxyType({}), 1, 0, revoked, tuple(listed))


def test_nobody_is_believed_to_have_a_key_that_was_not_published() -> None:
    """Nor that of another agency."""
    published = World(1, Plan(("G22", "H49"))).authority.published
    vouching.truly_listed("G22", book({}), published)
    for seal in (SEAL, PaperSeal("G22 key 1", simulation=True)):
        key = SigningKey(seal.key_id, PAPER, seal.public_key, 0, 0)
        with pytest.raises(Breach, match=r"truly listed: G22 believes that key .* is of H49"):
            vouching.truly_listed("G22", book({}, key), published)


def test_nobody_is_silenced_but_by_its_own_officers() -> None:
    """A revocation is believed where there was one."""
    vouching.truly_revoked("G22", book({SEAL.key_id: 5}), {SEAL.key_id: 5})
    with pytest.raises(Breach, match="is revoked, and it is not"):
        vouching.truly_revoked("G22", book({SEAL.key_id: 5}), {})
