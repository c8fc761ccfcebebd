"""A node's copy of the directory: it follows what is published, refuses every lie, and survives its sources."""

from pathlib import Path

import pytest

from docaxis.core.addresses import Book, Status
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.trust import Freshness, freshness
from docaxis.directory.ceremony import Ceremony, new_officers
from docaxis.directory.files import local_files
from docaxis.directory.publish import Online
from docaxis.directory.repository import CACHE_NAME, Repository
from tests.directory.registry import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    Source,
    ceremony,
    node,
    node_entry,
    republished,
    resigned,
    rotate_root,
)

H49 = PartyId("H49")


@pytest.fixture
def town(tmp_path: Path) -> Ceremony:
    """A published directory of two agencies."""
    return ceremony(tmp_path)


async def refused(repository: Repository, source: Source, now_ms: int = NOW_MS + HOUR_MS) -> str:
    """The code a source is refused with; whatever was in force stays in force."""
    before = repository.book
    with pytest.raises(TheirFault) as caught:
        await repository.refresh(source.fetch, now_ms)
    assert repository.book is before
    return caught.value.code


def change(town: Ceremony, name: str = "Tên mới", now_ms: int = NOW_MS + HOUR_MS) -> Source:
    """One entry changed and published; a source of the new state."""
    entry = town.bench.entries_of(H49)[H49]
    town.put(entry._replace(name_vi=name))
    town.publish(now_ms)
    return Source.of(town.public)


async def test_a_node_learns_every_party_from_static_files(town: Ceremony, tmp_path: Path) -> None:
    """By code, by older code, and who of them runs a node."""
    repository = Repository(tmp_path / "n", town.root)
    book = await repository.refresh(local_files(town.public), NOW_MS)
    assert (book.version, book.verified_ms, freshness(book.verified_ms, NOW_MS)) == (1, NOW_MS, Freshness.FRESH)
    assert book.resolve("000.00.00.H49") == "H49"
    assert book.entry(PartyId("H49.16.01")) is not None
    assert [entry.id for entry in repository.nodes()] == list(book.parties) == ["G22", "H49"]


async def test_an_unchanged_directory_costs_three_small_requests(town: Ceremony, tmp_path: Path) -> None:
    """The next root, the timestamp, the revocations; and the directory is as fresh as the answer."""
    repository = await node(town, tmp_path / "n")
    source = Source.of(town.public)
    book = await repository.refresh(source.fetch, NOW_MS + HOUR_MS)
    assert source.asked == ["2.root.json", "timestamp.json", "revocations"]
    assert book.verified_ms == NOW_MS + HOUR_MS


async def test_a_changed_entry_costs_only_its_agencys_files(town: Ceremony, tmp_path: Path) -> None:
    """Nobody fetches the country again for one telephone number."""
    repository = await node(town, tmp_path / "n")
    source = change(town)
    book = await repository.refresh(source.fetch, NOW_MS + HOUR_MS)
    entry = book.entry(H49)
    assert (book.version, entry and entry.name_vi) == (2, "Tên mới")
    shards = [name for name in source.found() if name.endswith(".s00")]
    assert source.found()[:3] == ["timestamp.json", "2.snapshot.json", "2.H49.json"]
    assert len(shards) == 1
    assert shards[0].startswith("H49/")


async def test_a_new_agency_appears_for_everybody(town: Ceremony, tmp_path: Path) -> None:
    """No node is configured anew."""
    repository = await node(town, tmp_path / "n")
    town.add_agency([node_entry("H57")])
    town.publish(NOW_MS + HOUR_MS)
    book = await repository.refresh(Source.of(town.public).fetch, NOW_MS + HOUR_MS)
    assert book.resolve("H57") == "H57"
    assert book.parties == ("G22", "H49", "H57")


async def test_a_closed_code_leads_to_its_successor(town: Ceremony, tmp_path: Path) -> None:
    """Its entry stays, so that what it signed stays verifiable."""
    town.add_agency([node_entry("H57")])
    town.put(town.bench.entries_of(H49)[H49]._replace(status=Status.CLOSED, successors=(PartyId("H57"),)))
    town.publish(NOW_MS + HOUR_MS)
    repository = await node(town, tmp_path / "n", NOW_MS + HOUR_MS)
    assert repository.book is not None
    assert repository.book.resolve("000.00.00.H49") == "H57"


# --- attacks ----------------------------------------------------------------------------------------------------


