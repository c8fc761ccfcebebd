"""What a peer answers, and how far the client believes it: nonsense, floods, chunks, repository files."""

import asyncio
import ssl
from hashlib import sha256

import pytest

from docaxis.core import limits
from docaxis.core.errors import DocaxisError, OurFault
from docaxis.core.events import Delivered, Undelivered
from docaxis.core.ids import DocId, PartyId
from docaxis.core.wire import Batch
from docaxis.transport.base import ClientSettings
from docaxis.transport.client import PeerClient
from tests.transport.odd import answer, failed, odd_listener, pair, saying
from tests.transport.town import HOST, Town, reply_of

DOC = DocId(bytes(32))


# --- answers that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "peer.unreachable"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "peer.malformed"),
        (answer(b"nonsense"), "peer.malformed"),
        (answer(b"{}", media="application/json"), "peer.malformed"),
        (answer(b"x" * 1_000)[:-900], "peer.malformed"),
        (answer(b"", status="204 No Content"), "peer.refused"),
        (answer(b"", status="302 Found", more="Location: https://127.0.0.1:1/\r\n"), "peer.refused"),
        (answer(b"boom", status="500 Internal Server Error"), "peer.refused"),
        (answer(b"{" * 9_000, status="400 Bad Request"), "peer.malformed"),
        (answer(b'{"code": "codec.schema"}', status="400 Bad Request"), "codec.schema"),
        (answer(b'{"code": "party.revoked"}', status="403 Forbidden"), "party.revoked"),
        (answer(b'{"code": "node.keys"}', status="403 Forbidden"), "peer.refused"),
        (answer(b'{"code": "no.such-code"}', status="403 Forbidden"), "peer.refused"),
        (answer(b'{"code": ["party.revoked"]}', status="403 Forbidden"), "peer.refused"),
        (answer(b"[" * 4_000, status="403 Forbidden"), "peer.refused"),
        (answer(b"").replace(b"Length: 0", b"Length: 99999999"), "peer.malformed"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "peer.malformed"),
    ],
)  # fmt: skip
async def test_nonsense_from_a_peer_is_a_code_and_not_an_accident(town: Town, said: bytes, code: str) -> None:
    """Whatever comes back, the machine gets an event it understands."""
    hanoi, hue = await pair(town)
    async with odd_listener(hue, saying(said)) as endpoint:
        outcome = await failed(hanoi, hanoi.wish(hue)._replace(endpoints=(endpoint,)))
    assert outcome.code == code


async def test_an_answer_longer_than_the_bound_is_not_read_to_its_end(town: Town) -> None:
    """Without Content-Length the reader counts, and hangs up."""
    hanoi, hue = await pair(town)
    sent = 0
    cut = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docaxis.reply\r\n\r\n")
        try:
            while sent < 64 * limits.MIB:
                writer.write(b"x" * limits.MIB)
                await writer.drain()
                sent += limits.MIB
        except (ConnectionError, ssl.SSLError):
            pass
        cut.set()
        writer.close()

    async with odd_listener(hue, flood) as endpoint:
        wish = hanoi.wish(hue)._replace(endpoints=(endpoint,))
        hanoi_patient = PeerClient(hanoi.tls)
        outcome = await hanoi_patient.send(wish)
        await hanoi_patient.close()
        await cut.wait()
    assert isinstance(outcome, Undelivered)
    assert outcome.code == "peer.malformed"
    assert sent < 32 * limits.MIB


async def test_a_reply_in_anothers_name_is_malformed(town: Town) -> None:
    """The answer must come from whom TLS says is speaking."""
    hanoi, hue = await pair(town)

    async def as_another(peer: PartyId, batch: Batch) -> bytes:
        return reply_of(PartyId("H50"), batch)

    hue.office.answer = as_another
    assert (await failed(hanoi, hanoi.wish(hue, b"x"))).code == "peer.malformed"


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [
        ("Retry-After: 7\r\n", 7_000),
        ("", 1_000),
        ("Retry-After: soon\r\n", 1_000),
        ("Retry-After: -5\r\n", 1_000),
        ("Retry-After: 99999999\r\n", limits.DAY_MS),
        ("Retry-After: 99999999999999999999\r\n", 1_000),
    ],
)
async def test_a_busy_peer_says_for_how_long_within_reason(town: Town, header: str, wait_ms: int) -> None:
    """Nobody may send us away for a year."""
    hanoi, hue = await pair(town)
    async with odd_listener(hue, saying(answer(b"", status="503 Busy", more=header))) as endpoint:
        outcome = await failed(hanoi, hanoi.wish(hue)._replace(endpoints=(endpoint,)))
    assert (outcome.code, outcome.wait_ms) == ("node.busy", wait_ms)


@pytest.mark.parametrize("code", ["node.busy", "node.stopping", "node.disk-full"])
async def test_the_reason_of_a_busy_peer_comes_home(town: Town, code: str) -> None:
    """An operator sees that the other side's disk is full, though not where."""
    hanoi, hue = await pair(town)

    async def busy(peer: PartyId, batch: Batch) -> bytes:
        raise OurFault(code, "/var/lib/secret")

    hue.office.answer = busy
    outcome = await failed(hanoi, hanoi.wish(hue, b"x"))
    assert outcome.code == code
    assert outcome.wait_ms > 0
    assert "secret" not in outcome.detail


