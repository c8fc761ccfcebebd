"""Bugs of trust, to be planted: a machine that believes what nobody signed, or a directory that lies."""

import pytest

from docaxis.core import intake, limits, machine
from docaxis.core.addresses import Book
from docaxis.core.ids import PartyId
from docaxis.core.intake import Intake
from docaxis.core.signed import Signed, decode_head
from docaxis.core.trust import decode_revocation
from docaxis_sim import issue

Patch = pytest.MonkeyPatch


def looks_at_no_signature(patch: Patch) -> None:
    """A head that names a listed key is good."""
    patch.setattr(intake, "check_signature", lambda *_: None)


def looks_at_no_path(patch: Patch) -> None:
    """What comes with somebody's signed head is his."""
    patch.setattr(intake, "check_path", lambda signed, _head: signed.id)


def does_not_ask_who_signed(patch: Patch) -> None:
    """A good signature is good for everybody's words."""
    verified = Intake.verified

    def anybody(self: Intake, signed: Signed, author: PartyId, now_ms: int) -> bytes:
        return verified(self, signed, decode_head(signed.head.raw).signer, now_ms)

    patch.setattr(Intake, "verified", anybody)


def lets_everybody_speak_for_everybody(patch: Patch) -> None:
    """Whoever signs may state what is another's to state."""
    patch.setattr(Intake, "speaks_for_me", lambda self, party: party == self._me)
    patch.setattr(Book, "answers_for", lambda *_: True)


def stops_when_the_publisher_does(patch: Patch) -> None:
    """A directory of yesterday is no directory."""
    patch.setattr(machine, "holds_documents", lambda book, now_ms: now_ms - book.verified_ms > limits.DAY_MS)


def goes_back_to_an_older_directory(patch: Patch) -> None:
    """The last directory that came is the one that counts."""
    patch.setattr(issue, "check_replaces", lambda *_: None)


def takes_a_frozen_directory_for_fresh(patch: Patch) -> None:
    """A stamp is good for ever."""
    patch.setattr(issue, "STAMP_MS", limits.DIRECTORY_STALE_MS)


def believes_entries_whoever_signed_them(patch: Patch) -> None:
    """A directory is what a mirror says."""
    patch.setattr(issue, "is_signed", lambda *_: True)


def believes_revocations_whoever_signed_them(patch: Patch) -> None:
    """Any officer may silence any agency."""
    patch.setattr(issue, "check_revocation", lambda said, *_: decode_revocation(said.body))
