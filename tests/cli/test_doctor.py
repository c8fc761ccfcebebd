"""The doctor finds what is wrong, says how bad it is, and what to do."""

import asyncio
import os
from pathlib import Path

import pytest

from docaxis.cli import doctor
from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS, HOUR_MS, SECOND_MS
from docaxis.runtime import config
from docaxis.runtime import folder as places
from docaxis.runtime.clock import SystemClock
from docaxis.seal.keys import new_ed25519, save_ed25519
from tests.runtime.town import Town

FREE = {"DOCAXIS_DISK_RESERVE_MIB": "0"}


def by_check(findings: list[doctor.Finding]) -> dict[str, doctor.Finding]:
    """The findings by what was looked at."""
    return {finding.check: finding for finding in findings}


async def examine(town: Town, code: str, **more: str) -> dict[str, doctor.Finding]:
    """What the doctor says of a node; beside the loop, as it has one of its own."""
    return by_check(await asyncio.to_thread(doctor.examine, town.folder(code), {**FREE, **more}, []))


async def test_a_healthy_node_among_peers_is_all_well(town: Town) -> None:
    """No finding without a reason: people stop reading what always complains."""
    async with town.running("G22"), town.running("H49"):
        findings = await examine(town, "H49")
    assert {finding.level for finding in findings.values()} == {"ok"}
    assert {"configuration", "disk space", "disk sync", "directory", "entry", "peer G22", "clock"} <= set(findings)


async def test_a_wrong_clock_shows_against_the_peers(town: Town) -> None:
    """Nobody inside the machine can know; the others do."""
    async with town.running("H49"):
        pass  # it has fetched a directory
    async with town.running("G22", clock=SystemClock(HOUR_MS)):
        finding = (await examine(town, "H49"))["clock"]
    assert finding.level == "finding"
    assert "behind" in finding.seen
    assert "NTP" in finding.remedy


async def test_a_peer_that_is_down_is_a_finding_and_no_breakage(town: Town) -> None:
    """Peers may be down; the node works all the same."""
    async with town.running("H49"):
        pass
    findings = await examine(town, "H49")
    assert findings["peer G22"].level == "finding"
    assert max(doctor.LEVELS[each.level] for each in findings.values()) == 1


async def test_a_clock_that_nobody_could_be_compared_with_is_not_passed_over(town: Town) -> None:
    """Silence would read as: the clock is right."""
    async with town.running("H49"):
        pass
    clock = (await examine(town, "H49"))["clock"]
    assert (clock.level, clock.seen) == ("finding", "not compared, no peer answered")


@pytest.mark.parametrize(
    ("days", "level", "step"), [(2, "finding", "ageing"), (10, "finding", "stale"), (40, "broken", "expired")]
)
async def test_a_directory_that_nobody_renewed_is_told_by_its_age(
    town: Town, monkeypatch: pytest.MonkeyPatch, days: int, level: str, step: str
) -> None:
    """It ages in steps; the doctor says which, before documents wait for it."""
    async with town.running("H49"):
        pass
    monkeypatch.setattr(doctor, "SystemClock", lambda: SystemClock(days * DAY_MS))
    found = (await examine(town, "H49"))["directory"]
    assert found.level == level
    assert f"({step})" in found.seen
    assert "directory.sources" in found.remedy


async def test_a_key_that_the_directory_does_not_list_is_a_breakage(town: Town) -> None:
    """Peers refuse whatever it signs; the operator hears it here, with what to do."""
    async with town.running("H49"):
        pass
    key = town.folder("H49") / places.SIGNING_KEY
    key.unlink()
    save_ed25519(key, new_ed25519(), None)
    found = (await examine(town, "H49"))["entry"]
    assert found.level == "broken"
    assert "is not among the 1 that the directory lists" in found.seen
    assert "entry.json" in found.remedy


