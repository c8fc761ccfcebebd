"""Hostile metadata: whatever an officer signs or a source invents, a reader refuses it and never crashes."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.formats import encode_canonical

from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.trust import Versions
from docaxis.directory.ceremony import Ceremony
from docaxis.directory.proof import Proof, Proven, verify_proof
from docaxis.directory.renewal import Accepted, drive, renewal
from docaxis.directory.signing import Officer, tuf_key
from tests.directory.registry import NOW_MS, Source, ceremony

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=20),
    st.sampled_from(["", "../x", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "\ud800", "H49", "G22/*", "a" * 5000]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["H49", "sha256", "public", ""]), st.text(max_size=5), max_size=2),
)


@cache
def town() -> Ceremony:
    """One directory for every example: making it is what costs."""
    return ceremony(Path(mkdtemp(prefix="docaxis-hostile-")))


@cache
def files() -> dict[str, bytes]:
    """Its files."""
    return Source.of(town().public).files


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, item in inner for each in places(item, (*path, key)))] if path else [
        each for key, item in inner for each in places(item, (key,))
    ]  # fmt: skip


def changed(raw: bytes, draw: Any) -> dict[str, Any]:
    """The signed part of a file with one or two places changed, renamed or taken out."""
    signed: dict[str, Any] = json.loads(raw)["signed"]
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(places(signed)))
        holder: Any = signed
        for key in path[:-1]:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()):
            moved = holder.pop(path[-1])
            if draw(st.booleans()):
                holder[draw(st.text(max_size=10))] = moved
        else:
            holder[path[-1]] = draw(ODD)
    return signed


def signed_by(signed: dict[str, Any], *officers: Officer) -> bytes:
    """A file over any value at all, with good signatures."""
    try:
        message = str(encode_canonical(signed)).encode()
    except (UnicodeEncodeError, ValueError, TypeError):
        message = b"what has no canonical form cannot be signed"
    except Exception as error:  # noqa: BLE001 - the encoder's own family of errors; then the signature is simply wrong
        message = str(error).encode()
    signatures = [{"keyid": tuf_key(each.public_key).keyid, "sig": each.sign(message).hex()} for each in officers]
    return json.dumps({"signed": signed, "signatures": signatures}).encode()


def read(pieces: dict[str, bytes]) -> Accepted | None:
    """What a node makes of these files, whatever they are; None for a refusal."""
    try:
        steps = renewal(files()["1.root.json"], None, Versions(0, 0, 0, {}), NOW_MS)
        return drive(steps, lambda file: pieces.get(file.name))
    except TheirFault:
        return None


def proven(proof: Proof) -> Proven | None:
    """What a stranger makes of a proof; None for a refusal."""
    try:
        return verify_proof(files()["1.root.json"], proof)
    except TheirFault:
        return None


@given(st.data())
def test_an_agencys_officers_may_sign_anything_and_harm_only_their_own(data: st.DataObject) -> None:
    """Their metadata is refused or says something about their own units."""
    raw = signed_by(changed(files()["1.H49.json"], data.draw), *town().role_people[PartyId("H49")][1])
    shards = {name: each for name, each in files().items() if name.startswith("H49/")}
    found = proven(
        Proof(
            (files()["1.root.json"],), files()["1.targets.json"], {"H49": raw}, {"H49/s00": next(iter(shards.values()))}
        )
    )
    assert found is None or all(entry.id.startswith("H49") for entry in found.entries())


@given(st.data())
def test_the_officers_of_the_list_may_sign_anything_and_widen_nobodys_reach(data: st.DataObject) -> None:
    """An agency in an accepted list speaks for its own units and no others."""
    raw = signed_by(changed(files()["1.targets.json"], data.draw), *town().people[:2])
    proof = Proof((files()["1.root.json"],), raw, {"H49": files()["1.H49.json"]}, {})
    found = proven(proof)
    assert found is None or list(found.entries()) == []


@given(st.data(), st.sampled_from(["timestamp.json", "1.snapshot.json"]))
def test_the_publisher_may_sign_anything_and_nobody_crashes(data: st.DataObject, name: str) -> None:
    """Timestamps and snapshots with good signatures and odd contents."""
    key = town().online.timestamp if name == "timestamp.json" else town().online.snapshot
    raw = signed_by(changed(files()[name], data.draw), key)
    pieces = {**files(), name: raw}
    if name != "timestamp.json":
        stamp = json.loads(files()["timestamp.json"])["signed"]
        stamp["meta"]["snapshot.json"] |= {"length": len(raw), "hashes": {"sha256": sha256(raw).hexdigest()}}
        pieces["timestamp.json"] = signed_by(stamp, town().online.timestamp)
    found = read(pieces)
    assert found is None or set(found.roles) <= {"G22", "H49"}


@given(st.data())
def test_roots_with_good_signatures_and_odd_contents_are_refused_or_read(data: st.DataObject) -> None:
    """The next root may hold nonsense, even if its officers meant it."""
    signed = json.loads(files()["1.root.json"])["signed"] | {"version": 2}
    raw = signed_by(changed(json.dumps({"signed": signed}).encode(), data.draw), *town().people)
    found = read({**files(), "2.root.json": raw})
    assert found is None or found.versions.root in (1, 2)


@given(st.data())
def test_no_damage_to_any_file_is_more_than_a_refusal(data: st.DataObject) -> None:
    """One bit anywhere: refused, or without consequence for what is read."""
    name = data.draw(st.sampled_from(sorted(files())))
    damaged = bytearray(files()[name])
    if damaged:
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = read({**files(), name: bytes(damaged)})
    assert found is None or found.entries.count() == 4
