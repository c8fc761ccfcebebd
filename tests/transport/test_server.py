"""The listener against raw connections: each refusal of the specification, by who speaks and what is said."""

import asyncio
import re
import ssl
from hashlib import sha256
from typing import Any

import pytest

from docaxis.core import limits, wire
from docaxis.core.addresses import Status
from docaxis.core.ids import DocId, PartyId
from docaxis.core.wire import Batch
from docaxis.transport.base import is_directory_name
from docaxis.transport.problems import status_of
from tests.transport.raw import DIGEST, DOC, QUICK, pair, put
from tests.transport.town import (
    HOST,
    Line,
    Town,
    context_of,
    get_head,
    line_to,
    put_head,
)

# --- who may speak --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/hello", f"/v1/content/{DOC}/{DIGEST}", "/v1/in/G22/00", "/", "/v1/status"])
async def test_an_anonymous_caller_is_told_to_show_itself(town: Town, path: str) -> None:
    """Only repository files are public."""
    hue = await town.settle("H49", QUICK)
    async with line_to(hue) as line:
        await line.say(get_head(path))
        assert await line.refusal() == (401, "party.unknown")
        await line.say(put_head("G22", "00" * 32, 10))
        assert await line.refusal() == (401, "party.unknown")


async def test_an_anonymous_caller_may_read_the_directory(town: Town) -> None:
    """A newcomer starts with nothing but root keys."""
    hue = await town.settle("H49", QUICK)
    path = town.folder / "root.json"
    path.write_bytes(b'{"signed": {}}')
    hue.office.files["metadata/root.json"] = path
    async with line_to(hue) as line:
        await line.say(get_head("/v1/directory/metadata/root.json"))
        status, headers, body = await line.hear()
    assert (status, headers["content-type"], body) == (200, "application/json", path.read_bytes())
    assert headers["server"] == "docaxis"


async def test_an_unknown_certificate_does_not_get_through_the_handshake(town: Town) -> None:
    """Nothing of what a stranger says is read; that it called is noted."""
    hue = await town.settle("H49", QUICK)
    async with line_to(hue, town.identity(PartyId("H50"))) as line:
        await line.say(get_head("/v1/hello"))
        assert await line.rest() == b""
    assert [refusal[:2] for refusal in hue.refusals] == [("", "party.unknown")]


async def test_a_certificate_in_the_name_of_a_party_is_not_that_partys(town: Town) -> None:
    """Anybody can write a name into a certificate; the directory lists its exact bytes."""
    hue, hanoi = await pair(town)
    async with line_to(hue, town.identity(hanoi.party)) as line:
        await line.say(put(hanoi.batch(hue.party, b"forged")))
        assert await line.rest() == b""
    assert not hue.office.batches


@pytest.mark.parametrize(
    ("status", "told"),
    [(Status.SUSPENDED, (403, "party.revoked")), (Status.CLOSED, (403, "party.closed"))],
)
async def test_a_party_suspended_or_closed_is_refused_on_its_open_connection(
    town: Town, status: Status, told: tuple[int, str]
) -> None:
    """The directory in force decides at every request, not the handshake of this morning."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head("/v1/hello"))
        assert (await line.hear())[0] == 200
        town.entries[hanoi.party] = town.entries[hanoi.party]._replace(status=status)
        await town.publish()
        await line.say(put(hanoi.batch(hue.party, b"late")))
        assert await line.refusal() == told
    assert not hue.office.batches


async def test_a_party_whose_keys_are_revoked_is_refused_on_its_open_connection(town: Town) -> None:
    """A revocation is honoured at once, from wherever it came."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put(hanoi.batch(hue.party, b"early")))
        assert (await line.hear())[0] == 200
        await town.publish(revoked=(hanoi.seal.key_id,))
        await line.say(put(hanoi.batch(hue.party, b"late")))
        assert await line.refusal() == (403, "party.revoked")
    assert len(hue.office.batches) == 1
    assert hue.refusals[-1][:2] == ("", "party.revoked")


async def test_a_revoked_certificate_is_refused_on_its_open_connection(town: Town) -> None:
    """Its party may have others; who stole this one has nothing any more."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put(hanoi.batch(hue.party, b"early")))
        assert (await line.hear())[0] == 200
        [certificate] = town.entries[hanoi.party].certificates
        await town.publish(revoked=(sha256(certificate).digest()[:8],))
        await line.say(put(hanoi.batch(hue.party, b"late")))
        assert await line.refusal() == (403, "party.revoked")
    assert len(hue.office.batches) == 1


async def test_a_party_that_left_the_directory_is_unknown_on_its_open_connection(town: Town) -> None:
    """And at its next handshake, too: the store of trusted certificates is made anew."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head("/v1/hello"))
        assert (await line.hear())[0] == 200
        del town.entries[hanoi.party]
        await town.publish()
        await line.say(get_head("/v1/hello"))
        assert await line.refusal() == (401, "party.unknown")
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head("/v1/hello"))
        assert await line.rest() == b""


