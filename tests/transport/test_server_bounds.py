"""The listener under load: how slow, how many, how often, and the end."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from docaxis.core import limits
from docaxis.core.errors import OurFault
from docaxis.core.events import Delivered
from docaxis.core.ids import PartyId
from docaxis.core.wire import Batch
from docaxis.transport.base import ServerSettings
from docaxis.transport.server import PeerServer
from tests.transport.raw import QUICK, pair, put
from tests.transport.town import (
    HOST,
    Line,
    Refusal,
    Town,
    get_head,
    line_to,
    put_head,
    reply_of,
)


@pytest.fixture
def mistakes() -> Iterator[list[dict[str, Any]]]:
    """What reaches whoever watches the loop: at the end of each test that asks for it there must be nothing."""
    seen: list[dict[str, Any]] = []
    yield seen
    assert not seen


def watch(mistakes: list[dict[str, Any]]) -> None:
    """From now on, in this loop."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(context))


# --- how slow it may be ---------------------------------------------------------------------------------------------


async def test_a_head_that_does_not_end_is_cut(town: Town) -> None:
    """A byte now and then would hold a connection for ever."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(b"GET /v1/he")
        assert await line.rest() == b""
    assert hue.server.connections == 0


async def test_a_connection_on_which_nothing_is_said_is_cut(town: Town) -> None:
    """Before its first request, whoever it is; afterwards a known peer may be silent, a stranger may not."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as known, line_to(hue) as stranger, line_to(hue) as silent:
        await known.say(get_head("/v1/hello"))
        assert (await known.hear())[0] == 200
        await stranger.say(get_head("/v1/hello"))
        assert await stranger.refusal() == (401, "party.unknown")
        assert await stranger.rest() == await silent.rest() == b""
        assert hue.server.connections == 1
        await known.say(get_head("/v1/hello"))
        assert (await known.hear())[0] == 200


async def test_a_body_that_does_not_come_is_a_timeout(town: Town) -> None:
    """A slow sender holds its place for a bounded time, and only its own."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put_head("G22", "00" * 32, 1_000) + b"x" * 10)
        assert await line.refusal() == (408, "request.malformed")
        assert await line.rest() == b""


async def test_a_body_cut_off_is_not_handed_on(town: Town, mistakes: list[dict[str, Any]]) -> None:
    """Half a batch is no batch, and whoever hangs up is refused: that is no mistake of ours."""
    watch(mistakes)
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put(hanoi.batch(hue.party, b"x" * 1_000))[:-100])
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head("/v1/hello"))
        assert (await line.hear())[0] == 200
    while not hue.refusals:  # noqa: ASYNC110  # there is nothing to wait on: nobody is told
        await asyncio.sleep(0.02)
    assert not hue.office.batches
    assert (hue.refusals[0].peer, hue.refusals[0].code) == ("G22", "request.malformed")
    assert hue.refusals[0].detail.endswith("hung up before the end")


async def test_a_reader_that_goes_away_is_no_mistake_of_ours(town: Town, mistakes: list[dict[str, Any]]) -> None:
    """It had the right to; a line that says so, in a log that tells of so many a second."""
    watch(mistakes)
    hue, hanoi = await pair(town)
    path = town.folder / "large"
    path.write_bytes(b"x" * limits.DIRECTORY_FILE_BYTES_MAX)
    hue.office.files["large"] = path
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head("/v1/directory/large"))
        await line.reader.readuntil(b"\r\n\r\n")
        line.writer.transport.abort()
        while not hue.refusals:  # noqa: ASYNC110  # there is nothing to wait on: nobody is told
            await asyncio.sleep(0.02)
    assert hue.refusals[0].code == "request.malformed"


async def test_an_answer_that_is_not_taken_is_cut(town: Town) -> None:
    """A reader that stops reading holds a file and a buffer: for a bounded time."""
    hue, hanoi = await pair(town)
    path = town.folder / "large"
    path.write_bytes(b"x" * limits.DIRECTORY_FILE_BYTES_MAX)
    hue.office.files["large"] = path
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head("/v1/directory/large"))
        await line.reader.readuntil(b"\r\n\r\n")
        assert hue.server.connections == 1
        while hue.server.connections:  # noqa: ASYNC110  # there is nothing to wait on: nobody is told
            await asyncio.sleep(0.02)
        assert len(await line.rest()) < limits.DIRECTORY_FILE_BYTES_MAX


async def test_a_handshake_that_does_not_end_is_cut(town: Town) -> None:
    """An open socket that says nothing."""
    hue = await town.settle("H49", QUICK)
    reader, writer = await asyncio.open_connection(HOST, hue.port)
    assert await Line(reader, writer).rest() == b""
    writer.close()


# --- how many -------------------------------------------------------------------------------------------------------


async def test_a_peer_may_hold_so_many_connections_and_the_others_still_get_in(town: Town) -> None:
    """One bad peer harms only itself."""
    hue, hanoi = await pair(town, QUICK._replace(connections_per_peer_max=2, head_s=5))
    danang = await town.settle("H48")
    async with line_to(hue, hanoi.tls._identity) as one, line_to(hue, hanoi.tls._identity) as two:
        for line in (one, two):
            await line.say(get_head("/v1/hello"))
            assert (await line.hear())[0] == 200
        async with line_to(hue, hanoi.tls._identity) as three:
            await three.say(get_head("/v1/hello"))
            assert await three.rest() == b""
        assert isinstance(await danang.client.send(danang.wish(hue, b"x")), Delivered)


async def test_strangers_share_few_connections(town: Town, mistakes: list[dict[str, Any]]) -> None:
    """Without a certificate one is like the other: together they may not crowd out the axis."""
    watch(mistakes)
    hue, hanoi = await pair(town, QUICK._replace(connections_anonymous_max=1, head_s=5))
    async with line_to(hue) as one, line_to(hue) as two:
        await one.say(get_head("/v1/directory/x"))
        assert (await one.refusal())[1] == "directory.not-found"
        assert await two.rest() == b""
        assert Refusal("", "node.busy", "one connection too many of strangers, or in all") in hue.refusals
        assert isinstance(await hanoi.client.send(hanoi.wish(hue, b"x")), Delivered)


async def test_a_thousand_strangers_cost_a_few_lines(town: Town, mistakes: list[dict[str, Any]]) -> None:
    """Whoever may not come in is counted, and told of in part."""
    watch(mistakes)
    hue, _ = await pair(town, QUICK._replace(connections_anonymous_max=0, head_s=5))
    for _ in range(60):
        async with line_to(hue) as line:
            assert await line.rest() == b""
    assert hue.tls.noted.count == 60
    assert len(hue.refusals) < 60


async def test_there_are_only_so_many_connections_in_all(town: Town) -> None:
    """File descriptors are finite; the limit has a name."""
    hue, hanoi = await pair(town, QUICK._replace(connections_max=1, head_s=5))
    async with line_to(hue, hanoi.tls._identity) as one, line_to(hue, hanoi.tls._identity) as two:
        await one.say(get_head("/v1/hello"))
        assert (await one.hear())[0] == 200
        assert await two.rest() == b""
    assert hue.server.connections <= 1


async def test_a_node_at_its_limit_says_busy_and_when_to_come_back(town: Town) -> None:
    """A peer that fills its places is told so; another one is served beside it."""
    hue, hanoi = await pair(town, ServerSettings(requests_per_peer_max=1))
    danang = await town.settle("H48")
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(peer: PartyId, batch: Batch) -> bytes:
        if peer == "G22":
            entered.set()
            await go_on.wait()
        return reply_of(hue.party, batch)

    hue.office.answer = slow
    async with line_to(hue, hanoi.tls._identity) as one, line_to(hue, hanoi.tls._identity) as two:
        await one.say(put(hanoi.batch(hue.party, b"x")))
        await entered.wait()
        await two.say(put(hanoi.batch(hue.party, b"y")))
        status, headers, _ = await two.hear()
        assert (status, headers["retry-after"]) == (503, "1")
        assert isinstance(await danang.client.send(danang.wish(hue, b"z")), Delivered)
        go_on.set()
        assert (await one.hear())[0] == 200
    assert not hue.refusals, "being busy is no offence of the peer's"


async def test_a_flood_of_refusals_is_told_in_part_and_counted_in_full(town: Town) -> None:
    """The log of refusals is durable: an attacker may not decide how much is written."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        for _ in range(60):
            await line.say(get_head("/nowhere"))
            assert await line.refusal() == (404, "request.not-found")
    assert hue.tls.noted.count == 60
    assert len(hue.refusals) < 60
    assert hue.refusals[0] == Refusal(
        "G22", "request.not-found", "GET /nowhere: see the specification of the peer protocol"
    )


