"""Publishing: thresholds, officers on machines of their own, and nothing half published."""

from pathlib import Path

import pytest

from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.trust import Revocation, encode_revocations
from docaxis.directory.ceremony import Ceremony, new_officers
from docaxis.directory.drafts import PERIODS, Periods
from docaxis.directory.publish import Bench, Online
from docaxis.directory.review import AtHand, review
from docaxis.directory.signing import Officers, count_signatures, merge_files, read_metadata, sign_file
from docaxis.seal.sign import NodeSeal
from tests.directory.registry import DAY_MS, NOW_MS, Source, ceremony, node, node_entry, unit_entry

H49 = PartyId("H49")
UNTIL_MS = NOW_MS + 365 * DAY_MS


def table(people: list[NodeSeal], threshold: int = 2) -> Officers:
    """Officers with a threshold."""
    return Officers(threshold, tuple(each.public_key for each in people))


@pytest.fixture
def people() -> list[NodeSeal]:
    """Three officers of the root."""
    return new_officers(3)


@pytest.fixture
def online() -> Online:
    """The publisher's two keys."""
    return Online(*new_officers(2))


@pytest.fixture
def bench(tmp_path: Path, people: list[NodeSeal], online: Online) -> Bench:
    """A first directory, drafted and saved, signed by nobody."""
    found = Bench(tmp_path / "p")
    found.draft_root(table(people), table(people), online, UNTIL_MS)
    found.draft_agency(H49, table(people[:1], 1), UNTIL_MS)
    found.draft_entries(H49, [node_entry("H49"), unit_entry("H49.16")], UNTIL_MS)
    found.save()
    return found


def refused(bench: Bench, online: Online) -> str:
    """The code with which publishing is refused; nothing was written."""
    before = Source.of(bench.public).files if bench.public.exists() else {}
    with pytest.raises(TheirFault) as caught:
        bench.publish(online, NOW_MS)
    assert (Source.of(bench.public).files if bench.public.exists() else {}) == before
    return caught.value.code


def test_officers_sign_one_after_the_other_each_on_a_machine_of_their_own(
    bench: Bench, people: list[NodeSeal], online: Online
) -> None:
    """Files are carried; the folder of the publisher never sees a private key."""
    drafts = bench.folder / "drafts"
    for officer in people[:2]:
        for name in ("root.json", "targets.json"):
            (drafts / name).write_bytes(sign_file((drafts / name).read_bytes(), officer))
    (drafts / "H49.json").write_bytes(sign_file((drafts / "H49.json").read_bytes(), people[0]))
    again = Bench(bench.folder)
    assert again.publish(online, NOW_MS) == 1
    assert [path.name for path in drafts.rglob("*") if path.is_file()] == []
    assert set(Source.of(again.public).files) >= {"1.root.json", "1.targets.json", "1.H49.json", "timestamp.json"}


def test_copies_signed_at_the_same_time_are_merged(bench: Bench, people: list[NodeSeal], online: Online) -> None:
    """Nobody waits for the other's courier."""
    drafts = bench.folder / "drafts"
    for name in ("root.json", "targets.json"):
        for officer in people[1:]:
            assert f"{bench.merge(sign_file((drafts / name).read_bytes(), officer))}.json" == name
    bench.merge(sign_file((drafts / "H49.json").read_bytes(), people[0]))
    assert bench.publish(online, NOW_MS) == 1


def test_a_signed_copy_of_something_else_is_not_merged(bench: Bench, people: list[NodeSeal]) -> None:
    """What an officer signed is what is published, byte for byte."""
    before = (bench.folder / "drafts" / "H49.json").read_bytes()
    bench.draft_entries(H49, [node_entry("H49"), unit_entry("H49.17")], UNTIL_MS)
    with pytest.raises(TheirFault) as caught:
        bench.merge(sign_file(before, people[0]))
    assert caught.value.code == "directory.mismatch"
    with pytest.raises(TheirFault):
        merge_files(before, bench.drafts["H49"].to_bytes())


@pytest.mark.parametrize("missing", ["root", "targets", "H49"])
def test_nothing_is_published_while_a_signature_is_missing(
    bench: Bench, people: list[NodeSeal], online: Online, missing: str
) -> None:
    """All drafts or none."""
    for role in bench.drafts:
        for officer in people[: 1 if role == "H49" else 2]:
            bench.sign(role, officer)
    bench.drafts[missing].signatures.popitem()
    assert refused(bench, online) == "directory.threshold"