async def test_rollback_to_an_older_directory_is_refused(town: Ceremony, tmp_path: Path) -> None:
    """Correctly signed and not expired yet, and still an attack."""
    old = Source.of(town.public)
    repository = await node(town, tmp_path / "n")
    await repository.refresh(change(town).fetch, NOW_MS + HOUR_MS)
    assert await refused(repository, old) == "directory.rollback"


async def test_rollback_is_refused_even_after_every_file_was_lost(town: Ceremony, tmp_path: Path) -> None:
    """The numbers in the cache are a floor; damage to the rest does not lower it."""
    old = Source.of(town.public)
    repository = await node(town, tmp_path / "n")
    await repository.refresh(change(town).fetch, NOW_MS + HOUR_MS)
    state = repository._cache.load()["state"]
    repository._cache._bytes = 0
    repository._cache.keep({"state": state}, ["state"], {"state": state})
    again = Repository.open(tmp_path / "n", town.root, NOW_MS + 2 * HOUR_MS)
    assert again.book is None
    assert await refused(again, old) == "directory.rollback"


async def test_an_agency_that_vanishes_is_a_rollback(town: Ceremony, tmp_path: Path) -> None:
    """A publisher, or a thief of its keys, cannot make a province disappear."""
    repository = await node(town, tmp_path / "n")
    files = Source.of(town.public).files
    del files["1.H49.json"]
    assert await refused(repository, Source(republished(town, files, version=2))) == "directory.rollback"


async def test_a_frozen_source_ages_and_then_is_refused(town: Ceremony, tmp_path: Path) -> None:
    """It can show the old timestamp for a day; from then on the directory ages, step by step, and nothing stops."""
    repository = await node(town, tmp_path / "n")
    frozen = Source.of(town.public)
    await repository.refresh(frozen.fetch, NOW_MS + 23 * HOUR_MS)
    for days, step in ((2, Freshness.AGEING), (8, Freshness.STALE), (31, Freshness.EXPIRED)):
        now_ms = NOW_MS + days * DAY_MS
        assert await refused(repository, frozen, now_ms) == "directory.expired"
        assert repository.book is not None
        assert freshness(repository.book.verified_ms, now_ms) is step
        assert repository.book.resolve("H49") == "H49"


async def test_two_timestamps_of_one_number_are_refused(town: Ceremony, tmp_path: Path) -> None:
    """A publisher that shows different nodes different directories is caught where both are seen."""
    repository = await node(town, tmp_path / "n")
    source = Source.of(town.public)
    source.files = republished(town, source.files)
    assert await refused(repository, source) == "directory.mismatch"


async def test_parts_of_two_directories_do_not_mix(town: Ceremony, tmp_path: Path) -> None:
    """New timestamp over old snapshot, new snapshot over old role, new role over old shard."""
    repository = await node(town, tmp_path / "n")
    old, new = Source.of(town.public), change(town)
    assert await refused(repository, Source({**new.files, "2.snapshot.json": old.files["1.snapshot.json"]})) == (
        "directory.mismatch"
    )
    assert await refused(repository, Source({**new.files, "2.H49.json": old.files["1.H49.json"]})) == (
        "directory.mismatch"
    )
    shard = next(name for name in new.files if name.startswith("H49/") and name not in old.files)
    other = next(raw for name, raw in old.files.items() if name.startswith("H49/"))
    other = other.ljust(len(new.files[shard]), b"x")[: len(new.files[shard])]
    assert await refused(repository, Source({**new.files, shard: other})) == "directory.mismatch"


async def test_a_role_signed_by_too_few_officers_is_refused(tmp_path: Path) -> None:
    """Whatever the publisher says of it."""
    town = Ceremony(tmp_path / "p", NOW_MS)
    town.add_agency([node_entry("H49")], officers=3, threshold=2)
    town.publish(NOW_MS)
    files = Source.of(town.public).files
    one = resigned(files["1.H49.json"], town.role_people[H49][1][0])
    source = Source(republished(town, {**files, "1.H49.json": one}))
    assert await refused(Repository(tmp_path / "n", town.root), source, NOW_MS) == "directory.threshold"


