"""Mirror: a source of the directory that lies, in turns, in every way in which the real directory may not be believed.

It has what was ever handed out, and the officers of one agency on its side; it has neither the root's officers nor any
other agency's. What a node makes of the lies is in `docaxis_sim.issue`.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Final

from docaxis.core.ids import PartyId
from docaxis.seal.paper import PaperSeal
from docaxis_sim import issue
from docaxis_sim.authority import Authority
from docaxis_sim.ground import Ground
from docaxis_sim.issue import Issue

FROZEN_MS: Final = 2 * issue.STAMP_MS
"""How old the stamp is that it repeats."""


class Mirror:
    """Asked by a party in the authority's place. The officers of `helper` sign for it what concerns `victim`."""

    def __init__(self, ground: Ground, authority: Authority, helper: str, victim: str) -> None:
        self._ground = ground
        self._authority = authority
        self._helper = helper
        self._victim = PartyId(victim)
        lies = (self._older, self._frozen, self._renumbered, self._forged, self._revoking)
        self._lies: Iterator[Callable[[], Issue]] = cycle(lies)

    def __call__(self) -> Issue:
        """The next lie."""
        return next(self._lies)()

    def _older(self) -> Issue:
        """Rollback: the first issue that there ever was, as it was signed then."""
        return self._authority.history[0]

    def _frozen(self) -> Issue:
        """Freeze: an issue with the stamp of days ago, though newer ones have been signed since."""
        return self._authority.issue(self._ground.now_ms - FROZEN_MS)

    def _renumbered(self) -> Issue:
        """The first issue under numbers and a time that nobody signed for it."""
        now = self._authority.issue()
        return self._authority.history[0]._replace(versions=now.versions, signed_ms=now.signed_ms)

    def _forged(self) -> Issue:
        """An entry with another key than the agency's, signed by the officers of another agency."""
        now = self._authority.issue()
        entry = now.entries[self._victim]
        seal = PaperSeal(f"{self._victim} mirror", simulation=True)
        key = entry.keys[-1]._replace(id=seal.key_id, public=seal.public_key)
        forged = entry._replace(keys=(*entry.keys, key))
        proofs = {**now.proofs, self._victim: issue.proof(forged, self._helper)}
        return now._replace(entries={**now.entries, self._victim: forged}, proofs=proofs)

    def _revoking(self) -> Issue:
        """A true issue, and with it a word against an agency's key that is not its own officers'."""
        now = self._authority.issue()
        key = now.entries[self._victim].keys[-1].id
        said = issue.word(self._victim, key, self._ground.now_ms, self._helper)
        return now._replace(words=(*now.words, said))