def test_strangers_signatures_do_not_count(bench: Bench, people: list[NodeSeal], online: Online) -> None:
    """Nor does one officer's second signature."""
    for role in bench.drafts:
        for officer in (people[0], people[0], *new_officers(2)):
            bench.sign(role, officer)
    assert refused(bench, online) == "directory.threshold"


def test_how_many_have_signed_can_be_asked(bench: Bench, people: list[NodeSeal]) -> None:
    """Before a courier is sent."""
    root = bench.drafts["root"]
    assert count_signatures(root.to_bytes(), "root", root.signed) == (0, 2)
    bench.sign("root", people[0])
    assert count_signatures(root.to_bytes(), "root", root.signed) == (1, 2)
    with pytest.raises(TheirFault):
        bench.sign("H50", people[0])


def test_an_officer_sees_what_a_draft_says(bench: Bench) -> None:
    """Nobody signs a digest blindly."""
    drafts = {role: draft.to_bytes() for role, draft in bench.drafts.items()}
    beside = AtHand(shards={shard.path: shard.raw for shard in bench.shards["H49"]})
    root = review(drafts["root"], beside).says["officers"]["root"]
    assert (root["threshold"], len(root["keys"])) == (2, 3)
    assert review(drafts["targets"], beside).says["agencies"]["H49"]["threshold"] == 1
    assert list(review(drafts["H49"], beside).says["entries"]) == ["H49", "H49.16"]
    bench.draft_entries(H49, [node_entry("H49")], UNTIL_MS)
    with pytest.raises(TheirFault) as caught:
        review(drafts["H49"], AtHand(shards={shard.path: shard.raw for shard in bench.shards["H49"]}))
    assert caught.value.code == "directory.mismatch"


def test_two_benches_cannot_publish_over_each_other(tmp_path: Path) -> None:
    """Compare and set: the second draws its drafts anew."""
    town = ceremony(tmp_path)
    other = Bench(town.bench.folder)
    town.publish(NOW_MS)
    other.put_entries([other.entries_of(H49)[H49]._replace(name_vi="Khác")], UNTIL_MS)
    assert refused(other, town.online) == "directory.rollback"


def test_a_draft_kept_too_long_does_not_follow_any_more(tmp_path: Path) -> None:
    """Somebody else's version was published meanwhile."""
    town = ceremony(tmp_path)
    town.put(town.bench.entries_of(H49)[H49]._replace(name_vi="Một"))
    town.bench.save()
    stale = read_metadata((town.bench.folder / "drafts" / "H49.json").read_bytes())
    town.publish(NOW_MS)
    town.bench.drafts["H49"] = stale
    assert refused(town.bench, town.online) == "directory.rollback"


async def test_the_daily_renewal_needs_no_officer(tmp_path: Path) -> None:
    """Only the timestamp changes; the snapshot when it would soon expire."""
    town = ceremony(tmp_path)
    repository = await node(town, tmp_path / "n")
    assert town.publish(NOW_MS + DAY_MS) == 1
    assert (await repository.refresh(Source.of(town.public).fetch, NOW_MS + DAY_MS)).version == 1
    late_ms = NOW_MS + PERIODS.snapshot_ms - DAY_MS
    assert town.publish(late_ms) == 2
    assert (await repository.refresh(Source.of(town.public).fetch, late_ms)).version == 2


def test_short_periods_are_kept(tmp_path: Path) -> None:
    """A demonstration may run with minutes."""
    town = ceremony(tmp_path)
    assert town.publish(NOW_MS, Periods(snapshot_ms=60_000, timestamp_ms=60_000)) == 1
    files = Source.of(town.public).files
    assert read_metadata(files["timestamp.json"]).signed.expires.timestamp() * 1000 == NOW_MS + 60_000


def test_new_officers_of_an_agency_sign_its_entries_anew(tmp_path: Path) -> None:
    """Until they have, the list that names them is not published."""
    town = ceremony(tmp_path)
    people = new_officers(2)
    town.bench.draft_agency(H49, table(people), UNTIL_MS)
    for person in town.people[:2]:
        town.bench.sign("targets", person)
    assert refused(town.bench, town.online) == "directory.threshold"
    town.bench.redraft_role(H49, UNTIL_MS)
    for person in people:
        town.bench.sign("H49", person)
    assert town.bench.publish(town.online, NOW_MS) == 2


def test_history_is_kept_for_ever(tmp_path: Path) -> None:
    """What the directory said in any version can be shown to a court."""
    town = ceremony(tmp_path)
    before = Source.of(town.public).files
    town.put(town.bench.entries_of(H49)[H49]._replace(name_vi="Mới"))
    town.publish(NOW_MS)
    after = Source.of(town.public).files
    assert {name: raw for name, raw in before.items() if name != "timestamp.json"}.items() <= after.items()