async def test_nobody_sends_in_anothers_name(town: Town) -> None:
    """Neither in the path nor in the batch; the party that tried is named to the operator."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put(hanoi.batch(hue.party, b"x"), sender="H48"))
        assert await line.refusal() == (403, "party.mismatch")
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put(hanoi.batch(hue.party, b"x", sender=PartyId("H48")), sender="G22"))
        assert await line.refusal() == (403, "party.mismatch")
    assert not hue.office.batches
    assert {refusal[:2] for refusal in hue.refusals} == {("G22", "party.mismatch")}


async def test_tls_before_1_3_is_not_spoken(town: Town) -> None:
    """In 1.2 certificates travel in the open, and old ciphers with them."""
    hue = await town.settle("H49", QUICK)
    context = context_of(None)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(HOST, hue.port, ssl=context, server_hostname="x")


async def test_whoever_speaks_no_tls_is_cut_off(town: Town) -> None:
    """Port scanners are part of the weather."""
    hue = await town.settle("H49", QUICK)
    reader, writer = await asyncio.open_connection(HOST, hue.port)
    line = Line(reader, writer)
    await line.say(b"GET / HTTP/1.1\r\n\r\n")
    assert b"HTTP" not in await line.rest()
    writer.close()
    assert [refusal.code for refusal in hue.refusals] == ["request.malformed"]


# --- how long it may be ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [limits.BATCH_BYTES_MAX + 1, 10**9, 10**18])
async def test_a_body_too_long_is_refused_before_a_byte_of_it_is_sent(town: Town, length: int) -> None:
    """The announced length is enough to know."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put_head("G22", "00" * 32, length))
        assert await line.refusal() == (413, "codec.too-long")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (put_head("G22", "00" * 32, 3, media="application/json"), (415, "request.malformed")),
        (put_head("G22", "00" * 32, 3, more="Content-Encoding: gzip\r\n"), (415, "request.malformed")),
        (put_head("G22", "00" * 32, 3).replace(b"Content-Length: 3\r\n", b""), (411, "request.malformed")),
        (
            put_head("G22", "00" * 32, 3).replace(b"Content-Length: 3", b"Transfer-Encoding: chunked"),
            (411, "request.malformed"),
        ),
    ],
    ids=["type", "compressed", "no-length", "chunked"],
)
async def test_a_body_of_unknown_length_or_form_is_not_read(town: Town, head: bytes, told: tuple[int, str]) -> None:
    """No streaming without end, and nothing that grows when it is unpacked."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(head)
        assert await line.refusal() == told


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x80",
        b"\x81\xa4type\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00",
        b"\x91" * 5_000,
        b"\xdd\xff\xff\xff\xff",
    ],
    ids=["empty", "nonsense", "empty-map", "float", "nested", "bomb"],
)
async def test_a_body_that_is_no_batch_is_refused_with_the_codecs_word(town: Town, body: bytes) -> None:
    """Which word is the codec's business; the line stays good for the next request."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put_head("G22", "00" * 32, len(body)) + body)
        status, code = await line.refusal()
        assert code.startswith("codec.")
        assert status == status_of(code)
        await line.say(get_head("/v1/hello"))
        assert (await line.hear())[0] == 200


async def test_the_path_must_name_the_batch_it_carries(town: Town) -> None:
    """The name makes a repetition recognisable: it may not be invented."""
    hue, hanoi = await pair(town)
    body = wire.encode_batch(hanoi.batch(hue.party, b"x"))
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put_head("G22", "00" * 32, len(body)) + body)
        assert await line.refusal() == (400, "request.malformed")
    assert not hue.office.batches


async def test_the_same_batch_twice_is_handed_on_twice(town: Town) -> None:
    """PUT may be repeated, by aiohttp even in silence; what is one effect is the machine's business."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        for _ in range(2):
            await line.say(put(hanoi.batch(hue.party, b"x")))
            status, headers, body = await line.hear()
            assert (status, headers["content-type"]) == (200, "application/vnd.docaxis.reply")
            assert wire.decode_reply(body).sender == "H49"
    assert len(hue.office.batches) == 2


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/hello HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 5_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\n" + b"".join(b"X%d: x\r\n" % n for n in range(200)) + b"\r\n",
        b"\x16\x03\x01 nonsense\r\n\r\n",
        b"GET /v1/hello HTTP/9.9\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET \x00 HTTP/1.1\r\n\r\n",
    ],
    ids=["field", "line", "headers", "noise", "version", "lengths", "negative", "smuggle", "colon", "fold", "nul"],
)
async def test_a_head_that_is_not_http_is_one_short_answer_and_the_end(town: Town, head: bytes) -> None:
    """No page of the library's, no echo of what was sent."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(head)
        assert await line.refusal() == (400, "request.malformed")
        assert await line.rest() == b""


