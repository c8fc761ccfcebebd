"""Revocations in a node's copy of the directory: heard from anywhere, kept for ever, handed on within reason."""

import asyncio
from pathlib import Path

import pytest

from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.trust import Revocation, encode_revocations
from docaxis.directory.ceremony import Ceremony
from docaxis.directory.entries import certificate_key_id
from docaxis.directory.repository import Repository
from docaxis.directory.signing import sign_revocation
from tests.directory.registry import HOUR_MS, NOW_MS, Source, ceremony, node, rotate_root

H49 = PartyId("H49")


@pytest.fixture
def town(tmp_path: Path) -> Ceremony:
    """A published directory of two agencies."""
    return ceremony(tmp_path)


async def test_a_revoked_key_is_refused_from_the_next_refresh_on_and_for_ever(town: Ceremony, tmp_path: Path) -> None:
    """Also by a node that is restarted without any source."""
    repository = await node(town, tmp_path / "n")
    key = town.bench.entries_of(H49)[H49].keys[0].id
    town.revoke(H49, key, NOW_MS, "máy chủ bị chiếm")
    town.publish(NOW_MS + HOUR_MS)
    book = await repository.refresh(Source.of(town.public).fetch, NOW_MS + HOUR_MS)
    assert dict(book.revoked) == {key: NOW_MS}
    again = Repository.open(tmp_path / "n", town.root, NOW_MS + HOUR_MS).book
    assert again is not None
    with pytest.raises(TheirFault) as caught:
        again.signing_key(H49, key, NOW_MS + HOUR_MS)
    assert caught.value.code == "party.revoked"


async def test_a_revocation_counts_from_whatever_source_and_is_handed_on(town: Ceremony, tmp_path: Path) -> None:
    """It only removes trust, so no publisher is needed: a file on a stick will do."""
    repository = await node(town, tmp_path / "n")
    certificate = town.bench.entries_of(H49)[H49].certificates[0]
    town.revoke(H49, certificate_key_id(certificate), NOW_MS)
    stick = encode_revocations(town.bench.revocations)
    revoked = certificate_key_id(certificate)
    assert [word.revocation.key for word in (await repository.revoke(stick)).good] == [revoked]
    assert (await repository.revoke(stick)).known == 1
    assert repository.book is not None
    assert revoked in repository.book.revoked
    assert repository.serve("revocations") == stick
    again = Repository.open(tmp_path / "n", town.root, NOW_MS + HOUR_MS)
    assert again.book is not None
    assert revoked in again.book.revoked
    assert again.serve("revocations") == stick


async def test_every_source_is_asked_for_revocations_whichever_gave_the_directory(
    town: Ceremony, tmp_path: Path
) -> None:
    """A publisher that hides one is not believed over a peer that has it; nor is nonsense a reason to stop."""
    repository = await node(town, tmp_path / "n")
    key = town.bench.entries_of(H49)[H49].keys[0].id
    town.revoke(H49, key, NOW_MS)
    silent, peer, liar = (Source.of(town.public) for _ in range(3))
    peer.files = {"revocations": encode_revocations(town.bench.revocations)}
    liar.files = {"revocations": b"nonsense"}
    nobody = Source({})
    await repository.refresh(silent.fetch, NOW_MS + HOUR_MS)
    await repository.gather([silent.fetch, nobody.fetch, liar.fetch, peer.fetch], 60)
    assert repository.book is not None
    assert key in repository.book.revoked
    assert repository.serve("revocations") == peer.files["revocations"]
    again = Repository.open(tmp_path / "n", town.root, NOW_MS + HOUR_MS).book
    assert again is not None
    assert key in again.revoked


async def test_a_source_that_never_answers_delays_no_revocation_for_ever(town: Ceremony, tmp_path: Path) -> None:
    """What the others said counts; the rest is asked again another time."""
    repository = await node(town, tmp_path / "n")

    async def never(name: str, bytes_max: int) -> bytes:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody ends this")

    key = town.bench.entries_of(H49)[H49].keys[0].id
    town.revoke(H49, key, NOW_MS)
    peer = Source({"revocations": encode_revocations(town.bench.revocations)})
    await repository.gather([never, peer.fetch], 0.5)
    assert repository.book is not None
    assert key in repository.book.revoked


async def test_signatures_that_others_added_are_not_handed_on(town: Ceremony, tmp_path: Path) -> None:
    """Else a word would grow from hand to hand until no file had room for it."""
    repository = await node(town, tmp_path / "n")
    key = town.bench.entries_of(H49)[H49].keys[0].id
    town.revoke(H49, key, NOW_MS)
    plain = encode_revocations(town.bench.revocations)
    [word] = town.bench.revocations
    grown = word._replace(signatures=(*word.signatures, *((KeyId(bytes([n]) * 8), b"x" * 8_000) for n in range(9))))
    for stick in (encode_revocations([grown]), plain):
        await repository.revoke(stick)
        assert repository.serve("revocations") == plain


async def test_words_of_officers_who_were_replaced_are_not_handed_on_and_still_count(
    town: Ceremony, tmp_path: Path
) -> None:
    """Nobody else could check them; but revoking only removes trust, and is never undone."""
    repository = await node(town, tmp_path / "n")
    key = town.bench.entries_of(H49)[H49].keys[0].id
    signed = town.bench.draft_revocation(Revocation(H49, key, NOW_MS, ""))
    for person in town.people:
        signed = sign_revocation(signed, person)
    await repository.revoke(encode_revocations([signed]))
    town.bench.revocations.clear()
    rotate_root(town, NOW_MS + HOUR_MS)
    town.publish(NOW_MS + HOUR_MS)
    book = await repository.refresh(Source.of(town.public).fetch, NOW_MS + HOUR_MS)
    assert key in book.revoked
    assert repository.serve("revocations") == encode_revocations([])


async def test_an_agency_cannot_revoke_the_key_of_another(town: Ceremony, tmp_path: Path) -> None:
    """Its officers' word is passed over, wherever it came from."""
    repository = await node(town, tmp_path / "n")
    foreign = town.bench.entries_of(PartyId("G22"))[PartyId("G22")].keys[0].id
    town.revoke(H49, foreign, NOW_MS)
    judged = await repository.revoke(encode_revocations(town.bench.revocations))
    assert [fault.code for fault in judged.faults] == ["directory.wrong-path"]
    assert repository.book is not None
    assert repository.book.revoked == {}
    with pytest.raises(TheirFault) as caught:
        town.publish(NOW_MS)
    assert caught.value.code == "directory.threshold"


async def test_nonsense_for_revocations_harms_no_refresh(town: Ceremony, tmp_path: Path) -> None:
    """A source may not block the directory by that file."""
    repository = Repository(tmp_path / "n", town.root)
    source = Source.of(town.public)
    source.files["revocations"] = b"nonsense"
    assert (await repository.refresh(source.fetch, NOW_MS)).revoked == {}
    with pytest.raises(TheirFault):
        await repository.revoke(b"nonsense")
