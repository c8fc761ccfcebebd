"""The client against real listeners: what arrives, and what every kind of failure is called."""

import asyncio
import socket

import pytest

from docaxis.core import limits, wire
from docaxis.core.addresses import Status
from docaxis.core.errors import OurFault
from docaxis.core.events import Delivered
from docaxis.core.ids import PartyId
from docaxis.core.wire import Batch, Reply
from docaxis.seal.certificates import make_certificate
from docaxis.seal.keys import new_tls_key
from docaxis.transport.base import ClientSettings, ServerSettings
from docaxis.transport.tls import PeerTls
from tests.transport.odd import HASTY, answer, failed, odd_listener, pair, saying
from tests.transport.town import HOST, NOW_MS, Town

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
    hanoi, hue = await pair(town, HASTY)
    wish = hanoi.wish(hue)._replace(endpoints=("https://nobody.invalid:443",))
    assert (await failed(hanoi, wish)).code in {"peer.unreachable", "peer.timeout"}


async def test_a_party_without_endpoints_cannot_be_called(town: Town) -> None:
    """It fetches its mail elsewhere."""
    hanoi, hue = await pair(town)
    assert (await failed(hanoi, hanoi.wish(hue)._replace(endpoints=()))).code == "party.no-route"


async def test_a_peer_that_accepts_and_never_speaks_tls_is_a_timeout(town: Town) -> None:
    """A firewall that swallows must not hold a flight for ever."""
    hanoi, hue = await pair(town, HASTY)
    with socket.create_server((HOST, 0)) as deaf:
        wish = hanoi.wish(hue)._replace(endpoints=(f"https://{HOST}:{deaf.getsockname()[1]}",))
        assert (await failed(hanoi, wish)).code == "peer.timeout"


async def test_a_peer_that_accepts_and_never_answers_is_a_timeout(town: Town) -> None:
    """One silent partner stopped whole AS2 installations: here it costs one flight for a bounded time."""
    hanoi, hue = await pair(town, HASTY)
    forever = asyncio.Event()

    async def silent(peer: PartyId, batch: Batch) -> bytes:
        await forever.wait()
        return b""

    hue.office.answer = silent
    assert (await failed(hanoi, hanoi.wish(hue, b"x"))).code == "peer.timeout"
    forever.set()


async def test_an_answer_that_trickles_is_a_timeout(town: Town) -> None:
    """Bytes now and then are not an answer; the time is for the whole of it."""
    hanoi, hue = await pair(town, HASTY)
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
    hanoi, hue = await pair(town, HASTY)
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


# --- the start ----------------------------------------------------------------------------------------------------


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
