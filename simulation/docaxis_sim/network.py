"""The network: carries the very bytes that nodes make, and loses, doubles, delays, reorders and withholds them.

It reads bytes only where the real transport does (a batch on its way in, an answer on its way home) and decides
nothing about documents. Who is cut off, silent or slow is set by `docaxis_sim.injector`.
"""

from collections import Counter
from collections.abc import Callable, Generator
from functools import partial
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

import simpy

from docaxis.core import wire
from docaxis.core.effects import Send
from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis_sim.ground import Ground
from docaxis_sim.plan import Weather

TIMEOUT_MS: Final = 30_000
"""How long a request may take before its sender gives up."""
CONNECT_TIMEOUT_MS: Final = 5_000
FINE: Final = Weather()

Steps = Generator[simpy.Event, object, None]
Report = Callable[[wire.Reply | None, str, int], None]
"""Called once with the answer, or with the code of the failure and how long the peer asked to be left alone."""

Listener = Callable[[str, str, bytes], None]
"""Told of every request: from whom, to whom, and its bytes."""
Impostor = Callable[[str, bytes], bytes | None]
"""Asked for an answer to a request (from whom, its bytes) in somebody's place; None: the party itself may answer."""


class Refusal(NamedTuple):
    """What a station says instead of an answer: the code of its problem document, and its Retry-After in ms."""

    code: str
    wait_ms: int = 0


Heard = Callable[[bytes | Refusal | None], None]
"""Called once with the answer to a request, or with None if the connection breaks."""


class Station(Protocol):
    """What the network needs of a host."""

    party: PartyId

    @property
    def up(self) -> bool:
        """Whether anything accepts connections."""
        ...

    def arrive(self, peer: PartyId, body: bytes, answer: Callable[[bytes | Refusal | None], None]) -> None:
        """A request came in; `answer` is called once, with None if the connection breaks."""
        ...

    def serve(self, peer: PartyId, doc: DocId, digest: bytes) -> bytes | None:
        """A chunk of a document for one of its recipients."""
        ...


def endpoint_of(party: str) -> str:
    """The address under which a party's node is found on this network."""
    return f"sim://{party}"


def party_at(endpoints: tuple[str, ...]) -> str:
    """Whose node is found there."""
    return endpoints[0].removeprefix("sim://")