async def test_a_peers_words_cannot_play_with_a_terminal(town: Town) -> None:
    """Details end in logs that people read."""
    hanoi, hue = await pair(town)
    body = b'{"code": "party.unknown", "detail": "\\u001b[2J\\nerror: all is lost"}'
    async with odd_listener(hue, saying(answer(body, status="403 Forbidden"))) as endpoint:
        outcome = await failed(hanoi, hanoi.wish(hue)._replace(endpoints=(endpoint,)))
    assert outcome.detail.isprintable()


# --- content, repository files, hello -------------------------------------------------------------------------------


async def test_a_chunk_is_fetched_and_verified(town: Town) -> None:
    """From memory and from a file; the digest is checked before anybody sees it."""
    hanoi, hue = await pair(town)
    chunk = b"\x01" * limits.CHUNK_BYTES
    digest = sha256(chunk).digest()
    path = town.folder / "chunk"
    path.write_bytes(chunk)
    for kept in (chunk, path):
        hue.office.chunks[DOC, digest] = kept
        assert await hanoi.client.fetch_chunk(hue.party, (hue.endpoint,), DOC, digest, len(chunk)) == chunk


@pytest.mark.parametrize("given", [b"", b"another", b"\x01" * 999, b"\x01" * 1_001])
async def test_a_chunk_that_is_not_what_was_asked_for_is_never_handed_on(town: Town, given: bytes) -> None:
    """Too short, too long, other bytes."""
    hanoi, hue = await pair(town)
    digest = sha256(b"\x01" * 1_000).digest()
    hue.office.chunks[DOC, digest] = given
    with pytest.raises(DocaxisError) as caught:
        await hanoi.client.fetch_chunk(hue.party, (hue.endpoint,), DOC, digest, 1_000)
    assert caught.value.code in {"content.corrupt", "peer.malformed"}


async def test_a_chunk_that_a_peer_does_not_give_is_an_error_with_its_code(town: Town) -> None:
    """The puller decides what to do by the code."""
    hanoi, hue = await pair(town)
    with pytest.raises(DocaxisError) as caught:
        await hanoi.client.fetch_chunk(hue.party, (hue.endpoint,), DOC, bytes(32), 10)
    assert caught.value.code == "document.unknown"
    hue.office.chunks[DOC, bytes(32)] = town.folder / "lost"
    with pytest.raises(DocaxisError) as caught:
        await hanoi.client.fetch_chunk(hue.party, (hue.endpoint,), DOC, bytes(32), 10)
    assert caught.value.code == "content.missing"


async def test_content_has_connections_of_its_own(town: Town) -> None:
    """Bodies never block documents: a batch passes while every bulk connection is taken."""
    hanoi, hue = await pair(town, ClientSettings())
    taken, forever = asyncio.Semaphore(0), asyncio.Event()
    give = hue.office.chunk

    async def slow(peer: PartyId, doc: DocId, digest: bytes) -> bytes:
        taken.release()
        await forever.wait()
        return await give(peer, doc, digest)  # type: ignore[return-value]

    hue.office.chunk = slow  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as tasks:
        pulls = [
            tasks.create_task(hanoi.client.fetch_chunk(hue.party, (hue.endpoint,), DOC, bytes(32), 1)) for _ in range(8)
        ]
        for _ in range(ClientSettings().bulk_connections_per_peer_max):
            await taken.acquire()
        assert isinstance(await hanoi.client.send(hanoi.wish(hue, b"urgent")), Delivered)
        for pull in pulls:
            pull.cancel()
        forever.set()


async def test_a_repository_file_is_fetched_by_a_newcomer(town: Town) -> None:
    """Before it has a certificate, and before it knows anybody's."""
    hue = await town.settle("H49")
    newcomer = await town.settle("H50", listed=False)
    path = town.folder / "1.root.json"
    path.write_bytes(b"{}" * 400_000)
    hue.office.files["metadata/1.root.json"] = path
    nobody = f"https://{HOST}:1"
    got = await newcomer.client.fetch_directory((nobody, hue.endpoint), "metadata/1.root.json", limits.MIB)
    assert got == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "bytes_max", "code"),
    [
        ("metadata/absent.json", 1_000, "directory.not-found"),
        ("../node.db", 1_000, "directory.not-found"),
        ("metadata/1.root.json", 10, "peer.malformed"),
    ],
)
async def test_a_repository_file_absent_or_too_long_is_an_error(
    town: Town, name: str, bytes_max: int, code: str
) -> None:
    """The reader of the directory goes to its next source."""
    hue = await town.settle("H49")
    path = town.folder / "1.root.json"
    path.write_bytes(b"{}" * 100)
    hue.office.files["metadata/1.root.json"] = path
    with pytest.raises(DocaxisError) as caught:
        await hue.client.fetch_directory((hue.endpoint,), name, bytes_max)
    assert caught.value.code == code


async def test_hello_tells_who_a_peer_is(town: Town) -> None:
    """For doctors: reachability and identity in one call."""
    hanoi, hue = await pair(town)
    assert await hanoi.client.hello(hue.party, (hue.endpoint,)) == {"id": "H49"}
    hue.office.hello = list  # type: ignore[method-assign,assignment]
    with pytest.raises(DocaxisError) as caught:
        await hanoi.client.hello(hue.party, (hue.endpoint,))
    assert caught.value.code == "peer.malformed"
