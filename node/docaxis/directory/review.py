"""Review: what a file says to the officer who is about to sign it, what it changes, and whose keys may sign it.

Nobody should sign what they have not read. Values come in and words go out: no file is read here, nothing is signed,
and what is not at hand to compare with is said to be missing rather than guessed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from securesystemslib.signer import Key
from tuf.api.metadata import Role, Root, Targets

from docaxis.core.addresses import Entry
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.trust import SignedRevocation, decode_revocation, decode_revocations
from docaxis.directory import layout
from docaxis.directory.renewal import Accepted
from docaxis.directory.shards import Shard
from docaxis.directory.signing import read_metadata
from docaxis.directory.verified import raw_public, time_of
from docaxis.seal.certificates import certificate_sha256
from docaxis.seal.keys import key_id

_PLAIN: Final = ("name_vi", "name_en", "kind", "parent", "endpoints", "via", "aliases", "status", "successors")


class AtHand(NamedTuple):
    """What lies beside the file: drafts of the root and of the list of agencies, shards by target path, and what is
    published; each may be missing."""

    root: Root | None = None
    targets: Targets | None = None
    shards: Mapping[str, bytes] = {}
    published: Accepted | None = None

    def top(self) -> Root | None:
        """The root in question: as drafted, else as published."""
        return self.root or published_role(self.published, Root.type)

    def list(self) -> Targets | None:
        """The list of agencies in question: as drafted, else as published."""
        return self.targets or published_role(self.published, Targets.type)


class Review(NamedTuple):
    """`says`: the whole content as plain values; `changes`: against what is published, one line each, None where
    nothing is at hand to compare with; `signers`: the keys that may sign, None where nothing at hand says whose."""

    says: dict[str, Any]
    changes: list[str] | None
    signers: frozenset[KeyId] | None

    def check_signer(self, key: KeyId) -> None:
        """Raises `TheirFault` ``directory.not-officer`` where it is known that this key may not sign."""
        if self.signers is not None and key not in self.signers:
            whose = ", ".join(sorted(each.hex() for each in self.signers)) or "nobody"
            raise TheirFault("directory.not-officer", f"{key.hex()} is no key of {self.says['role']}; it has {whose}")


def published_role(accepted: Accepted | None, role: str) -> Any:
    """The signed part of a published role, or None."""
    if accepted is None:
        return None
    number = accepted.versions.root if role == Root.type else accepted.versions.roles.get(role)
    return read_metadata(accepted.files[layout.metadata_name(role, number)]).signed if number else None


def review(raw: bytes, at_hand: AtHand) -> Review:
    """Reads a draft of metadata, or revocations.

    Raises `TheirFault` ``directory.incomplete`` where a shard is not beside it, ``directory.mismatch`` where one is
    not what the draft says, ``directory.invalid`` for what officers do not sign, ``directory.malformed``, ``codec.*``.
    """
    if not raw.startswith(b"{"):
        return _of_revocations(decode_revocations(raw), at_hand)
    signed = read_metadata(raw).signed
    if isinstance(signed, Root):
        return _of_root(signed, at_hand)
    if isinstance(signed, Targets):
        return _of_list(signed, at_hand) if signed.delegations else _of_agency(signed, at_hand)
    raise TheirFault("directory.invalid", f"officers do not sign a {signed.type}; the publisher's own keys do")


def shards_of(raw: bytes) -> list[str]:
    """The paths of the shards that must lie beside a draft; raises `TheirFault` ``directory.*``."""
    signed = read_metadata(raw).signed if raw.startswith(b"{") else None
    paths = list(signed.targets) if isinstance(signed, Targets) else []
    for path in paths:
        layout.read_shard_path(path)  # it becomes the name of a file that is opened
    return paths


def _head(role: str, signed: Root | Targets) -> dict[str, Any]:
    return {"type": signed.type, "role": role, "version": signed.version, "until": signed.expires.isoformat()}


def _of_root(signed: Root, at_hand: AtHand) -> Review:
    says = {**_head(Root.type, signed), "officers": _officers(signed.keys, signed.roles)}
    old = published_role(at_hand.published, Root.type)
    # whoever leaves the root lets the new ones in: the next root needs signatures of both
    signers = _key_ids(signed.keys, signed.roles[Root.type].keyids)
    if old is None:
        return Review(says, None, signers)
    changes = list(_differences(_officers(old.keys, old.roles), says["officers"]))
    return Review(says, changes, signers | _key_ids(old.keys, old.roles[Root.type].keyids))


def _of_list(signed: Targets, at_hand: AtHand) -> Review:
    says = {**_head(Targets.type, signed), "agencies": _agencies(signed)}
    old = published_role(at_hand.published, Targets.type)
    root = at_hand.top()
    signers = None if root is None else _key_ids(root.keys, root.roles[Targets.type].keyids)
    if old is None and at_hand.published is None:
        return Review(says, None, signers)
    return Review(says, list(_differences(_agencies(old) if old else {}, says["agencies"])), signers)


def _of_agency(signed: Targets, at_hand: AtHand) -> Review:
    agencies = {layout.read_shard_path(path)[0] for path in signed.targets}
    if len(agencies) != 1:
        raise TheirFault("directory.malformed", "the draft is neither a list of agencies nor the entries of one agency")
    agency = agencies.pop()
    shards = [_shard(path, target.hashes.get("sha256", ""), at_hand) for path, target in sorted(signed.targets.items())]
    entries = {party: _entry(party, shard.entry(party)) for shard in shards for party in shard.parties()}
    says = {**_head(agency, signed), "entries": dict(sorted(entries.items()))}
    listed = at_hand.list()
    delegations = listed.delegations if listed else None
    role = delegations.roles.get(agency) if delegations and delegations.roles else None
    signers = _key_ids(delegations.keys, role.keyids) if delegations and role else None
    if at_hand.published is None:
        return Review(says, None, signers)
    before = at_hand.published.entries.shards_of(agency)
    old = {party: _entry(party, shard.entry(party)) for shard in before for party in shard.parties()}
    return Review(says, list(_differences(old, says["entries"])), signers)


def _shard(path: str, sha256_hex: str, at_hand: AtHand) -> Shard:
    raw = at_hand.shards.get(path)
    if raw is None:
        raise TheirFault("directory.incomplete", f"{path} is not beside the draft, which cannot be read without it")
    shard = Shard(raw)
    if shard.sha256_hex != sha256_hex or shard.path != path:
        raise TheirFault("directory.mismatch", f"{path} beside the draft is not what the draft says")
    return shard


def _of_revocations(signed: tuple[SignedRevocation, ...], at_hand: AtHand) -> Review:
    words = [decode_revocation(each.body) for each in signed]
    said = [
        {"party": each.party, "key": each.key.hex(), "from": time_of(each.from_ms).isoformat(), "reason": each.reason}
        for each in words
    ]
    says = {"type": "revocations", "role": "the agency's officers or the root's", "says": said}
    if at_hand.published is None:
        return Review(says, None, None)
    authorities = at_hand.published.authorities
    roles = [Root.type, *(layout.agency_of(each.party) for each in words)]
    signers = frozenset(key for role in roles if role in authorities for key in authorities[role].keys)
    return Review(says, [f"{each.party}: key {each.key.hex()} is revoked" for each in words], signers)


# --- who signs, and what an entry says ----------------------------------------------------------------------------


def _key_ids(keys: Mapping[str, Key], ids: list[str]) -> frozenset[KeyId]:
    return frozenset(key_id(raw_public(keys[each])) for each in ids if each in keys)


def _officers(keys: Mapping[str, Key], roles: Mapping[str, Role]) -> dict[str, dict[str, Any]]:
    return {
        name: {"threshold": role.threshold, "keys": sorted(each.hex() for each in _key_ids(keys, role.keyids))}
        for name, role in sorted(roles.items())
    }


def _agencies(signed: Targets) -> dict[str, dict[str, Any]]:
    delegations = signed.delegations
    return _officers(delegations.keys, delegations.roles) if delegations and delegations.roles else {}


def _entry(party: PartyId, entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        raise TheirFault("directory.malformed", f"the entry of {party} cannot be read")
    keys = [_validity(key.id.hex(), key.not_before_ms, key.expires_ms) for key in entry.keys]
    plain = {name: value for name in _PLAIN if (value := getattr(entry, name))}
    certificates = [certificate_sha256(each).hex() for each in entry.certificates]
    valid = _validity("", entry.not_before_ms, entry.expires_ms)
    return {
        **{name: list(value) if isinstance(value, tuple) else str(value) for name, value in plain.items()},
        **({"valid": valid} if valid else {}),
        "keys": keys,
        "certificates": certificates,
        **({"enc": [each.hex() for each in entry.enc]} if entry.enc else {}),
    }


def _validity(what: str, not_before_ms: int, expires_ms: int) -> str:
    since = f"from {time_of(not_before_ms).isoformat()}" if not_before_ms else ""
    until = f"until {time_of(expires_ms).isoformat()}" if expires_ms else ""
    return " ".join(filter(None, (what, since, until)))


# --- what changes -------------------------------------------------------------------------------------------------


def _differences(old: Mapping[Any, dict[str, Any]], new: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"{name}: new"
        elif name not in new:
            yield f"{name}: gone"
        else:
            yield from (f"{name}: {words}" for words in _fields(old[name], new[name]))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for field in sorted({*old, *new}):
        was, now = old.get(field), new.get(field)
        if isinstance(was or now, list):
            yield from (f"{field} + {each}" for each in now or () if each not in (was or ()))
            yield from (f"{field} - {each}" for each in was or () if each not in (now or ()))
        elif was != now:
            yield f"{field}: {was or 'none'} → {now or 'none'}"


# --- as people read it --------------------------------------------------------------------------------------------


def lines(found: Review) -> Iterator[str]:
    """What is to be signed, for people: all it says, then what it changes."""
    says = found.says
    if "version" in says:
        yield f"{says['role']}, version {says['version']}, until {says['until']}"
    for name, each in (says.get("officers") or says.get("agencies") or {}).items():
        yield f"  {name}: {each['threshold']} of {len(each['keys'])} must sign"
        yield from (f"    key {key}" for key in each["keys"])
    for party, entry in says.get("entries", {}).items():
        yield f"  {party}"
        for field, value in entry.items():
            yield from (f"    {field}: {each}" for each in (value if isinstance(value, list) else [value]))
    for each in says.get("says", ()):
        yield f"  revokes key {each['key']} of {each['party']} from {each['from']} on: {each['reason']}"
    if found.changes is None:
        yield "Nothing published is at hand to compare with; name it with --published DIR."
    else:
        yield "Changes against what is published:"
        yield from (f"  {each}" for each in found.changes or ["none but version and time"])
    if found.signers is None:
        yield "Nothing at hand says whose signatures count here."