class Network:
    """All links of a world. `cuts` are directions in which nothing passes, `silent` and `slow` are habits of parties,
    `spoilt` those that serve wrong content; `listeners` hear every request, `impostors` may answer in a party's place.
    All are ordered, so that nothing depends on hashing."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._chance = ground.streams("network")
        self.stations: dict[str, Station] = {}
        self.weather = FINE
        self.cuts: dict[tuple[str, str], int] = {}
        self.silent: dict[str, int] = {}
        self.slow: dict[str, int] = {}
        self.spoilt: dict[str, int] = {}
        self.listeners: dict[str, Listener] = {}
        self.impostors: dict[str, Impostor] = {}
        self._forgotten: dict[str, int] = {}
        self._sent: Counter[tuple[str, str]] = Counter()
        self._newest: Counter[tuple[str, str]] = Counter()

    def heal(self) -> None:
        """From now on the network is fine."""
        self.weather = FINE
        for faults in (self.cuts, self.silent, self.slow, self.spoilt):
            faults.clear()
        self.listeners.clear()
        self.impostors.clear()

    def forget(self, source: PartyId) -> None:
        """Requests of `source` that are under way are lost with the memory of having made them."""
        self._forgotten[source] = self._forgotten.get(source, 0) + 1

    def send(self, source: PartyId, effect: Send, report: Report) -> None:
        """Starts a request; `report` is called once, sooner or later."""
        for hear in self.listeners.values():
            hear(source, party_at(effect.endpoints), effect.body)
        self._ground.env.process(self._request(source, effect, report))
        if self._happens(self.weather.duplicate):
            self._repeat(source, effect, self._chance.randint(0, 100))
        if self._happens(self.weather.replay):
            self._repeat(source, effect, self._chance.randint(0, self.weather.replay_ms_max))

    def intrude(self, source: PartyId, target: str, body: bytes, heard: Heard) -> None:
        """A request that `source` never made, and that comes with its certificate all the same."""
        self._ground.env.process(self._intrusion(source, target, body, heard))

    def fetch(self, source: PartyId, target: str, doc: DocId, digest: bytes) -> "ChunkCall":
        """A call for one chunk, to be run by whoever wants it."""
        return ChunkCall(self, source, target, doc, digest)

    # --- one request ---

    def _request(self, source: PartyId, effect: Send, report: Report) -> Steps:
        env = self._ground.env
        made = self._forgotten.get(source)
        link = source, party_at(effect.endpoints)
        number = self._sent[link] = self._sent[link] + 1
        yield from self.way(*link, effect)
        station = self._reach(source, effect) if self._forgotten.get(source) == made else None
        if station is None or self._happens(self.weather.lose_request):
            self._ground.watch.passed("request lost")
            yield env.timeout(CONNECT_TIMEOUT_MS)
            report(None, "peer.timeout", 0)
            return
        if not station.up:
            report(None, "peer.unreachable", 0)
            return
        if station.party in self.silent:
            self._ground.watch.passed("silent peer")
            yield env.timeout(TIMEOUT_MS)
            report(None, "peer.timeout", 0)
            return
        self._note_order(link, number)
        impostor = self.impostors.get(station.party)
        if impostor is not None and (forged := impostor(source, effect.body)) is not None:
            yield from self._way_home(source, station, forged, report)
            return
        answered = env.event()
        station.arrive(source, effect.body, partial(_answer, answered))
        late = env.timeout(TIMEOUT_MS)
        yield answered | late
        if not answered.triggered:
            report(None, "peer.timeout", 0)
            return
        yield from self._way_home(source, station, answered.value, report)

    def _way_home(self, source: PartyId, station: Station, answer: bytes | Refusal | None, report: Report) -> Steps:
        env = self._ground.env
        yield from self.way(station.party, source)
        if (station.party, source) in self.cuts or self._happens(self.weather.lose_answer):
            self._ground.watch.passed("answer lost")
            yield env.timeout(TIMEOUT_MS)
            report(None, "peer.timeout", 0)
        elif answer is None:
            report(None, "peer.unreachable", 0)
        elif isinstance(answer, Refusal):
            report(None, answer.code, answer.wait_ms)
        else:
            report(*_read(answer))

    def _note_order(self, link: tuple[str, str], number: int) -> None:
        if number < self._newest[link]:
            self._ground.watch.passed("request overtaken")
        self._newest[link] = max(number, self._newest[link])

    def _intrusion(self, source: PartyId, target: str, body: bytes, heard: Heard) -> Steps:
        yield self._ground.env.timeout(self._latency_ms())
        station = self.stations.get(target)
        if station is not None and station.up:
            self._ground.note(target, "forged", f"{source} {sha256(body).hexdigest()[:8]}")
            station.arrive(source, body, heard)

    def _repeat(self, source: PartyId, effect: Send, after_ms: int) -> None:
        self._ground.env.process(self._ghost(source, effect, after_ms))

    def _ghost(self, source: PartyId, effect: Send, after_ms: int) -> Steps:
        """The same request once more; nobody waits for its answer."""
        made = self._forgotten.get(source)
        yield self._ground.env.timeout(self._latency_ms() + after_ms)
        station = self._reach(source, effect) if self._forgotten.get(source) == made else None
        if station is not None and station.up and station.party not in self.silent:
            self._ground.note(station.party, "repeated", f"{source} {effect.batch.hex()[:8]}")
            self._ground.watch.passed("request repeated")
            station.arrive(source, effect.body, _nobody)

    def _reach(self, source: PartyId, effect: Send) -> Station | None:
        station = self.stations.get(party_at(effect.endpoints))
        if station is None or (source, station.party) not in self.cuts:
            return station
        if (station.party, source) not in self.cuts:
            self._ground.watch.passed("one-way cut")
        return None

    def way(self, source: str, target: str, cargo: Send | bytes | None = None) -> Steps:
        """The time from one party to another, for a request, a chunk (its digest) or something that weighs nothing."""
        slow_ms = 0 if isinstance(cargo, Send) else self.slow.get(source, 0)
        if slow_ms:
            self._ground.watch.passed("slow answer")
        yield self._ground.env.timeout(self._latency_ms() + slow_ms)

    def _latency_ms(self) -> int:
        return self._chance.randint(self.weather.latency_ms_min, self.weather.latency_ms_max)

    def _happens(self, thousandths: int) -> bool:
        return thousandths > 0 and self._chance.randrange(1000) < thousandths


class ChunkCall:
    """One GET of a chunk, under the same rules as every request; `chunk` or `code` is set when it has run."""

    def __init__(self, network: Network, source: PartyId, target: str, doc: DocId, digest: bytes) -> None:
        self._network = network
        self._source = source
        self._target = target
        self._doc = doc
        self._digest = digest
        self.chunk: bytes | None = None
        self.code = ""

    def run(self) -> Steps:
        """Takes its time, then sets the outcome."""
        network = self._network
        yield from network.way(self._source, self._target)
        station = network.stations.get(self._target)
        if station is None or not station.up:
            self.code = "peer.unreachable"
            return
        if self._is_lost():
            yield network._ground.env.timeout(TIMEOUT_MS)
            self.code = "peer.timeout"
            return
        self.chunk = station.serve(self._source, self._doc, self._digest)
        if self.chunk is not None:
            network._ground.watch.served(self._target, self._source, self._doc, self._digest)
        yield from network.way(self._target, self._source, self._digest)
        if self.chunk is None:
            self.code = "content.missing"
        elif self._target in network.spoilt:
            self.chunk = bytes(len(self.chunk))

    def _is_lost(self) -> bool:
        network = self._network
        there, back = (self._source, self._target), (self._target, self._source)
        return (
            there in network.cuts
            or back in network.cuts
            or self._target in network.silent
            or network._happens(network.weather.lose_request)
            or network._happens(network.weather.lose_answer)
        )


def _read(answer: bytes) -> tuple[wire.Reply | None, str, int]:
    try:
        return wire.decode_reply(answer), "", 0
    except TheirFault:
        return None, "peer.malformed", 0


def _answer(answered: simpy.Event, answer: bytes | Refusal | None) -> None:
    answered.succeed(answer)


def _nobody(_answer: bytes | Refusal | None) -> None:
    """Nobody waits for the answer to a repeated request."""
