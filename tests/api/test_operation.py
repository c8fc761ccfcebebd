"""For the officer who runs the node: status, counters, the directory, and a backup while it runs."""

from pathlib import Path

import pytest

from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.trust import encode_revocations
from docaxis.testing.axis import LocalAxis
from tests.api import described
from tests.api.conftest import Pair
from tests.api.test_documents import get

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_status_and_counters_are_plain_json(shared: Pair) -> None:
    """Moments come in both forms; durations do not."""
    status = await get(shared, "/v1/status")
    assert status["id"] == "G22"
    assert status["now_at"].endswith("+07:00")
    assert "uptime_at" not in status
    described.check("Metrics", await get(shared, "/v1/metrics"))


async def test_parties_that_can_be_sent_to_are_listed_in_pages(shared: Pair) -> None:
    """`--to all` is made of these."""
    first = await get(shared, "/v1/directory?limit=2")
    described.check("Parties", first)
    rest = await get(shared, f"/v1/directory?after={first['next']}")
    assert [party["id"] for party in first["parties"] + rest["parties"]] == ["G22", "H49", "H54"]
    assert rest["next"] is None
    assert (await get(shared, "/v1/directory?after=x", 400))["code"] == "id.malformed"


async def test_a_party_is_found_or_refused_by_its_code(shared: Pair) -> None:
    """A clerk checks the code before writing the letter."""
    found = await get(shared, "/v1/directory/H49")
    described.check("PartyFound", found)
    assert found["party"]["id"] == "H49"
    assert (await get(shared, "/v1/directory/H99", 404))["code"] == "party.unknown"
    assert (await get(shared, "/v1/directory/h49", 400))["code"] == "id.malformed"


async def test_a_backup_is_written_while_the_node_runs(shared: Pair, tmp_path: Path) -> None:
    """Once; a folder that exists is never written into."""
    await shared.sender.send(["H49"])
    target = tmp_path / "copy"
    async with shared.http.post("/v1/admin/backup", json={"target": str(target)}) as response:
        assert response.status == 200, await response.text()
        described.check("Backup", await response.json())
    assert any(target.iterdir())
    async with shared.http.post("/v1/admin/backup", json={"target": str(target)}) as response:
        assert (await response.json(content_type=None))["code"] == "node.exists"


@pytest.mark.parametrize("target", ["relative/path", "", 7, None, "/a\0b"])
async def test_a_backup_goes_to_a_place_that_is_named_in_full(shared: Pair, target: object) -> None:
    """The node's own folder is not where the caller stands."""
    async with shared.http.post("/v1/admin/backup", json={"target": target}) as response:
        assert (await response.json(content_type=None))["code"] == "request.malformed"


async def test_a_signed_revocation_counts_at_once(tmp_path: Path) -> None:
    """Its bytes are the body; the answer says what it taught, and why the rest does not count."""
    async with LocalAxis(["G22", "H49"], folder=tmp_path / "axis") as axis:
        ceremony, client = axis.ground.ceremony, axis["G22"].client
        for party, key in (("H49", axis.ground.entry("H49").keys[0].id), ("G22", KeyId(b"not ours"))):
            ceremony.revoke(PartyId(party), key, 1)
        found = await client.revoke(encode_revocations(ceremony.bench.revocations))
        described.check("Revoked", found)
        assert [each["party"] for each in found["honoured"]] == ["H49"]
        assert [each["code"] for each in found["passed_over"]] == ["directory.wrong-path"]
        service = axis["G22"].service
        assert service is not None
        assert found["honoured"][0]["key"] in {key.hex() for key in service.node.book.revoked}
        with pytest.raises(TheirFault) as caught:
            await client.revoke(b"nonsense")
        assert caught.value.code.startswith("codec.")
