"""Trust: how far a directory may be acted on as it ages, which snapshot may replace which, and who may revoke a key.

Rules on plain values. Metadata files, signatures of officers and fetching are `docaxis.directory`'s; questions about
single parties are `docaxis.core.addresses`'s. Specification: ``node/docs/spec/directory.md`` §5 and §8.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

from docaxis.core import codec, limits
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KEY_ID_BYTES, KeyId, PartyId, party_id

REVOCATION_CONTEXT: Final = b"docaxis/revocation/v1\x00"
REVOCATION_BYTES_MAX: Final = 4 * limits.KIB
REVOCATION_SIGNATURES_MAX: Final = 16
REVOCATION_SIGNATURE_BYTES_MAX: Final = 8 * limits.KIB
REVOCATIONS_MAX: Final = 4_096
REVOCATIONS_BYTES_MAX: Final = 2 * limits.MIB

_FIELDS: Final = frozenset({"type", "party", "key", "from", "reason"})


class Freshness(IntEnum):
    """How old the last verified timestamp is, in steps; a higher step allows less (see `ALLOWED`)."""

    FRESH = 0
    AGEING = 1
    STALE = 2
    EXPIRED = 3


class Allowed(NamedTuple):
    """What a node does at one step: whether outgoing documents leave (else they are held), whether incoming ones are
    accepted (else they go into quarantine), whether keys that became valid after the last verification count, and
    whether people are warned."""

    delivers: bool
    accepts: bool
    new_keys: bool
    warns: bool


ALLOWED: Final[Mapping[Freshness, Allowed]] = {
    Freshness.FRESH: Allowed(delivers=True, accepts=True, new_keys=True, warns=False),
    Freshness.AGEING: Allowed(delivers=True, accepts=True, new_keys=True, warns=True),
    Freshness.STALE: Allowed(delivers=True, accepts=True, new_keys=False, warns=True),
    Freshness.EXPIRED: Allowed(delivers=False, accepts=False, new_keys=False, warns=True),
}
"""The graded policy: delivery goes on for days without a publisher, and ends in steps instead of at a date."""


def freshness(verified_ms: int, now_ms: int) -> Freshness:
    """The step for a directory last verified at `verified_ms`; a clock that was set back does not age it."""
    age_ms = now_ms - verified_ms
    if age_ms < limits.DIRECTORY_FRESH_MS:
        return Freshness.FRESH
    if age_ms < limits.DIRECTORY_AGEING_MS:
        return Freshness.AGEING
    if age_ms < limits.DIRECTORY_STALE_MS:
        return Freshness.STALE
    return Freshness.EXPIRED


class Versions(NamedTuple):
    """The numbers of one set of metadata; `roles` holds those of ``targets`` and of each agency's role."""

    root: int
    timestamp: int
    snapshot: int
    roles: Mapping[str, int]


def check_replaces(old: Versions, new: Versions) -> None:
    """Raises `TheirFault` ``directory.rollback`` unless `new` may replace `old`: no number falls, no role vanishes."""
    for name, before, after in (
        ("root", old.root, new.root),
        ("timestamp", old.timestamp, new.timestamp),
        ("snapshot", old.snapshot, new.snapshot),
        *((role, version, new.roles.get(role, 0)) for role, version in old.roles.items()),
    ):
        if after < before:
            found = f"has version {after}" if after else "is absent"
            raise TheirFault("directory.rollback", f"{name} {found}, and version {before} was verified before")


class Revocation(NamedTuple):
    """An authority's word that a key of a party is no longer trusted from `from_ms` (ms since 1970 UTC). `key` is the
    id of a signing key, or the first 8 bytes of the SHA-256 of a DER certificate."""

    party: PartyId
    key: KeyId
    from_ms: int
    reason: str


class SignedRevocation(NamedTuple):
    """A revocation's exact bytes, and who signed ``REVOCATION_CONTEXT || body``: pairs of key id and signature."""

    body: bytes
    signatures: tuple[tuple[KeyId, bytes], ...]


class Authority(NamedTuple):
    """Some officers: public keys with their algorithm, by key id, and how many of them must sign."""

    threshold: int
    keys: Mapping[KeyId, tuple[str, bytes]]


Verify = Callable[[str, bytes, bytes, bytes], bool]
"""Algorithm, public key, message, signature: whether it holds. `Seal.verify` is one."""


def encode_revocation(revocation: Revocation) -> bytes:
    """Canonical bytes of a revocation, which is what officers sign (behind `REVOCATION_CONTEXT`)."""
    return codec.encode(
        {
            "type": "revocation/1",
            "party": revocation.party,
            "key": revocation.key,
            "from": revocation.from_ms,
            "reason": revocation.reason,
        }
    )


