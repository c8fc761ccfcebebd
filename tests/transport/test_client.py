"""The client against real listeners: what arrives, and what every kind of failure is called."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest

from docaxis.core import limits, wire
from docaxis.core.addresses import Status
from docaxis.core.effects import Send
from docaxis.core.errors import DocaxisError, OurFault
from docaxis.core.events import Delivered, Undelivered
from docaxis.core.ids import DocId, PartyId
from docaxis.core.wire import Batch, Reply
from docaxis.seal.certificates import make_certificate
from docaxis.seal.keys import new_tls_key
from docaxis.transport.base import ClientSettings, ServerSettings
from docaxis.transport.client import Pace, PeerClient
from docaxis.transport.tls import PeerTls
from tests.transport.town import HOST, NOW_MS, Node, Town, reply_of

HASTY = ClientSettings(connect_s=0.3, answer_s=0.3)
DOC = DocId(bytes(32))

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def odd_listener(node: Node, talk: Talk) -> AsyncIterator[str]:
    """A listener with the node's own certificate that says whatever `talk` says; its address."""
    server = await asyncio.start_server(talk, HOST, 0, ssl=node.tls.server_context)
    try:
        yield f"https://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(*parts: bytes) -> Talk:
    """Reads the head of a request, says the parts, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
        try:
            await writer.drain()
            writer.close()
        except ConnectionError:
            pass

    return talk


def answer(body: bytes, status: str = "200 OK", media: str = "application/vnd.docaxis.reply", more: str = "") -> bytes:
    """An answer as it goes over the wire."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode() + body


async def failed(caller: Node, wish: Send) -> Undelivered:
    """The outcome of a call that must fail."""
    outcome = await caller.client.send(wish)
    assert isinstance(outcome, Undelivered), outcome
    assert (outcome.peer, outcome.flight) == (wish.peer, wish.flight)
    return outcome


async def pair(town: Town, client: ClientSettings = HASTY) -> tuple[Node, Node]:
    """Who calls, and who is called."""
    return await town.settle("G22", client=client), await town.settle("H49")


# --- what goes well -------------------------------------------------------------------------------------------------


async def test_a_batch_arrives_and_its_reply_comes_home(town: Town) -> None:
    """The main road."""
    hanoi, hue = await pair(town)
    outcome = await hanoi.client.send(hanoi.wish(hue, b"one", b"two"))
    assert isinstance(outcome, Delivered)
    assert [result.outcome for result in outcome.reply.results] == [wire.Outcome.KEPT] * 2
    ((peer, batch),) = hue.office.batches
    assert (peer, [item.signed.body for item in batch.items]) == ("G22", [b"one", b"two"])
    assert not hanoi.refusals
    assert not hue.refusals


async def test_an_empty_batch_is_a_probe(town: Town) -> None:
    """The breaker asks whether a peer is back without giving it work."""
    hanoi, hue = await pair(town)
    assert isinstance(await hanoi.client.send(hanoi.wish(hue)), Delivered)


async def test_the_largest_batch_arrives_whole(town: Town) -> None:
    """Four MiB do not fit a socket's buffer: reading goes on while sending does."""
    hanoi, hue = await pair(town)
    bodies = [bytes([number]) * limits.STATEMENT_BYTES_MAX for number in range(250)]
    outcome = await hanoi.client.send(hanoi.wish(hue, *bodies))
    assert isinstance(outcome, Delivered)
    assert len(hue.office.batches[0][1].items) == 250


async def test_one_connection_serves_many_batches(town: Town) -> None:
    """A handshake costs more than a hundred signatures."""
    hanoi, hue = await pair(town)
    for number in range(20):
        assert isinstance(await hanoi.client.send(hanoi.wish(hue, bytes([number]))), Delivered)
    assert hue.server.connections == 1


async def test_no_more_connections_to_one_peer_than_its_window_needs(town: Town) -> None:
    """A burst queues for few connections instead of opening many."""
    hanoi, hue = await pair(town)
    outcomes = await asyncio.gather(*(hanoi.client.send(hanoi.wish(hue, bytes([n]))) for n in range(40)))
    assert all(isinstance(each, Delivered) for each in outcomes)
    assert hue.server.connections <= limits.WINDOW_MAX + 1


async def test_two_parties_at_one_address_are_told_apart(town: Town) -> None:
    """Behind one public address a province may run several nodes; the name in TLS decides."""
    hanoi, hue = await pair(town)
    danang = await town.settle("H48")
    assert isinstance(await hanoi.client.send(hanoi.wish(hue, b"x")), Delivered)
    wrong = await failed(hanoi, hanoi.wish(danang, b"x")._replace(endpoints=(hue.endpoint,)))
    assert wrong.code == "peer.refused"


async def test_the_second_endpoint_is_tried_where_the_first_is_dead(town: Town) -> None:
    """An agency may list a line of reserve."""
    hanoi, hue = await pair(town)
    wish = hanoi.wish(hue, b"x")
    outcome = await hanoi.client.send(wish._replace(endpoints=(f"https://{HOST}:1", hue.endpoint + "/")))
    assert isinstance(outcome, Delivered)


