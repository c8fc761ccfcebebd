"""Lint: the rules that an agency's entries must keep before they are published.

Each rule looks at plain entries and names what is wrong. Signatures, versions and files are checked elsewhere, and a
node that reads a directory does not depend on these rules: whatever a publisher let through harms only its own agency.
Specification: ``node/docs/spec/directory.md`` §6.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from docaxis.core.addresses import Entry, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory.layout import agency_of
from docaxis.directory.shards import is_confined
from docaxis.seal.certificates import check_certificate
from docaxis.seal.sign import is_sound_ed25519
from docaxis.seal.suites import ED25519

FINDINGS_SHOWN_MAX: Final = 20

Entries = Mapping[PartyId, Entry]
Rule = Callable[[Entry, Entries], Iterator[str]]


def lint(agency: PartyId, new: Entries, old: Entries, taken: Callable[[bytes], bool]) -> list[str]:
    """Everything wrong with the entries `new` that are to replace `old`; empty if nothing is.

    `taken` says whether bytes (a public key, a certificate) already stand in another agency's shards.
    """
    found = list(_agency(agency, new, old))
    for entry in new.values():
        if old.get(entry.id) != entry:
            found += [f"{entry.id}: {text}" for rule in RULES for text in rule(entry, new)]
            found += [f"{entry.id}: {text}" for text in _history(entry, old.get(entry.id))]
    found += _uniqueness(new, old, taken)
    return found


def check(agency: PartyId, new: Entries, old: Entries, taken: Callable[[bytes], bool]) -> None:
    """Raises `TheirFault` ``directory.invalid`` with the first findings."""
    found = lint(agency, new, old, taken)
    if found:
        more = f" (and {len(found) - FINDINGS_SHOWN_MAX} more)" if len(found) > FINDINGS_SHOWN_MAX else ""
        raise TheirFault("directory.invalid", "; ".join(found[:FINDINGS_SHOWN_MAX]) + more)


def _agency(agency: PartyId, new: Entries, old: Entries) -> Iterator[str]:
    if agency not in new:
        yield f"{agency}: the agency itself needs an entry"
    for party in new:
        if agency_of(party) != agency:
            yield f"{party}: is not a unit of {agency}"
    for party in old.keys() - new.keys():
        yield f"{party}: entries are closed, never removed: what it signed must stay verifiable"


def _parent(entry: Entry, new: Entries) -> Iterator[str]:
    if entry.id == agency_of(entry.id):
        if entry.parent is not None:
            yield "an agency has no parent"
    elif entry.parent not in new:
        yield f"its parent {entry.parent} is not an entry of the agency"
    elif entry.id in _above(entry, new):
        yield "its parents lead in a circle"


def _above(entry: Entry, new: Entries) -> list[PartyId]:
    """Ids above an entry, nearest first, up to where they repeat."""
    found: list[PartyId] = []
    parent = entry.parent
    while parent is not None and parent not in found:
        found.append(parent)
        parent = new[parent].parent if parent in new else None
    return found


def _via(entry: Entry, new: Entries) -> Iterator[str]:
    above = _above(entry, new)
    for hub in entry.via:
        if hub not in above:
            yield f"its mailbox hub {hub} is not above it"
    if len(set(entry.via)) != len(entry.via):
        yield "a mailbox hub is named twice"


def _endpoints(entry: Entry, _: Entries) -> Iterator[str]:
    for endpoint in entry.endpoints:
        try:
            url = urlsplit(endpoint)
            sound = url.scheme == "https" and bool(url.hostname) and (url.port is None or url.port > 0)
        except ValueError:
            sound = False
        if not sound or url.path or url.query or url.fragment or "@" in url.netloc:
            yield f"its endpoint must look like https://host:port, not {endpoint[:80]!r}"
    if entry.endpoints and entry.status is Status.OPEN and not (entry.keys and entry.certificates):
        yield "an open entry with an endpoint needs a signing key and a certificate"


def _keys(entry: Entry, _: Entries) -> Iterator[str]:
    for key in entry.keys:
        if key.alg != ED25519 or not is_sound_ed25519(key.public):
            yield f"key {key.id.hex()} is not a sound key for ed25519"
        if key.expires_ms and key.expires_ms <= key.not_before_ms:
            yield f"key {key.id.hex()} ends before it begins"
    for certificate in entry.certificates:
        try:
            check_certificate(certificate, entry.id)
        except TheirFault as fault:
            yield fault.detail


def _aliases(entry: Entry, new: Entries) -> Iterator[str]:
    for alias in entry.aliases:
        if not is_confined(alias, agency_of(entry.id)):
            yield f"alias {alias} is not a name inside {agency_of(entry.id)}"
        if alias in new:
            yield f"alias {alias} is the code of another entry"
        if not alias.isascii() or not alias.replace(".", "").replace("-", "").isalnum():
            yield f"alias {alias!r} may hold letters, digits, dots and hyphens"


def _standing(entry: Entry, _: Entries) -> Iterator[str]:
    if entry.successors and entry.status is Status.OPEN:
        yield "an open entry has no successors"
    if entry.id in entry.successors:
        yield "an entry cannot succeed itself"
    if entry.expires_ms and entry.expires_ms <= entry.not_before_ms:
        yield "it ends before it begins"


RULES: Final[tuple[Rule, ...]] = (_parent, _via, _endpoints, _keys, _aliases, _standing)


def _history(entry: Entry, old: Entry | None) -> Iterator[str]:
    if old is None:
        return
    if entry.seq <= old.seq:
        yield f"it changed, so its seq must rise above {old.seq}"
    for key in {key.id for key in old.keys} - {key.id for key in entry.keys}:
        yield f"key {key.hex()} was removed: old keys stay listed, with an end"


def _uniqueness(new: Entries, old: Entries, taken: Callable[[bytes], bool]) -> Iterator[str]:
    owners: dict[bytes | str, PartyId] = {}
    before = {each for entry in old.values() for each in _marks(entry)}
    for entry in new.values():
        for mark in _marks(entry):
            owner = owners.setdefault(mark, entry.id)
            if owner != entry.id:
                yield f"{entry.id}: shares {_name(mark)} with {owner}"
            elif isinstance(mark, bytes) and mark not in before and taken(mark):
                yield f"{entry.id}: {_name(mark)} stands in another agency's entries"


def _marks(entry: Entry) -> Iterable[bytes | str]:
    """What no two entries may share."""
    return (*(key.public for key in entry.keys), *entry.certificates, *entry.aliases)


def marks(entries: Iterable[Entry]) -> frozenset[bytes]:
    """Keys and certificates of some entries, which may stand nowhere else."""
    return frozenset(mark for entry in entries for mark in _marks(entry) if isinstance(mark, bytes))


def _name(mark: bytes | str) -> str:
    return f"alias {mark}" if isinstance(mark, str) else f"the key or certificate {mark[-8:].hex()}"