async def test_a_role_that_nobody_delegated_to_is_refused(town: Ceremony, tmp_path: Path) -> None:
    """An invented agency in the snapshot is seen."""
    files = Source.of(town.public).files
    source = Source(republished(town, {**files, "1.H50.json": files["1.H49.json"]}))
    assert await refused(Repository(tmp_path / "n", town.root), source, NOW_MS) == "directory.wrong-path"


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.H49.json", "shard"])
async def test_a_file_longer_than_agreed_is_refused(town: Ceremony, tmp_path: Path, name: str) -> None:
    """Also from a source that ignores the bound it was given."""
    source = Source.of(town.public)
    name = next(each for each in source.files if each.startswith("H49/")) if name == "shard" else name
    source.files[name] = bytes(6 * 2**20)
    assert await refused(Repository(tmp_path / "n", town.root), source, NOW_MS) == "codec.too-long"


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.G22.json", "shard"])
async def test_a_file_that_is_missing_or_damaged_is_refused(town: Ceremony, tmp_path: Path, name: str) -> None:
    """All of the directory, or nothing of it."""
    source = Source.of(town.public)
    name = next(each for each in source.files if each.startswith("H49/")) if name == "shard" else name
    good = source.files.pop(name)
    repository = Repository(tmp_path / "n", town.root)
    assert await refused(repository, source, NOW_MS) == "directory.not-found"
    source.files[name] = good[:-1]
    assert await refused(repository, source, NOW_MS) in {
        "directory.malformed", "directory.mismatch", "codec.malformed",
    }  # fmt: skip


async def test_another_root_is_another_directory(town: Ceremony, tmp_path: Path) -> None:
    """Nothing of it is accepted by who trusts this one."""
    other = ceremony(tmp_path / "other")
    repository = Repository(tmp_path / "n", town.root)
    assert await refused(repository, Source.of(other.public), NOW_MS) == "directory.threshold"


# --- sources and the cache --------------------------------------------------------------------------------------


async def test_the_next_source_is_asked_where_one_lies_or_fails(town: Ceremony, tmp_path: Path) -> None:
    """Any mirror or peer will do, since what counts are signatures."""
    repository = Repository(tmp_path / "n", town.root)

    async def dead(name: str, bytes_max: int) -> bytes:
        raise OurFault("node.unreachable", "no network")

    frozen = Source.of(town.public)
    frozen.files["timestamp.json"] = b"{}"
    book = await repository.refresh([dead, frozen.fetch, Source.of(town.public).fetch], NOW_MS)
    assert book.version == 1
    with pytest.raises(OurFault) as caught:
        await repository.refresh([frozen.fetch, dead], NOW_MS)
    assert caught.value.code == "node.unreachable"
    with pytest.raises(TheirFault) as nobody:
        await repository.refresh([], NOW_MS)
    assert nobody.value.code == "directory.not-found"


async def test_any_node_serves_what_it_has_to_the_next(town: Ceremony, tmp_path: Path) -> None:
    """The publisher may be gone: a chain of nodes hands the directory on."""
    first = await node(town, tmp_path / "n1")

    async def from_first(name: str, bytes_max: int) -> bytes:
        raw = first.serve(name)
        if raw is None:
            raise TheirFault("directory.not-found", name)
        return raw

    second = Repository(tmp_path / "n2", town.root)
    book = await second.refresh(from_first, NOW_MS + HOUR_MS)
    assert book.resolve("H49") == "H49"


@pytest.mark.parametrize(
    "name", ["../cache", "/etc/passwd", "H49/../../cache", "state", "", "2.root.json", "drafts/root.json"]
)
async def test_nothing_but_the_repositorys_files_is_served(town: Ceremony, tmp_path: Path, name: str) -> None:
    """Names are looked up, never opened as paths."""
    repository = await node(town, tmp_path / "n")
    assert repository.serve(name) is None


async def test_a_restarted_node_has_its_directory_at_once_and_as_old_as_it_is(town: Ceremony, tmp_path: Path) -> None:
    """With the publisher gone, and even after the timestamp has expired."""
    await node(town, tmp_path / "n")
    later_ms = NOW_MS + 5 * DAY_MS
    again = Repository.open(tmp_path / "n", town.root, later_ms)
    assert again.book is not None
    assert again.book.verified_ms == NOW_MS
    assert freshness(again.book.verified_ms, later_ms) is Freshness.AGEING
    assert again.book.resolve("000.00.00.H49") == "H49"


async def test_a_clock_set_back_does_not_make_the_directory_younger_than_now(town: Ceremony, tmp_path: Path) -> None:
    """Its age is never negative after a restart."""
    await node(town, tmp_path / "n")
    again = Repository.open(tmp_path / "n", town.root, NOW_MS - HOUR_MS)
    assert again.book is not None
    assert again.book.verified_ms == NOW_MS - HOUR_MS


async def test_a_damaged_cache_is_fetched_again(town: Ceremony, tmp_path: Path) -> None:
    """It is disposable, as long as there is a source."""
    await node(town, tmp_path / "n")
    path = tmp_path / "n" / CACHE_NAME
    path.write_bytes(path.read_bytes()[:3000])
    again = Repository.open(tmp_path / "n", town.root, NOW_MS)
    assert again.book is None
    assert (await again.refresh(Source.of(town.public).fetch, NOW_MS)).version == 1


