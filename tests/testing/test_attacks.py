"""The demonstration's attacks on a real node: each leaves a refusal that names it, and none leaves anything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from docaxis.client.files import Attachment
from docaxis.core import evidence_file
from docaxis.core.lifecycle import State
from docaxis.core.signed import Signed
from docaxis.runtime.clock import SystemClock
from docaxis.runtime.entropy import SystemEntropy
from docaxis.testing import LocalAxis, attacks
from docaxis.testing.attacks import Thief
from docaxis.testing.audit import refused, without_effect

PATIENCE_S = 20
DATA = b"quyet dinh"


@asynccontextmanager
async def thief_with(axis: LocalAxis, code: str) -> AsyncIterator[Thief]:
    """Somebody who has that node's TLS key, before H49's door."""
    ground = axis.ground
    epoch = (await axis[code].client.status())["epoch"]
    async with ground.thief_client(code) as client:
        yield Thief(client, ground.entry(code), ground.entry("H49"), SystemClock().now_ms(), epoch, SystemEntropy())


async def genuine_letter(axis: LocalAxis) -> Signed:
    """An envelope from G22 that H49 has, as both hold it."""
    office = axis["G22"].client
    sent = await office.send(["H49"], files=[Attachment(DATA, "a.txt")])
    async with asyncio.timeout(PATIENCE_S):
        async for change in office.changes(0):
            if change.state is State.ARRIVED:
                break
    return evidence_file.read(await office.evidence(sent.doc)).envelope


async def test_every_attack_is_refused_and_recorded_by_what_it_was(tmp_path: Path) -> None:
    """The same three as the demonstration's; each is found again in the database by its caller and its object."""
    async with LocalAxis(["G22", "H49", "H55"], folder=tmp_path) as axis:
        genuine = await genuine_letter(axis)
        async with thief_with(axis, "H55") as thief:
            played = [
                await attacks.forge(thief),
                await attacks.replay_as_another(thief, genuine),
                await attacks.knock_unknown(thief.victim, "X99", thief.entropy),
            ]
            unplayed = await attacks.forge(thief)
    assert [each.answer for each in played] == ["seal.bad-signature", "party.mismatch", "party.unknown"]
    attempts = [each.attempt for each in played]
    async with axis.ground.kit("H49") as kit:
        assert await refused(kit.store, attempts) == ["forged envelope", "replay", "unknown sender"]
        others = [attempt._replace(item=unplayed.attempt.item[::-1]) for attempt in attempts]
        assert await refused(kit.store, others) == []
    findings = await axis.ground.findings()
    assert (findings.transmissions, findings.lost, findings.duplicated, findings.false) == (1, 0, 0, 0)


async def test_the_genuine_batch_handed_in_again_gets_the_same_receipt_and_has_no_effect(tmp_path: Path) -> None:
    """Delivery is at least once by design; once is what the receiver makes of it, also after a restart."""
    async with LocalAxis(["G22", "H49"], folder=tmp_path) as axis:
        genuine = await genuine_letter(axis)
        async with thief_with(axis, "G22") as thief:
            before = await attacks.replay(thief, genuine, [DATA])
            await axis["H49"].stop()
            await axis["H49"].start()
            after = await attacks.replay(thief, genuine, [DATA])
    assert before == after
    async with axis.ground.kit("H49") as kit:
        assert await without_effect(kit.store, after)
        assert not await kit.store.refusals(1)
    findings = await axis.ground.findings()
    assert (findings.transmissions, findings.statements_verified, findings.duplicated) == (1, 2, 0)
