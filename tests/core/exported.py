"""What tests of evidence share: a story as its parties export it, and the verdict on the file."""

from typing import Any

import pytest

from docaxis.core import evidence
from docaxis.core.errors import TheirFault
from docaxis.core.evidence import Broken
from docaxis.core.ids import PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.timeline import Fault, Timeline
from docaxis.seal import sign
from tests.core.story import FIRST, SECOND, SENDER, START_MS, Story, book_of, seal_of

PROOFS = (b"proof of keys", b"proof of names")


def exported(story: Story, by: PartyId = SENDER, to: tuple[PartyId, ...] | None = None) -> bytes:
    """The story's evidence file as `by` exports it."""
    to = story.envelope.to if to is None else to
    return evidence.build(seal_of(by), by, 1, START_MS + 9_000_000, story.signed, story.kept, to, PROOFS)


def checked(raw: bytes, *closed: tuple[PartyId, PartyId]) -> Timeline:
    """The verdict on a file."""
    return evidence.check(evidence.read(raw), sign, book_of(*closed))


def broken(raw: bytes, *closed: tuple[PartyId, PartyId]) -> Broken:
    """The broken link of a file that does not hold."""
    with pytest.raises(Broken) as caught:
        checked(raw, *closed)
    return caught.value


def faulty(raw: bytes, *closed: tuple[PartyId, PartyId]) -> Fault:
    """Why the first recipient's transmission does not hold, in a file whose other transmission does."""
    timeline = checked(raw, *closed)
    assert not timeline.holds
    states = {each.recipient.id: (each.state, each.fault) for each in timeline.transmissions}
    assert states[SECOND] == (State.ARRIVED, None)
    state, fault = states[FIRST]
    assert state is None
    assert fault is not None
    return fault


def holds(raw: bytes) -> bool:
    """Whether a file holds, and every transmission in it."""
    try:
        return checked(raw).holds
    except TheirFault:
        return False


def beside() -> Story:
    """A story in which the second recipient has done what it should: whatever the first one does, this holds."""
    story = Story()
    story.say(SECOND, Code.ARRIVED, SECOND)
    return story


def book_without(absent: PartyId) -> evidence.Keys:
    """What proofs show that bear out everybody's keys but those of one party."""
    full = book_of()

    class Fewer:
        def signing_key(self, party: PartyId, key: Any, at_ms: int) -> Any:
            if party == absent:
                raise TheirFault("seal.key-unknown", party)
            return full.signing_key(party, key, at_ms)

        entry = staticmethod(full.entry)
        answers_for = staticmethod(full.answers_for)

    return Fewer()
