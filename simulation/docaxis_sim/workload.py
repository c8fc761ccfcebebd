"""The workload: clerks who hand in documents, and offices that read, advance, refuse, recall and answer recalls.

People are stubborn here: whoever got no answer asks again with the same idempotency key. They see what a node has made
durable and decide by chance; what a node makes of their requests is its own business.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from hashlib import sha256
from typing import Final

import simpy

from docaxis.core.effects import Answer
from docaxis.core.envelope import File, make_file
from docaxis.core.events import Act, Submission
from docaxis.core.ids import DocId
from docaxis.core.lifecycle import Code
from docaxis.core.limits import MINUTE_MS, SECOND_MS
from docaxis.core.record import Record
from docaxis_sim.ground import START_MS, Ground
from docaxis_sim.host import Host
from docaxis_sim.ledger import Ack, Ledger
from docaxis_sim.plan import Deed, Letter, Work
from docaxis_sim.streams import Stream

Steps = Generator[simpy.Event, object, None]
Ask = Callable[[Callable[[Answer | None], None]], None]

CHUNK_BYTES: Final = 200
ASK_AGAIN_MS: Final = MINUTE_MS
PASSING: Final = frozenset({"node.disk-full", "node.busy", "node.stopping", "directory.too-old"})
"""Refusals after which a clerk simply tries again later."""
STEPS: Final = (Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED)


class Order:
    """One document that a clerk means to send, `at_ms` after the world's start. `content` is ``none``, ``inline`` or
    ``chunked`` (empty: drawn), `about` the number of the order whose document it updates or replaces (-1: none), and
    `choices` replace drawn fields of its submission. Afterwards it holds the document's id, or the code of the refusal.
    """

    def __init__(
        self, number: int, at_ms: int, sender: str, to: tuple[str, ...], content: str = "", **choices: object
    ) -> None:
        self.number = number
        self.at_ms = at_ms
        self.sender = sender
        self.to = to
        self.content = content
        self.choices = choices
        self.about = -1
        self.doc: DocId | None = None
        self.refused = ""

    def is_answered(self) -> bool:
        """Whether the clerk knows what became of the request."""
        return self.doc is not None or bool(self.refused)


class Workload:
    """All people of one world."""

    def __init__(self, ground: Ground, hosts: Mapping[str, Host], ledger: Ledger, work: Work) -> None:
        self._ground = ground
        self._hosts = hosts
        self._ledger = ledger
        self._work = work
        self._acts = 0
        self._busy = True
        self._orders: dict[int, Order] = {}
        self.asked_ms: dict[int, int] = {}

    @property
    def orders(self) -> list[Order]:
        """Everything that is to be sent."""
        return list(self._orders.values())

    def take(self, letters: Sequence[Letter], deeds: Sequence[Deed]) -> None:
        """What a plan says that is to be sent and stated."""
        for letter in letters:
            expires_ms = START_MS + letter.expires_ms if letter.expires_ms >= 0 else -1
            chosen = {"kind": letter.kind, "priority": letter.priority, "expires_ms": expires_ms}
            choices = {name: value for name, value in chosen.items() if value not in ("", -1)}
            order = Order(letter.number, letter.at_ms, letter.sender, letter.to, letter.content, **choices)
            order.about = letter.about
            self._orders[letter.number] = order
        for deed in deeds:
            self.state(deed.at_ms, deed.party, self._orders[deed.letter], deed.code)

    def begin(self) -> None:
        """Everybody goes to work."""
        for order in self._orders.values():
            self._ground.env.process(self._send(order))
        for host in self._hosts.values() if self._work.office_ms else ():
            self._ground.env.process(self._office(host, self._ground.streams(f"office {host.party}")))

    def order(self, at_ms: int, sender: str, *to: str, content: str = "none", **choices: object) -> Order:
        """One more document to be sent, for worlds that are written by hand."""
        number = max(self._orders, default=-1) + 1
        order = self._orders[number] = Order(number, at_ms, sender, to, content, **choices)
        return order

    def renew(self, at_ms: int, kind: str, about: Order) -> Order:
        """An update or a replacement (`kind`) of an ordered document, to the same recipients."""
        order = self.order(at_ms, about.sender, *about.to, kind=kind)
        order.about = about.number
        return order

    def state(self, at_ms: int, party: str, order: Order, code: Code) -> None:
        """One act to be made at that time about an ordered document, for worlds that are written by hand."""
        self._ground.env.process(self._state_later(at_ms, party, order, code))

    def _state_later(self, at_ms: int, party: str, order: Order, code: Code) -> Steps:
        yield self._ground.env.timeout(at_ms)
        while not order.is_answered():
            yield self._ground.env.timeout(SECOND_MS)
        if order.doc is None:
            return
        recipient = "" if party == order.sender else party
        yield from self._state(self._hosts[party], order.doc, recipient, code, self._ground.streams("acts"))

    def close(self) -> None:
        """No new work from now on; whoever still waits for an answer goes on asking."""
        self._busy = False

    # --- clerks ---

    def _send(self, order: Order) -> Steps:
        chance = self._ground.streams(f"clerk {order.number}")
        yield self._ground.env.timeout(order.at_ms)
        while (before := self._orders.get(order.about)) is not None and not before.is_answered():
            yield self._ground.env.timeout(SECOND_MS)
        host = self._hosts[order.sender]
        submission, chunks = self._submission(order, host, chance)
        self.asked_ms[order.number] = self._ground.now_ms
        while not order.is_answered():
            if not host.upload(chunks):
                yield self._ground.env.timeout(ASK_AGAIN_MS)
                continue
            answer = yield from self._ask(lambda heard: host.submit(submission, heard))
            self._note_answer(order, answer)
            if not order.is_answered():
                yield self._ground.env.timeout(chance.randint(SECOND_MS, ASK_AGAIN_MS))
        if order.doc is not None and chance.random() < 0.2:
            answer = yield from self._ask(lambda heard: host.submit(submission, heard))
            self._note_answer(order, answer)
        if order.doc is not None and chance.randrange(1000) < self._work.recall:
            yield from self._recall(order, host, chance)

    def _note_answer(self, order: Order, answer: Answer | None) -> None:
        if answer is None or answer.code in PASSING:
            return
        if answer.value is None:
            order.refused = order.refused or answer.code
            return
        doc, to = answer.value["doc"], answer.value["to"]
        assert isinstance(doc, str)
        assert isinstance(to, list)
        order.doc = DocId(bytes.fromhex(doc))
        self._ledger.acknowledged(Ack(order.sender, str(order.number), order.doc, tuple(to), self._ground.now_ms))

    def _submission(self, order: Order, host: Host, chance: Stream) -> tuple[Submission, dict[bytes, bytes]]:
        files, inline, chunks = self._files(order.content or self._draw_content(chance), chance)
        kind, ref = self._kind(order, chance)
        expires_ms = host.now_ms() + chance.randint(self._work.expires_ms_min, self._work.expires_ms_max)
        submission = Submission(
            ticket=0,
            key=f"order {order.number}",
            digest=sha256(f"order {order.number}".encode()).digest(),
            to=order.to,
            kind=kind,
            ref=ref,
            priority=chance.randint(0, 4),
            expires_ms=expires_ms,
            meta={"number": str(order.number), "subject": f"Công văn số {order.number}"},
            files=files,
            inline=inline,
        )
        return submission._replace(**order.choices), chunks  # type: ignore[arg-type]  # fields named by the test

    def _draw_content(self, chance: Stream) -> str:
        drawn = chance.randrange(1000)
        if drawn < self._work.inline:
            return "inline"
        return "chunked" if drawn < self._work.inline + self._work.chunked else "none"

    @staticmethod
    def _files(content: str, chance: Stream) -> tuple[tuple[File, ...], tuple[bytes, ...], dict[bytes, bytes]]:
        if content == "none":
            return (), (), {}
        raw = chance.randbytes(chance.randint(1, 3 * CHUNK_BYTES))
        pieces = [raw[start : start + CHUNK_BYTES] for start in range(0, len(raw), CHUNK_BYTES)]
        digests = tuple(sha256(piece).digest() for piece in pieces)
        file = make_file("văn bản.pdf", "application/pdf", len(raw), CHUNK_BYTES, digests)
        if content == "inline":
            return (file,), tuple(pieces), {}
        return (file,), (), dict(zip(digests, pieces, strict=True))

    def _kind(self, order: Order, chance: Stream) -> tuple[str, DocId | None]:
        """Now and then a document updates or replaces an earlier one of the same sender."""
        if order.choices.get("kind") == "new":
            return "new", None
        if (before := self._orders.get(order.about)) is not None and before.doc is not None:
            return "update", before.doc
        earlier = [each.doc for each in self._orders.values() if each.sender == order.sender and each.doc is not None]
        if earlier and chance.randrange(1000) < self._work.renew:
            return chance.choice(("update", "replace")), chance.choice(earlier)
        return "new", None

    def _recall(self, order: Order, host: Host, chance: Stream) -> Steps:
        yield self._ground.env.timeout(chance.randint(0, 2 * self._work.office_ms))
        assert order.doc is not None
        yield from self._state(host, order.doc, "", Code.RECALL, chance)

    # --- offices ---

    def _office(self, host: Host, chance: Stream) -> Steps:
        while True:
            yield self._ground.env.timeout(chance.randint(1, self._work.office_ms))
            if not self._busy:
                return
            if host.life is not None:
                for record in list(self._ledger.shelf(host.party).records.values()):
                    code = self._next(record, chance)
                    if code is not None:
                        self._ground.env.process(self._state(host, record.doc, record.recipient, code, chance))

    def _next(self, record: Record, chance: Stream) -> Code | None:
        """What an office does about an incoming document at this look, if anything."""
        if record.outgoing or chance.random() < 0.5:
            return None
        if record.standing.waiting_recall is not None:
            return Code.AGREE if chance.randrange(1000) < self._work.agree else Code.DECLINE
        if record.standing.state.name == "ARRIVED" and chance.randrange(1000) < self._work.refuse:
            return Code.REFUSED
        if record.standing.state.name in ("ARRIVED", "RECEIVED", "ASSIGNED", "PROCESSING"):
            return chance.choice(STEPS)
        return None

    def _state(self, host: Host, doc: DocId, recipient: str, code: Code, chance: Stream) -> Steps:
        """One act, asked for until there is an answer, whatever that is."""
        self._acts += 1
        key = f"act {self._acts}"
        act = Act(0, key, sha256(key.encode()).digest(), doc, recipient, code, "lý do", "cán bộ")
        while True:
            answer = yield from self._ask(lambda heard: host.act(act, heard))
            if answer is not None and answer.code not in PASSING:
                return
            yield self._ground.env.timeout(chance.randint(SECOND_MS, ASK_AGAIN_MS))

    def _ask(self, ask: Ask) -> Generator[simpy.Event, object, Answer | None]:
        """Waits for the answer for a while; None when there was none."""
        heard: simpy.Event = self._ground.env.event()
        ask(lambda answer: None if heard.triggered else _succeed(heard, answer))
        yield heard | self._ground.env.timeout(ASK_AGAIN_MS)
        answer = heard.value if heard.triggered else None
        if not heard.triggered:
            heard.succeed(None)
        assert answer is None or isinstance(answer, Answer)
        return answer


def _succeed(event: simpy.Event, answer: Answer | None) -> None:
    event.succeed(answer)
