"""Forger: somebody with the certificate of a party, who hears everything and signs what is not his to sign.

Each thing that he says breaks one rule of whom to believe; what comes of it is for the machine to decide, and for
`docaxis_sim.vouching` to see. He may not lie about epochs or pass words off as kept: neither is signed, so that whoever
holds a party's certificate can do both, until it is revoked.
"""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import cycle
from typing import Final

import simpy

from docaxis.core import envelope as envelopes
from docaxis.core import statement as statements
from docaxis.core import wire
from docaxis.core.envelope import Envelope, Priority
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code
from docaxis.core.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from docaxis.core.ports import Seal
from docaxis.core.signed import HEAD_CONTEXT, Signed, SignedHead, decode_head, encode_head, sign_together
from docaxis.core.statement import Statement
from docaxis.core.wire import Batch, Item, Outcome, Reply, Result
from docaxis.seal.paper import PaperSeal
from docaxis_sim import reading
from docaxis_sim.ground import Ground
from docaxis_sim.network import Network, Refusal
from docaxis_sim.plan import Fault

Steps = Generator[simpy.Event, object, None]
FAR: Final = 1_000_000
"""A place in a chain that nobody has reached."""


class Forger:
    """Speaks to `other` in the name of `party`, and answers it now and then. `seal` is what `party` signs with: he may
    use it where he speaks for others than it."""

    def __init__(self, ground: Ground, network: Network, fault: Fault, third: str, seal: Callable[[], Seal]) -> None:
        self._ground = ground
        self._network = network
        self._party = PartyId(fault.party)
        self._other = PartyId(fault.other)
        self._third = PartyId(third)
        self._seal = seal
        self._false = PaperSeal(f"{fault.party} forger", simulation=True)
        self._name = f"forger {fault.party} {fault.other}"
        self._chance = ground.streams(self._name)
        self._over = False
        self._speaks: Batch | None = None
        self._letters: dict[str, DocId] = {}
        self._acts: Iterator[Callable[[], Item | None]] = cycle(
            (
                self._under_a_key_of_his_own,
                self._without_a_signature,
                self._under_another_root,
                self._in_the_name_of_another,
                self._a_step_that_nobody_took,
                self._a_step_of_another,
                self._a_word_of_the_reader,
            )
        )

    def run(self) -> Steps:
        """From now on, until `stop`."""
        self._network.listeners[self._name] = self.hear
        self._network.impostors[self._party] = self.answer
        while True:
            yield self._ground.env.timeout(self._chance.randint(SECOND_MS, MINUTE_MS))
            if self._over or self._name not in self._network.listeners:
                return
            if self._speaks is not None:
                item = next(said for act in self._acts if (said := act()) is not None)
                batch = self._speaks._replace(recipient=self._other, items=(item,))
                body = wire.encode_batch(batch)
                self._network.intrude(self._party, self._other, body, partial(self._heard, item.kind))

    def stop(self) -> None:
        """He has been found."""
        self._over = True
        self._network.listeners.pop(self._name, None)
        self._network.impostors.pop(self._party, None)

    def hear(self, source: str, target: str, body: bytes) -> None:
        """A request went over the wire."""
        if source == self._party:
            self._speaks = wire.decode_batch(body)
        elif source == self._other:
            for item in wire.decode_batch(body).items:
                if item.kind == wire.ENVELOPE:
                    self._letters[target] = DocId(item.id)

    def answer(self, source: str, body: bytes) -> bytes | None:
        """Half of what `other` asks of the party he answers himself: receipts of his own for documents, and words are
        put off."""
        batch = wire.decode_batch(body)
        if source != self._other or self._speaks is None or self._chance.random() < 0.5:
            return None
        results = tuple(self._result(item) for item in batch.items)
        speaks = self._speaks
        return wire.encode_reply(Reply(self._party, speaks.epoch, speaks.since_ms, speaks.dir, 64, 0, results))

    def _result(self, item: Item) -> Result:
        if item.kind == wire.ENVELOPE:
            said = self._word(DocId(item.id), Code.ARRIVED, by=self._party, recipient=self._party)
            return Result(Outcome.KEPT, "", 0, self._signed(said, self._false))
        return Result(Outcome.DEFERRED, "node.busy", SECOND_MS, None)

    def _heard(self, kind: str, answer: bytes | Refusal | None) -> None:
        if isinstance(answer, bytes):
            for result in reading.answer(answer):
                if result.outcome != reading.KEPT:
                    self._ground.watch.passed(f"forged {kind} refused")

    # --- what he says, each time one rule less is kept ---

    def _under_a_key_of_his_own(self) -> Item:
        """A document of the party, with a key that no directory lists."""
        return _item(wire.ENVELOPE, self._signed(self._letter(self._party), self._false))

    def _without_a_signature(self) -> Item:
        """A document of the party, under a head that names its key, with a signature by another."""
        signed = self._signed(self._letter(self._party), self._false)
        raw = encode_head(decode_head(signed.head.raw)._replace(key=self._seal().key_id))
        head = SignedHead(raw, self._false.sign(HEAD_CONTEXT + raw))
        return _item(wire.ENVELOPE, signed._replace(head=head))

    def _under_another_root(self) -> Item | None:
        """A document of the party, with the proof of something that it did sign."""
        assert self._speaks is not None
        signed = next((item.signed for item in self._speaks.items if _author(item) == self._party), None)
        return None if signed is None else _item(wire.ENVELOPE, signed._replace(body=self._letter(self._party)))

    def _in_the_name_of_another(self) -> Item:
        """A document of a third agency, signed with the party's own key."""
        return _item(wire.ENVELOPE, self._signed(self._letter(self._third), self._seal()))

    def _a_step_that_nobody_took(self) -> Item | None:
        """The party's word on a document that it got, with a key that no directory lists."""
        doc = self._letters.get(self._party)
        said = None if doc is None else self._word(doc, Code.COMPLETED, by=self._party, recipient=self._party)
        return None if said is None else _item(wire.STATEMENT, self._signed(said, self._false))

    def _a_step_of_another(self) -> Item | None:
        """The party's word, signed with its own key, on a document that a third agency got."""
        doc = self._letters.get(self._third)
        said = None if doc is None else self._word(doc, Code.COMPLETED, by=self._party, recipient=self._third)
        return None if said is None else _item(wire.STATEMENT, self._signed(said, self._seal()))

    def _a_word_of_the_reader(self) -> Item:
        """A recall by `other` itself of a document, perhaps one that never was, as if the word were given back after a
        restore, signed with the party's own key."""
        doc = self._letters.get(self._party, DocId(self._chance.randbytes(32)))
        said = self._word(doc, Code.RECALL, by=self._other, recipient=self._party)
        return _item(wire.STATEMENT, self._signed(said, self._seal()))

    # --- how he writes ---

    def _signed(self, body: bytes, seal: Seal) -> Signed:
        (signed,) = sign_together(seal, self._party, [body], self._ground.now_ms)
        return signed

    def _letter(self, sender: PartyId) -> bytes:
        now_ms, nonce = self._ground.now_ms, self._chance.randbytes(16)
        times, meta = (now_ms, now_ms + HOUR_MS), {"subject": "Công văn giả"}
        letter = Envelope(
            sender, (self._other,), "new", None, None, *times, Priority.EXPRESS, meta, (), "none", 1, nonce, {}
        )
        return envelopes.encode(letter)

    def _word(self, doc: DocId, code: Code, by: PartyId, recipient: PartyId) -> bytes:
        now_ms, reason = self._ground.now_ms, "a.reason" if code is Code.RECALL else ""
        return statements.encode(
            Statement(by, doc, self._other, recipient, code, now_ms, FAR, doc, None, now_ms, reason, "", "", 1)
        )


def _item(kind: str, signed: Signed) -> Item:
    return Item(kind, signed.id, signed, ())


def _author(item: Item) -> str:
    return reading.author(item.kind, item.signed.body)
