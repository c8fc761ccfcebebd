"""A node whose papers the directory does not list hears of it at home, before its peers refuse it."""

from io import StringIO
from pathlib import Path

import pytest

from docaxis.cli.serve import open_service
from docaxis.core.addresses import Book, Entry, Status
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.limits import DAY_MS, SECOND_MS
from docaxis.directory.entries import certificate_key_id
from docaxis.runtime.listed import Listing, Papers, listing
from tests.runtime.town import Town

H49 = PartyId("H49")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """One agency will do."""
    return Town(tmp_path, ["H49"])


def seen(entry: Entry | None, papers: Papers, now_ms: int, revoked: dict[KeyId, int] | None = None) -> Listing:
    """How a directory with that entry sees the node."""
    return listing(papers, Book(lambda party: entry, {}, 3, now_ms, revoked or {}), now_ms)


def test_every_way_not_to_be_listed_is_named(town: Town) -> None:
    """By the code that peers refuse with, and in words."""
    entry, now_ms = town.entries["H49"], town.now_ms
    key = entry.keys[0]
    papers = Papers(H49, key.id, entry.certificates[0])
    listed = seen(entry, papers, now_ms)
    assert (listed.code, listed.detail) == ("", "")
    assert listed.ends_ms > now_ms + 10 * 365 * DAY_MS, "the certificate's own end"
    shorter = entry._replace(keys=(key._replace(expires_ms=now_ms + DAY_MS),))
    assert seen(shorter, papers, now_ms).ends_ms == now_ms + DAY_MS
    later = entry._replace(keys=(key._replace(not_before_ms=now_ms + 1),))
    certificate = certificate_key_id(entry.certificates[0])
    assert [
        (found.code, found.detail.rpartition(" is ")[2])
        for found in (
            seen(None, papers, now_ms),
            seen(entry._replace(status=Status.CLOSED), papers, now_ms),
            seen(entry._replace(status=Status.SUSPENDED), papers, now_ms),
            seen(entry, papers, now_ms, {key.id: 0}),
            seen(entry._replace(keys=()), papers, now_ms),
            seen(later, papers, now_ms),
            seen(shorter, papers, now_ms + DAY_MS),
            seen(entry, papers, now_ms, {certificate: 0}),
            seen(entry._replace(certificates=()), papers, now_ms),
            seen(entry, papers, now_ms + 21 * 365 * DAY_MS),
        )
    ] == [
        ("party.unknown", "not in directory version 3"),
        ("party.closed", "closed"),
        ("party.revoked", "suspended"),
        ("party.revoked", "revoked"),
        ("seal.key-unknown", "not among the 0 that the directory lists"),
        ("seal.key-unknown", "not valid yet"),
        ("seal.key-unknown", "not valid any more"),
        ("party.revoked", "revoked"),
        ("party.unknown", "not among the 0 that the directory lists"),
        ("party.unknown", "not valid any more"),
    ]


def test_without_a_directory_nothing_is_claimed(town: Town) -> None:
    """The first minute of every node is no alarm."""
    papers = Papers(H49, town.entries["H49"].keys[0].id, town.entries["H49"].certificates[0])
    assert listing(papers, Book(lambda party: None, {}, 0, 0, {}), town.now_ms).code == "directory.not-found"


async def test_a_node_says_in_log_and_status_that_its_key_is_revoked(town: Town) -> None:
    """Once it has adopted the directory that says so, at the level at which people are woken."""
    text = StringIO()
    service = await open_service(town.folder("H49"), town.settings["H49"], log_to=text)
    await service.start()
    try:
        assert "identity.not-listed" not in text.getvalue()
        identity = (await service.node.status())["identity"]
        assert isinstance(identity, dict)
        assert (identity["listed"], identity["code"]) == (True, "")
        key = town.entries["H49"].keys[0].id
        town.ceremony.revoke(H49, key, town.now_ms, "")
        town.ceremony.publish(town.now_ms + SECOND_MS)
        await service.node._refresher.once()
        (line,) = [each for each in text.getvalue().splitlines() if "event=identity.not-listed" in each]
        assert "level=error" in line
        assert "code=party.revoked" in line
        assert key.hex() in line
        identity = (await service.node.status())["identity"]
        assert isinstance(identity, dict)
        assert (identity["listed"], identity["code"]) == (False, "party.revoked")
    finally:
        await service.stop()
