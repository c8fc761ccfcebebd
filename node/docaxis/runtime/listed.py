"""Listed: whether the directory says of this node what it signs with and what it shows in TLS.

A node whose key nobody knows goes on signing, and everybody refuses it: it has to hear that at home first. Looking and
naming only; what is done about it is the operator's.
"""

from typing import NamedTuple

from docaxis.core.addresses import Book, Entry, Status
from docaxis.core.ids import KeyId, PartyId
from docaxis.seal.certificates import certificate_times_ms
from docaxis.seal.keys import key_id


class Papers(NamedTuple):
    """What a node presents: the id of its signing key, and its certificate in DER."""

    me: PartyId
    key: KeyId
    certificate: bytes


class Listing(NamedTuple):
    """Empty `code`: the directory lists key and certificate, and both are valid now. Else `code` is what peers refuse
    with, and `detail` what is wrong. `ends_ms` is when the first of them ends (0: neither does, or not known)."""

    code: str
    detail: str
    ends_ms: int = 0


def listing(papers: Papers, book: Book, now_ms: int) -> Listing:
    """How the directory in `book` sees the node that has these papers."""
    if book.version == 0:
        return Listing("directory.not-found", "no directory has been verified yet")
    entry = book.entry(papers.me)
    if entry is None:
        return Listing("party.unknown", f"{papers.me} is not in directory version {book.version}")
    if entry.status is not Status.OPEN:
        code = "party.closed" if entry.status is Status.CLOSED else "party.revoked"
        return Listing(code, f"the entry of {papers.me} is {entry.status.value}")
    key = _key(papers, entry, book, now_ms)
    return key if key.code else _certificate(papers, entry, book, now_ms, key.ends_ms)


def _key(papers: Papers, entry: Entry, book: Book, now_ms: int) -> Listing:
    name = f"the signing key {papers.key.hex()}"
    if papers.key in book.revoked:
        return Listing("party.revoked", f"{name} is revoked")
    found = next((each for each in entry.keys if each.id == papers.key), None)
    if found is None:
        return Listing("seal.key-unknown", f"{name} is not among the {len(entry.keys)} that the directory lists")
    return _valid("seal.key-unknown", name, found.not_before_ms, found.expires_ms, now_ms)


def _certificate(papers: Papers, entry: Entry, book: Book, now_ms: int, key_ends_ms: int) -> Listing:
    own = key_id(papers.certificate)
    name = f"the certificate {own.hex()}"
    if own in book.revoked:
        return Listing("party.revoked", f"{name} is revoked")
    if papers.certificate not in entry.certificates:
        return Listing("party.unknown", f"{name} is not among the {len(entry.certificates)} that the directory lists")
    since_ms, until_ms = certificate_times_ms(papers.certificate)
    found = _valid("party.unknown", name, since_ms, until_ms, now_ms)
    return found._replace(ends_ms=min(found.ends_ms, key_ends_ms or found.ends_ms))


def _valid(code: str, name: str, since_ms: int, until_ms: int, now_ms: int) -> Listing:
    if now_ms < since_ms:
        return Listing(code, f"{name} is not valid yet", until_ms)
    if until_ms and now_ms >= until_ms:
        return Listing(code, f"{name} is not valid any more", until_ms)
    return Listing("", "", until_ms)