# --- names and paths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        ".",
        "..",
        "../node.db",
        "metadata/../../keys/signing.pem",
        "metadata/%2e%2e/keys",
        "%2e%2e%2fnode.db",
        "//etc/passwd",
        "/etc/passwd",
        "a\\..\\b",
        "a/b/c/d/e",
        "a//b",
        "a/",
        ".hidden",
        "metadata/.git",
        "a?b",
        "a;b",
        "x" * 200,
        "root.json%00.txt",
        "con:",
        "~root",
    ],
)
async def test_a_hostile_name_of_a_file_never_reaches_the_disk(town: Town, name: str) -> None:
    """The service is not even asked."""
    hue = await town.settle("H49", QUICK)
    asked: list[str] = []
    hue.office.directory_file = asked.append  # type: ignore[method-assign,assignment]
    async with line_to(hue) as line:
        await line.say(get_head(f"/v1/directory/{name}"))
        assert await line.refusal() == (404, "directory.not-found")
    assert not asked
    assert not is_directory_name(name)


@pytest.mark.parametrize("name", ["metadata/1.root.json", "timestamp.json", "targets/H49/0a1b.shard", "a/b/c/d"])
def test_an_ordinary_name_of_a_file_passes(name: str) -> None:
    """The rule must not be stricter than the repository."""
    assert is_directory_name(name)


@pytest.mark.parametrize(
    ("doc", "digest"),
    [("", ""), ("00", "11"), (DOC, ""), (DOC, DIGEST + "/x"), (DOC, DIGEST[:-1] + "g"), (DOC.upper(), "AA" * 32)],
)
async def test_a_chunk_has_one_spelling(town: Town, doc: str, digest: str) -> None:
    """64 lower-case digits, twice; anything else is refused before the service is asked."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head(f"/v1/content/{doc}/{digest}"))
        assert await line.refusal() == (400, "id.malformed")


async def test_a_chunk_is_for_those_whom_the_service_lets(town: Town) -> None:
    """A stranger to a document learns no more than that there is nothing for it."""
    hue, hanoi = await pair(town)
    hue.office.chunks[DocId(bytes.fromhex(DOC)), bytes.fromhex(DIGEST)] = b"content"
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head(f"/v1/content/{DOC}/{DIGEST}"))
        status, headers, body = await line.hear()
        assert (status, body) == (200, b"content")
        assert "immutable" in headers["cache-control"]
        assert "private" in headers["cache-control"]
        await line.say(get_head(f"/v1/content/{DOC}/{DOC}"))
        assert await line.refusal() == (404, "document.unknown")


@pytest.mark.parametrize("method", ["POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"])
async def test_other_methods_lead_nowhere(town: Town, method: str) -> None:
    """Two verbs are the whole protocol."""
    hue, hanoi = await pair(town)
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(f"{method} /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await line.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")


# --- the inside stays inside ----------------------------------------------------------------------------------------


async def test_a_mistake_of_ours_is_told_without_a_word_of_how(town: Town) -> None:
    """The peer learns that it may come back; whoever watches the loop learns what happened."""
    hue, hanoi = await pair(town)
    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))

    async def broken(peer: PartyId, batch: Batch) -> bytes:
        raise RuntimeError("the password is hunter2")

    hue.office.answer = broken
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(put(hanoi.batch(hue.party, b"x")))
        status, headers, body = await line.hear()
        assert status == 503
        assert b"hunter2" not in body
        assert b"Traceback" not in body
        assert re.fullmatch(r"docaxis", headers["server"])
    assert isinstance(seen[0]["exception"], RuntimeError)


async def test_details_of_our_own_faults_are_not_told(town: Town) -> None:
    """Paths and passwords live in them."""
    hue, hanoi = await pair(town)
    hue.office.chunks[DocId(bytes.fromhex(DOC)), bytes.fromhex(DIGEST)] = town.folder / "absent" / "secret"
    async with line_to(hue, hanoi.tls._identity) as line:
        await line.say(get_head(f"/v1/content/{DOC}/{DIGEST}"))
        _, _, body = await line.hear()
    assert b"secret" not in body
    assert str(town.folder).encode() not in body