def decode_revocation(raw: bytes) -> Revocation:
    """Reads a revocation; raises `TheirFault` ``codec.*`` or ``id.malformed``."""
    value = codec.fields(codec.decode(raw, REVOCATION_BYTES_MAX), _FIELDS, "revocation")
    if value["type"] != "revocation/1":
        raise codec.wrong("revocation.type", "revocation/1")
    return Revocation(
        party=party_id(value["party"]),
        key=KeyId(codec.blob(value["key"], "revocation.key", KEY_ID_BYTES)),
        from_ms=codec.integer(value["from"], "revocation.from"),
        reason=codec.text(value["reason"], "revocation.reason", limits.REASON_CHARS_MAX // 4),
    )


def encode_revocations(signed: Sequence[SignedRevocation]) -> bytes:
    """The file of revocations that travels: ``[[body, [[key id, signature], …]], …]``, sorted, each once."""
    return codec.encode([[each.body, [list(pair) for pair in each.signatures]] for each in sorted(set(signed))])


def decode_revocations(raw: bytes) -> tuple[SignedRevocation, ...]:
    """Reads a file of revocations, form only; raises `TheirFault` ``codec.*``."""
    return codec.array(codec.decode(raw, REVOCATIONS_BYTES_MAX), "revocations", REVOCATIONS_MAX, _read_signed)


def _read_signed(value: Any) -> SignedRevocation:
    if type(value) is not list or len(value) != 2 or type(value[0]) is not bytes:
        raise codec.wrong("revocation", "an array of body and signatures")
    return SignedRevocation(
        value[0], codec.array(value[1], "revocation signatures", REVOCATION_SIGNATURES_MAX, _read_signature)
    )


def _read_signature(value: Any) -> tuple[KeyId, bytes]:
    if type(value) is not list or len(value) != 2 or type(value[1]) is not bytes:
        raise codec.wrong("revocation signature", "an array of key id and signature")
    if len(value[1]) > REVOCATION_SIGNATURE_BYTES_MAX:
        raise codec.wrong("revocation signature", f"at most {REVOCATION_SIGNATURE_BYTES_MAX} bytes")
    return KeyId(codec.blob(value[0], "revocation signer", KEY_ID_BYTES)), value[1]


def check_revocation(
    signed: SignedRevocation,
    root: Authority,
    agency: Authority | None,
    owned: Callable[[Revocation], bool],
    verify: Verify,
) -> Revocation:
    """The revocation, once enough officers signed it.

    The root's officers may revoke any key. Those of an agency (`agency`: the role that speaks for the party) only keys
    for which `owned` says that the directory lists them under that party; otherwise a province could silence another's
    key. Raises `TheirFault` ``codec.*``, ``id.malformed``, ``directory.wrong-path`` or ``directory.threshold``.
    """
    revocation = decode_revocation(signed.body)
    if _reaches(root, signed, verify):
        return revocation
    if agency is None or not _reaches(agency, signed, verify):
        raise TheirFault("directory.threshold", f"too few officers signed the revocation of {revocation.key.hex()}")
    if not owned(revocation):
        raise TheirFault("directory.wrong-path", f"key {revocation.key.hex()} is not listed under {revocation.party}")
    return revocation


def trimmed(signed: SignedRevocation, authorities: Iterable[Authority], verify: Verify) -> SignedRevocation:
    """The revocation with only the signatures that hold, one of each officer: what is handed on cannot be made longer
    by whoever handed it to us."""
    message = REVOCATION_CONTEXT + signed.body
    known = [authority.keys for authority in authorities]
    good: dict[KeyId, bytes] = {}
    for key, signature in signed.signatures:
        algorithm, public = next((keys[key] for keys in known if key in keys), ("", b""))
        if public and key not in good and verify(algorithm, public, message, signature):
            good[key] = signature
    return SignedRevocation(signed.body, tuple(sorted(good.items())))


def _reaches(authority: Authority, signed: SignedRevocation, verify: Verify) -> bool:
    message = REVOCATION_CONTEXT + signed.body
    good = set()
    for key, signature in signed.signatures:
        algorithm, public = authority.keys.get(key, ("", b""))
        if public and verify(algorithm, public, message, signature):
            good.add(key)
    return len(good) >= max(1, authority.threshold)


def merge_revocations(old: Mapping[KeyId, int], new: Iterable[Revocation]) -> dict[KeyId, int]:
    """Revoked keys, each with the earliest time stated; revoking only removes trust, so any order gives one result."""
    merged = dict(old)
    for each in new:
        merged[each.key] = min(each.from_ms, merged.get(each.key, each.from_ms))
    return merged
