"""Issues: the directory as it is handed out in a simulated world, and what one node makes of what it is handed.

Files and their metadata belong to the node's own directory room, which no simulated world may enter. Here officers sign
numbers, entries and revocations with seals of paper; what may follow what, and who may revoke whose key, is decided by
the core's rules (`docaxis.core.trust`), as in the real one. Nothing is fetched, and no lie is told here.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from docaxis.core.addresses import Book, Entry
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.limits import DAY_MS
from docaxis.core.trust import (
    REVOCATION_CONTEXT,
    Authority,
    Revocation,
    SignedRevocation,
    Versions,
    check_replaces,
    check_revocation,
    decode_revocation,
    encode_revocation,
    merge_revocations,
)
from docaxis.seal.paper import PAPER, PaperSeal

STAMP_MS: Final = DAY_MS
"""How long an issue may be handed out after its stamp was signed."""
ROOT: Final = "root"
"""Whose officers sign the stamp."""


class Issue(NamedTuple):
    """A directory on its way to a node: its numbers and when they were signed (`stamp`: the signature over both), the
    entries with the signatures of their agencies' officers, and words against keys."""

    versions: Versions
    signed_ms: int
    stamp: bytes
    entries: Mapping[PartyId, Entry]
    proofs: Mapping[PartyId, bytes]
    words: tuple[SignedRevocation, ...]


class Taken(NamedTuple):
    """What a node makes of an issue: its next directory, and why some words against keys were left out."""

    book: Book
    refused: tuple[TheirFault, ...]


@cache
def officers(of: str) -> PaperSeal:
    """With what the officers of an agency, or of the root, sign."""
    return PaperSeal(f"officers of {of}", simulation=True)


def stamp(versions: Versions, signed_ms: int) -> bytes:
    """The root's signature over an issue's numbers and time."""
    return officers(ROOT).sign(_numbers(versions, signed_ms))


def proof(entry: Entry, by: str) -> bytes:
    """The signature of the officers of `by` over an entry."""
    return officers(by).sign(repr(entry).encode())


def word(party: str, key: KeyId, from_ms: int, by: str) -> SignedRevocation:
    """The word of the officers of `by` that a key of `party` is no longer trusted."""
    body = encode_revocation(Revocation(PartyId(party), key, from_ms, "stolen"))
    seal = officers(by)
    return SignedRevocation(body, ((seal.key_id, seal.sign(REVOCATION_CONTEXT + body)),))


class Subscriber:
    """What one node was handed last. It survives the node's crashes, as files do."""

    def __init__(self) -> None:
        self._floor = Versions(0, 0, 0, {})
        self._entries: Mapping[PartyId, Entry] = {}
        self._words: dict[SignedRevocation, Revocation] = {}

    def take(self, issue: Issue, now_ms: int) -> Taken:
        """The directory to be used from now on; raises `TheirFault` ``directory.*`` where nothing of it may be."""
        if not is_signed(ROOT, _numbers(issue.versions, issue.signed_ms), issue.stamp):
            raise TheirFault("directory.threshold", "no officer of the root signed these numbers")
        if now_ms >= issue.signed_ms + STAMP_MS:
            raise TheirFault("directory.expired", f"the stamp is of {issue.signed_ms}")
        check_replaces(self._floor, issue.versions)
        for party, entry in issue.entries.items():
            known = self._entries.get(party) == entry
            if not known and not is_signed(party, repr(entry).encode(), issue.proofs[party]):
                raise TheirFault("directory.threshold", f"no officer of {party} signed its entry")
        self._floor, self._entries = issue.versions, issue.entries
        refused = tuple(self._hear(issue))
        revoked = merge_revocations({}, self._words.values())
        entries, version = issue.entries, issue.versions.timestamp
        book = Book(entries.get, MappingProxyType({}), version, now_ms, revoked, tuple(entries))
        return Taken(book, refused)

    def _hear(self, issue: Issue) -> list[TheirFault]:
        """Takes in the words that are new; those that do not hold come back as what is wrong with them."""
        faults = []
        for said in issue.words:
            try:
                if said not in self._words:
                    self._words[said] = _checked(said, issue.entries)
            except TheirFault as fault:
                faults.append(fault)
        return faults


def is_signed(of: str, body: bytes, signature: bytes) -> bool:
    """Whether the officers of an agency, or of the root, signed this."""
    seal = officers(of)
    return seal.verify(PAPER, seal.public_key, body, signature)


def _checked(said: SignedRevocation, entries: Mapping[PartyId, Entry]) -> Revocation:
    def owned(revocation: Revocation) -> bool:
        return any(key.id == revocation.key for key in entries[revocation.party].keys)

    agency = decode_revocation(said.body).party
    return check_revocation(said, _authority(ROOT), _authority(agency), owned, officers(agency).verify)


def _authority(of: str) -> Authority:
    seal = officers(of)
    return Authority(1, {seal.key_id: (PAPER, seal.public_key)})


def _numbers(versions: Versions, signed_ms: int) -> bytes:
    roles = sorted(versions.roles.items())
    return repr((versions.root, versions.timestamp, versions.snapshot, roles, signed_ms)).encode()
