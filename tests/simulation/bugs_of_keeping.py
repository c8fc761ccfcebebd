"""Bugs of keeping, to be planted: one for each checker that the others do not make fail: words, states and rounds."""

from typing import Any

import pytest

from docaxis.core import intake, limits, machine
from docaxis.core.envelope import Envelope
from docaxis.core.intake import Intake
from docaxis.core.lifecycle import Code, Standing, merge
from docaxis.core.machine import Machine
from docaxis.core.record import WAITS_CONTENT
from docaxis.core.statement import Statement
from docaxis.core.turn import Turn
from docaxis.core.wire import Item, Result

Patch = pytest.MonkeyPatch


def forgets_the_first_word(patch: Patch) -> None:
    """A word that was said in an answer is not said again where the answer may have been lost."""
    patch.setattr(intake, "repeat_first_word", lambda *_: None)
    patch.setattr(machine, "repeat_first_word", lambda *_: None)


def claims_more_than_was_said(patch: Patch) -> None:
    """Whoever has received a document is taken to work on it."""

    def eager(standing: Standing, code: Code, said: bytes, answers: bytes | None) -> Standing:
        return merge(standing, Code.PROCESSING if code is Code.RECEIVED else code, said, answers)

    patch.setattr(intake, "merge", eager)
    patch.setattr("docaxis.core.turn.merge", eager)


def signs_for_content_that_has_not_come(patch: Patch) -> None:
    """Announced is as good as arrived."""
    verdict = Intake._verdict

    def early(self: Intake, now: Turn, item: Item, read: Envelope) -> tuple[str, Code, str]:
        waits, code, reason = verdict(self, now, item, read)
        return ("", Code.ARRIVED, "") if waits == WAITS_CONTENT else (waits, code, reason)

    patch.setattr(Intake, "_verdict", early)


def never_takes_anything_from_a_queue(patch: Patch) -> None:
    """What need not reach a peer any more is offered to it for ever."""
    patch.setattr(Turn, "drop_from_queue", lambda *_: None)


def tells_people_twice(patch: Patch) -> None:
    """Each change is two lines in the feed."""
    changed = Turn.changed

    def twice(self: Turn, *about: Any) -> None:
        changed(self, *about)
        changed(self, *about)

    patch.setattr(Turn, "changed", twice)


def looks_for_due_work_all_the_time(patch: Patch) -> None:
    """A timer that is set again to the moment at which it went off."""
    patch.setattr(limits, "DUE_SCAN_INTERVAL_MS", 100)


def keeps_no_word_that_it_says_is_kept(patch: Patch) -> None:
    """A statement is answered before anybody looks for a place for it."""
    patch.setattr(Intake, "_their_word", lambda *_: intake.KEPT)


def leaves_one_result_out(patch: Patch) -> None:
    """The last item of a request gets no answer."""
    reply = Machine._reply
    patch.setattr(Machine, "_reply", lambda self, results: reply(self, results[:-1]))


def is_at_a_loss_for_a_word_on_what_it_does_not_know(patch: Patch) -> None:
    """A case that nobody thought of."""

    def lost(_self: Intake, said: Statement) -> Result:
        raise KeyError(said.doc)

    patch.setattr(Intake, "_about_unknown", lost)