async def test_an_endpoint_that_answered_ends_the_search(town: Town) -> None:
    """Whoever refused would refuse at its other door as well."""
    hanoi, hue = await pair(town)
    wish = hanoi.wish(hue, b"x", sender=PartyId("H50"))
    outcome = await failed(hanoi, wish._replace(endpoints=(hue.endpoint, f"https://{HOST}:1")))
    assert outcome.code == "party.mismatch"


# --- what goes wrong ------------------------------------------------------------------------------------------------


async def test_a_port_where_nobody_listens_is_unreachable(town: Town) -> None:
    """The commonest failure of all."""
    hanoi, hue = await pair(town)
    wish = hanoi.wish(hue, b"x")
    await hue.server.stop(0)
    assert (await failed(hanoi, wish)).code == "peer.unreachable"


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:1", "ftp://x", "https://", "https://[::", "https://h:99999", ""]
)
async def test_an_address_that_cannot_be_called_is_unreachable(town: Town, endpoint: str) -> None:
    """Addresses come from the directory, which others write."""
    hanoi, hue = await pair(town)
    assert (await failed(hanoi, hanoi.wish(hue)._replace(endpoints=(endpoint,)))).code == "peer.unreachable"


async def test_a_name_that_does_not_resolve_is_unreachable(town: Town) -> None:
    """RFC 6761: a name below .invalid never does."""
    hanoi, hue = await pair(town)
    wish = hanoi.wish(hue)._replace(endpoints=("https://nobody.invalid:443",))
    assert (await failed(hanoi, wish)).code in {"peer.unreachable", "peer.timeout"}


async def test_a_party_without_endpoints_cannot_be_called(town: Town) -> None:
    """It fetches its mail elsewhere."""
    hanoi, hue = await pair(town)
    assert (await failed(hanoi, hanoi.wish(hue)._replace(endpoints=()))).code == "party.no-route"


async def test_a_peer_that_accepts_and_never_speaks_tls_is_a_timeout(town: Town) -> None:
    """A firewall that swallows must not hold a flight for ever."""
    hanoi, hue = await pair(town)
    with socket.create_server((HOST, 0)) as deaf:
        wish = hanoi.wish(hue)._replace(endpoints=(f"https://{HOST}:{deaf.getsockname()[1]}",))
        assert (await failed(hanoi, wish)).code == "peer.timeout"


async def test_a_peer_that_accepts_and_never_answers_is_a_timeout(town: Town) -> None:
    """One silent partner stopped whole AS2 installations: here it costs one flight for a bounded time."""
    hanoi, hue = await pair(town)
    forever = asyncio.Event()

    async def silent(peer: PartyId, batch: Batch) -> bytes:
        await forever.wait()
        return b""

    hue.office.answer = silent
    assert (await failed(hanoi, hanoi.wish(hue, b"x"))).code == "peer.timeout"
    forever.set()


async def test_an_answer_that_trickles_is_a_timeout(town: Town) -> None:
    """Bytes now and then are not an answer; the time is for the whole of it."""
    hanoi, hue = await pair(town)
    done = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"x" * 1_000)[:-990])
        while not done.is_set():
            try:
                writer.write(b"x")
                await writer.drain()
                async with asyncio.timeout(0.05):
                    await done.wait()
            except TimeoutError:
                continue
            except ConnectionError:
                break
        writer.close()

    async with odd_listener(hue, trickle) as endpoint:
        outcome = await failed(hanoi, hanoi.wish(hue)._replace(endpoints=(endpoint,)))
        done.set()
    assert outcome.code == "peer.timeout"


async def test_a_certificate_that_the_directory_does_not_list_is_refused(town: Town) -> None:
    """An impostor at the right address, with the right name in its certificate."""
    hanoi, hue = await pair(town)
    forged = make_certificate(PartyId("H49"), new_tls_key(), NOW_MS)
    wish = hanoi.wish(hue, b"secret")
    town.enter(PartyId("H49"), forged, hue.seal)  # the directory lists another one: the listener's is now the forgery
    await town.publish()
    assert (await failed(hanoi, wish)).code == "peer.refused"
    assert not hue.office.batches


async def test_a_certificate_of_another_party_is_refused(town: Town) -> None:
    """Every agency holds a valid certificate: of its own name alone."""
    hanoi, hue = await pair(town)
    danang = await town.settle("H48")
    wish = hanoi.wish(hue, b"secret")._replace(endpoints=(danang.endpoint,))
    assert (await failed(hanoi, wish)).code == "peer.refused"
    assert not danang.office.batches