# --- the end --------------------------------------------------------------------------------------------------------


async def test_stopping_lets_what_has_begun_come_to_its_end(town: Town) -> None:
    """A receipt that was about to be given is given; nobody new gets in."""
    hue, hanoi = await pair(town)
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(peer: PartyId, batch: Batch) -> bytes:
        entered.set()
        await go_on.wait()
        return reply_of(hue.party, batch)

    hue.office.answer = slow
    port = hue.port
    sending = asyncio.create_task(hanoi.client.send(hanoi.wish(hue, b"x")))
    await entered.wait()
    stopping = asyncio.create_task(hue.server.stop(5))
    await asyncio.sleep(0)
    with pytest.raises(OSError):  # noqa: PT011  # refused or reset, by the system's choice
        await asyncio.open_connection(HOST, port)
    go_on.set()
    assert isinstance(await sending, Delivered)
    await stopping
    assert hue.server.connections == 0


async def test_stopping_does_not_wait_for_ever(town: Town) -> None:
    """A request that never ends is cut at the end of the grace."""
    hue, hanoi = await pair(town)
    entered, forever = asyncio.Event(), asyncio.Event()

    async def stuck(peer: PartyId, batch: Batch) -> bytes:
        entered.set()
        await forever.wait()
        return b""

    hue.office.answer = stuck
    sending = asyncio.create_task(hanoi.client.send(hanoi.wish(hue, b"x")))
    await entered.wait()
    await hue.server.stop(0.05)
    assert not isinstance(await sending, Delivered)


async def test_a_port_that_is_taken_is_an_error_with_a_name(town: Town) -> None:
    """The operator reads which port, not a traceback."""
    hue = await town.settle("H49", QUICK)
    second = PeerServer(hue.office, hue.tls)
    with pytest.raises(OurFault) as caught:
        await second.start(HOST, hue.port)
    assert caught.value.code == "node.config"
    assert str(hue.port) in caught.value.detail
    await second.stop()