async def test_a_restart_writes_nothing_that_is_there_already(town: Ceremony, tmp_path: Path) -> None:
    """The disk is spared: within an hour not even the time of verification is written."""
    await node(town, tmp_path / "n")
    before = (tmp_path / "n" / CACHE_NAME).read_bytes()
    again = Repository.open(tmp_path / "n", town.root, NOW_MS)
    await again.refresh(Source.of(town.public).fetch, NOW_MS + HOUR_MS - 1)
    assert (tmp_path / "n" / CACHE_NAME).read_bytes() == before
    await again.refresh(Source.of(town.public).fetch, NOW_MS + HOUR_MS)
    assert len((tmp_path / "n" / CACHE_NAME).read_bytes()) > len(before)


async def test_a_disk_that_fails_does_not_hide_what_was_verified(town: Ceremony, tmp_path: Path) -> None:
    """The new state is in force, and the operator hears of the disk."""
    (tmp_path / "file").write_bytes(b"")
    repository = Repository(tmp_path / "file" / "n", town.root)
    with pytest.raises(OurFault) as caught:
        await repository.refresh(Source.of(town.public).fetch, NOW_MS)
    assert caught.value.code == "node.store"
    assert isinstance(repository.book, Book)


# --- officers come and go ---------------------------------------------------------------------------------------


async def test_roots_rotate_and_nodes_follow_from_any_older_one(town: Ceremony, tmp_path: Path) -> None:
    """Two rotations; one node saw none of them, one saw the first."""
    repository = await node(town, tmp_path / "n")
    rotate_root(town, NOW_MS)
    town.publish(NOW_MS + HOUR_MS)
    halfway = await node(town, tmp_path / "halfway", NOW_MS + HOUR_MS)
    rotate_root(town, NOW_MS)
    town.publish(NOW_MS + 2 * HOUR_MS)
    for each in (repository, halfway):
        book = await each.refresh(Source.of(town.public).fetch, NOW_MS + 2 * HOUR_MS)
        assert (book.version, book.resolve("H49")) == (3, "H49")
    assert Repository.open(tmp_path / "n", town.root, NOW_MS + 2 * HOUR_MS).book is not None


async def test_new_online_keys_free_the_numbers_that_a_thief_drove_up(town: Ceremony, tmp_path: Path) -> None:
    """TUF 5.3.11: a stolen timestamp key could sign number two billion; after rotation numbers start anew."""
    repository = await node(town, tmp_path / "n")
    far = resigned(Source.of(town.public).files["timestamp.json"], town.online.timestamp, version=2_000_000_000)
    await repository.refresh(Source({**Source.of(town.public).files, "timestamp.json": far}).fetch, NOW_MS)
    assert await refused(repository, change(town)) == "directory.rollback"
    rotate_root(town, NOW_MS, Online(*new_officers(2)))
    town.publish(NOW_MS + HOUR_MS)
    book = await repository.refresh(Source.of(town.public).fetch, NOW_MS + HOUR_MS)
    entry = book.entry(H49)
    assert entry is not None
    assert entry.name_vi == "Tên mới"


async def test_a_source_that_hides_a_newer_root_is_refused(town: Ceremony, tmp_path: Path) -> None:
    """Otherwise revoked officers would speak again."""
    old = Source.of(town.public)
    rotate_root(town, NOW_MS)
    town.publish(NOW_MS + HOUR_MS)
    repository = await node(town, tmp_path / "n", NOW_MS + HOUR_MS)
    assert await refused(repository, old) == "directory.rollback"


async def test_agencies_whose_officers_should_sign_anew_are_named(town: Ceremony, tmp_path: Path) -> None:
    """A reminder in time; nothing stops when it is ignored."""
    repository = await node(town, tmp_path / "n")
    assert repository.expiring(NOW_MS + 30 * DAY_MS) == []
    assert repository.expiring(NOW_MS + 3000 * DAY_MS) == ["G22", "H49"]


async def test_before_the_first_refresh_there_is_nothing(town: Ceremony, tmp_path: Path) -> None:
    """A node that knows nobody says so."""
    repository = Repository.open(tmp_path / "n", town.root, NOW_MS)
    assert (repository.book, repository.serve("timestamp.json"), list(repository.nodes())) == (None, None, [])
    assert (repository.entries.count(), repository.expiring(NOW_MS)) == (0, [])
    with pytest.raises(TheirFault):
        repository.prove([H49])
