"""Vouching: checkers of who said what, and of who is who: promise 4 on signatures, promise 7 on the directory.

Like `docaxis_sim.checkers` they share no code with the machine: proofs are worked out anew from the bytes
(`docaxis_sim.reading`), and what a node believes of the directory is held against what was really published.
"""

from collections.abc import Collection, Mapping
from typing import Final

from docaxis.core.addresses import Book
from docaxis.core.effects import PutHead, PutObject
from docaxis.core.ids import KeyId
from docaxis_sim import reading
from docaxis_sim.checkers import require

HASH_BYTES: Final = 32
STAMP_MS_MAX: Final = 26 * 3_600_000
"""How old a stamp may be that is believed: a day, and what two clocks may differ by."""

Published = Mapping[KeyId, tuple[str, bytes]]
"""Every key that was ever listed, by its id: whose it is, and its public part."""


def provable(party: str, kept: PutObject, head: PutHead, published: Published) -> None:
    """Checked by a stranger: what a node keeps of anybody was signed by its author, with a key that was listed for it.

    The id is worked out from the bytes, the root from the path, and the signature from the key.
    """
    author, sealed = reading.author(kept.kind, kept.body), reading.seal(head.raw)
    what = f"{party} keeps {kept.kind} {kept.id.hex()[:16]} of {author}"
    owner, public = published.get(KeyId(sealed.key), ("nobody", b""))
    require(sealed.signer == owner == author, "provable", f"{what}, under key {sealed.key.hex()} of {owner}")
    require(reading.is_signed(head.raw, head.signature, public), "provable", f"{what}, which {author} did not sign")
    path = [kept.path[start : start + HASH_BYTES] for start in range(0, len(kept.path), HASH_BYTES)]
    holds = kept.id == reading.object_id(kept.body)
    holds = holds and reading.root(kept.id, kept.place, sealed.leaves, path) == sealed.root
    require(holds, "provable", f"{what}, which is not under the root that was signed")


def authentic(party: str, kept: PutObject, said: Collection[bytes]) -> None:
    """Checked by a stranger: nothing is believed of others that they did not say; `said` is all that its authors have
    ever made durable, and they speak of nothing else."""
    author = reading.author(kept.kind, kept.body)
    holds = author == party or kept.id in said
    require(holds, "authentic", f"{party} keeps {kept.kind} {kept.id.hex()[:16]}, which {author} never said")


def never_back(party: str, before: int, now: int) -> None:
    """The directory survives its publisher: no node goes back to an older one."""
    require(now >= before, "never back", f"{party} goes by version {now} of the directory, and had {before}")


def not_frozen(party: str, signed_ms: int, now_ms: int) -> None:
    """The directory survives its publisher: nobody takes a directory for fresh because it is shown again and again."""
    age_ms = now_ms - signed_ms
    require(age_ms < STAMP_MS_MAX, "not frozen", f"{party} takes a directory for fresh that was signed {age_ms} ms ago")


def truly_listed(party: str, book: Book, published: Published) -> None:
    """The directory survives its publisher: nobody is believed to have a key that was never published as its own."""
    for each in book.parties:
        entry = book.entry(each)
        for key in entry.keys if entry is not None else ():
            holds = published.get(key.id) == (each, key.public)
            require(holds, "truly listed", f"{party} believes that key {key.id.hex()} is of {each}")


def truly_revoked(party: str, book: Book, revoked: Collection[KeyId]) -> None:
    """A province can speak only for its own: nobody believes a revocation that no officer of that agency signed."""
    for key in book.revoked:
        require(key in revoked, "truly revoked", f"{party} believes that key {key.hex()} is revoked, and it is not")