async def test_a_revoked_key_is_a_breakage(town: Town) -> None:
    """The one finding after which the keys themselves must go."""
    town.ceremony.revoke(PartyId("H49"), town.entries["H49"].keys[0].id, town.now_ms, "máy chủ bị chiếm")
    town.ceremony.publish(town.now_ms + SECOND_MS)
    async with town.running("H49"):
        pass
    found = (await examine(town, "H49"))["entry"]
    assert found.level == "broken"
    assert found.seen.endswith("is revoked")
    assert "new keys" in found.remedy


async def test_a_key_that_ends_soon_is_told_in_time(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """New keys need officers, and officers need days."""
    entry = town.entries["H49"]
    key = entry.keys[0]._replace(expires_ms=town.now_ms + 10 * DAY_MS)
    town.ceremony.put(entry._replace(keys=(key,)))
    town.ceremony.publish(town.now_ms + SECOND_MS)
    async with town.running("H49"):
        pass
    found = (await examine(town, "H49"))["entry"]
    assert found.level == "finding"
    assert "for 9 days more" in found.seen
    monkeypatch.setattr(doctor, "SystemClock", lambda: SystemClock(11 * DAY_MS))
    ended = (await examine(town, "H49"))["entry"]
    assert ended.level == "broken"
    assert ended.seen.endswith("is not valid any more")


def test_a_slow_disk_is_a_finding(tmp_path: Path, town: Town) -> None:
    """Every document waits for it, so the doctor measures it and says by how much."""

    class SlowClock(SystemClock):
        """Each look at it is 25 ms later than the last; a write is between two looks."""

        looked = 0

        def ticks_ms(self) -> float:
            """The time that looking takes."""
            self.looked += 1
            return 25.0 * self.looked

    findings = by_check(list(doctor.disk_findings(tmp_path, town.settings["H49"], SlowClock())))
    assert findings["disk sync"].level == "finding"
    assert findings["disk sync"].seen == "median 25.00 ms for 4 KiB"
    assert "local disk" in findings["disk sync"].remedy


def test_open_keys_and_a_full_disk_are_breakages(town: Town) -> None:
    """What others can read is not private any more; and a node below its reserve takes nothing in."""
    (town.folder("H49") / places.SIGNING_KEY).chmod(0o644)
    findings = by_check(doctor.examine(town.folder("H49"), {"DOCAXIS_DISK_RESERVE_MIB": "1048576"}, []))
    assert findings[f"private file {places.SIGNING_KEY}"].level == "broken"
    assert "chmod 600" in findings[f"private file {places.SIGNING_KEY}"].remedy
    assert findings["disk space"].level == "broken"


def test_a_wrong_configuration_is_told_whole(town: Town) -> None:
    """Every mistake at once, from the doctor too."""
    path = town.folder("H49") / config.FILE_NAME
    path.write_text(path.read_text(encoding="utf-8") + "\n[peer]\nx = 1\n", encoding="utf-8")
    (finding,) = doctor.examine(town.folder("H49"), {"DOCAXIS_API_PORT": "x"}, [])
    assert finding.level == "broken"
    assert "[peer]" in finding.seen
    assert "api.port" in finding.seen


def test_a_node_that_was_never_in_a_directory_is_told_what_to_hand_in(town: Town) -> None:
    """The first day of every node."""
    (town.folder("H49") / places.ROOT).unlink()
    findings = by_check(doctor.examine(town.folder("H49"), FREE, []))
    assert findings["directory"].level == "broken"
    assert "entry.json" in findings["entry"].remedy


def test_measuring_the_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """The doctor changes nothing."""
    assert doctor.fsync_ms(tmp_path, SystemClock().ticks_ms) > 0
    assert os.listdir(tmp_path) == []


def test_findings_are_shown_with_their_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    """A finding without a next step helps nobody."""
    doctor.show([doctor.Finding("a", "ok", "fine"), doctor.Finding("b", "broken", "bad", "mend it")])
    assert capsys.readouterr().out.splitlines() == ["ok      a: fine", "BROKEN  b: bad", "         → mend it"]