def test_entries_that_break_a_rule_are_not_drafted(bench: Bench) -> None:
    """The officer hears it before anybody signs."""
    with pytest.raises(TheirFault) as caught:
        bench.draft_entries(H49, [unit_entry("H49.16")], UNTIL_MS)
    assert caught.value.code == "directory.invalid"


def test_a_key_of_another_agency_is_not_drafted(tmp_path: Path) -> None:
    """Neither of a published one nor of a drafted one."""
    town = ceremony(tmp_path)
    new = node_entry("H57")
    town.add_agency([new])
    for other in (town.bench.entries_of(H49)[H49], new):
        with pytest.raises(TheirFault) as caught:
            town.add_agency([node_entry("H58")._replace(keys=other.keys)])
        assert caught.value.code == "directory.invalid"


def test_a_threshold_that_cannot_be_reached_is_refused(bench: Bench, people: list[NodeSeal]) -> None:
    """Four of three, none of three, one person twice."""
    for officers in (table(people, 4), table(people, 0), table([people[0], people[0]])):
        with pytest.raises(TheirFault) as caught:
            bench.draft_agency(PartyId("H57"), officers, UNTIL_MS)
        assert caught.value.code == "directory.invalid"
    with pytest.raises(TheirFault):
        bench.draft_agency(PartyId("H57.1"), table(people), UNTIL_MS)


def test_revocations_are_carried_signed_and_published_like_everything_else(tmp_path: Path) -> None:
    """By the root's officers here, who may revoke any key; and they survive later publications."""
    town = ceremony(tmp_path)
    key = town.bench.entries_of(H49)[H49].keys[0].id
    town.bench.draft_revocation(Revocation(H49, key, NOW_MS, "mất máy"))
    town.bench.save()
    path = next((town.bench.folder / "drafts").glob("*.revocation"))
    assert refused(town.bench, town.online) == "directory.threshold"
    copies = [sign_file(path.read_bytes(), person) for person in town.people[:2]]
    assert merge_files(*copies) == merge_files(*reversed(copies))
    for copy in copies:
        assert town.bench.merge(copy) == "revocations"
    town.publish(NOW_MS)
    published = Source.of(town.public).files["revocations"]
    assert published == merge_files(*copies)
    town.publish(NOW_MS)
    assert Source.of(town.public).files["revocations"] == published != encode_revocations([])


def test_a_folder_that_does_not_hold_together_is_not_opened(tmp_path: Path) -> None:
    """A publisher does not build on damage."""
    town = ceremony(tmp_path)
    (town.public / "1.snapshot.json").write_bytes(b"{}")
    with pytest.raises(TheirFault):
        Bench(town.bench.folder)


def test_a_disk_that_cannot_be_written_is_our_fault(tmp_path: Path, people: list[NodeSeal]) -> None:
    """And the timestamp, which is written last, still names what was there before."""
    town = ceremony(tmp_path)
    before = Source.of(town.public).files
    town.put(town.bench.entries_of(H49)[H49]._replace(name_vi="Mới"))
    (town.public / "2.snapshot.json").mkdir()
    with pytest.raises(OurFault) as caught:
        town.publish(NOW_MS)
    assert caught.value.code == "node.store"
    assert (town.public / "timestamp.json").read_bytes() == before["timestamp.json"]


def test_a_ceremony_of_ninety_five_agencies_is_real(tmp_path: Path) -> None:
    """Threshold root, one role per agency, three of five if wanted."""
    town = Ceremony(tmp_path / "p", NOW_MS, officers=5, threshold=3)
    for number in range(1, 96):
        town.add_agency([node_entry(f"H{number:02}")])
    assert town.publish(NOW_MS) == 1
    root = read_metadata(town.root).signed
    assert (root.roles["root"].threshold, len(root.roles["root"].keyids), root.consistent_snapshot) == (3, 5, True)
    assert len(review(Source.of(town.public).files["1.targets.json"], AtHand()).says["agencies"]) == 95


def test_a_changed_entry_gets_the_next_number_also_where_nobody_has_an_alias(tmp_path: Path) -> None:
    """An index without other spellings is empty as a mapping, and full of entries all the same."""
    found = Ceremony(tmp_path / "publisher", NOW_MS)
    found.add_agency([node_entry("H49")._replace(aliases=())])
    found.publish(NOW_MS)
    assert found.put(found.bench.entries_of(H49)[H49]._replace(name_vi="Tên mới")).seq == 2