async def test_an_agency_that_lists_a_certificate_in_anothers_name_gains_nothing(town: Town) -> None:
    """Entries are written by many hands: H48 tries to become H49 by listing a certificate of that name."""
    hanoi, hue = await pair(town)
    key = new_tls_key()
    forged = make_certificate(PartyId("H49"), key, NOW_MS)
    danang = await town.settle("H48")
    town.enter(PartyId("H48"), forged, danang.seal)
    await town.publish()
    assert (await failed(hanoi, hanoi.wish(danang))).code == "party.no-route"
    assert ("H48", "directory.invalid") in {refusal[:2] for refusal in hanoi.refusals}
    assert isinstance(await hanoi.client.send(hanoi.wish(hue)), Delivered)


async def test_a_node_that_the_peer_does_not_know_is_refused(town: Town) -> None:
    """Our own certificate is not in the directory: we are told, not left to wait."""
    hue = await town.settle("H49")
    stranger = await town.settle("G22", listed=False)
    assert (await failed(stranger, stranger.wish(hue, b"x"))).code == "peer.refused"
    assert not hue.office.batches
    assert {refusal.code for refusal in hue.refusals} == {"party.unknown"}


async def test_plain_http_at_the_other_end_is_refused(town: Town) -> None:
    """No word is said without TLS."""
    hanoi, hue = await pair(town)
    server = await asyncio.start_server(saying(b"HTTP/1.1 200 OK\r\n\r\n"), HOST, 0)
    port = server.sockets[0].getsockname()[1]
    outcome = await failed(hanoi, hanoi.wish(hue, b"x")._replace(endpoints=(f"https://{HOST}:{port}",)))
    server.close()
    assert outcome.code in {"peer.refused", "peer.unreachable", "peer.timeout"}


async def test_a_party_unknown_suspended_or_closed_is_not_even_called(town: Town) -> None:
    """The directory in force decides at every call, whatever connections are open."""
    hanoi, hue = await pair(town)
    wish = hanoi.wish(hue, b"x")
    assert isinstance(await hanoi.client.send(wish), Delivered)
    entry = town.entries[hue.party]
    for status, code in ((Status.SUSPENDED, "party.revoked"), (Status.CLOSED, "party.closed")):
        town.entries[hue.party] = entry._replace(status=status)
        await town.publish()
        assert (await failed(hanoi, wish)).code == code
    del town.entries[hue.party]
    await town.publish()
    assert (await failed(hanoi, wish)).code == "party.unknown"
    assert len(hue.office.batches) == 1


async def test_a_withdrawn_certificate_ends_the_connections_it_had(town: Town) -> None:
    """A stolen TLS key is replaced in the directory: the thief's open connection is not used again."""
    hanoi, hue = await pair(town)
    assert isinstance(await hanoi.client.send(hanoi.wish(hue, b"x")), Delivered)
    town.enter(hue.party, make_certificate(hue.party, new_tls_key(), NOW_MS), hue.seal)
    await town.publish()
    assert (await failed(hanoi, hanoi.wish(hue, b"y"))).code == "peer.refused"
    assert len(hue.office.batches) == 1


async def test_a_certificate_added_is_trusted_without_a_restart(town: Town) -> None:
    """A newcomer enters a running axis; and a rotation lists old and new beside each other for a while."""
    hanoi, hue = await pair(town)
    assert isinstance(await hanoi.client.send(hanoi.wish(hue, b"x")), Delivered)
    generation = hanoi.tls.client_generation
    entry = town.entries[hue.party]
    town.entries[hue.party] = entry._replace(
        certificates=(*entry.certificates, make_certificate(hue.party, new_tls_key(), NOW_MS))
    )
    await town.publish()
    assert isinstance(await hanoi.client.send(hanoi.wish(hue, b"y")), Delivered)
    danang = await town.settle("H48")
    assert isinstance(await hanoi.client.send(hanoi.wish(danang, b"z")), Delivered)
    assert hanoi.tls.client_generation == generation, "nobody's connection was closed for it"


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


# --- pace -----------------------------------------------------------------------------------------------------------


def test_handshakes_after_the_burst_take_their_turn() -> None:
    """A return of ninety peers at once must not occupy the processor; an hour of quiet saves up one burst, not more."""
    pace = Pace(per_s=10, burst=3)
    for now_s in (1_000.0, 4_600.0):
        waits = [round(pace.wait_s(now_s), 6) for _ in range(6)]
        assert waits == [0, 0, 0, 0.1, 0.2, 0.3]


async def test_an_identity_that_does_not_open_is_said_at_the_start(town: Town) -> None:
    """A node with a wrong passphrase must not start and then fail at the first call."""
    identity = town.identity(PartyId("H49"))
    with pytest.raises(OurFault):
        PeerTls(identity._replace(certificate=town.folder / "absent"), lambda *_: None)


def test_the_defaults_of_both_sides_fit_together() -> None:
    """A burst of an honest peer must not run into the bounds of an honest listener."""
    server, client = ServerSettings(), ClientSettings()
    assert client.idle_s < server.idle_s
    assert client.answer_s >= server.body_s
    assert server.requests_per_peer_max >= client.connections_per_peer_max + client.bulk_connections_per_peer_max
    assert wire.encode_reply(Reply(PartyId("H49"), 1, 0, 1, 0, 0, ()))
