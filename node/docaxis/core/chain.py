"""Chains: whether one party's statements about one transmission follow each other without gap, fork or impossible step.

Works on statements whose signatures were looked at already; it knows no keys and no directory. What breaks is named
exactly, with the author whose chain it is: nobody's words are judged by what somebody else did.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import TABLE, Code, Standing, merge
from docaxis.core.statement import Statement
from docaxis.core.timeline import moment


class Broken(TheirFault):
    """Evidence does not hold: `link` names the exact part, `code` and `detail` say what is wrong with it."""

    def __init__(self, link: str, code: str, detail: str) -> None:
        super().__init__(code, f"{link}: {detail}")
        self.link = link
        self.problem = detail


class Told(NamedTuple):
    """A statement with its id."""

    id: bytes
    statement: Statement

    @property
    def link(self) -> str:
        """How people are told which statement is meant."""
        said = self.statement
        about = f" to {said.recipient}" if said.by == said.sender else ""
        what = f"{said.code.value} {said.code.name.lower()}{about}, epoch {said.epoch}, {moment(said.at_ms)}"
        return f"statement {said.seq} of {said.by} ({what})"


Notes = dict[bytes, list[str]]
"""Remarks by statement id; see `docaxis.core.timeline.NOTES`."""


class Verdict(NamedTuple):
    """What one transmission comes to: what is known after all its statements, what is remarkable, and for each author
    whose chain does not hold its first broken link."""

    standing: Standing
    notes: Notes
    faults: dict[PartyId, Broken]


def check_transmission(doc: DocId, told: Sequence[Told]) -> Verdict:
    """Checks all statements about one recipient; `told` is in the order in which the exporter kept it.

    A successor goes on from what its predecessor had stated: where that does not hold, its steps cannot be judged.
    """
    notes: Notes = {each.id: [] for each in told}
    recalls = {each.id for each in told if each.statement.code is Code.RECALL}
    faults: dict[PartyId, Broken] = {}
    inherited: Standing | None = Standing()
    for chain in _chains(told):
        said = chain[0].statement
        by_sender = said.by == said.sender
        start = Standing() if by_sender else inherited
        try:
            _follows(doc, chain, notes)
            after = None if start is None else _walks(chain, start, recalls, notes)
        except Broken as fault:
            faults[said.by], after = fault, None
        inherited = inherited if by_sender else after
    return Verdict(merged(told), notes, faults)


def merged(told: Iterable[Told]) -> Standing:
    """What is known after all these statements, in whatever order."""
    standing = Standing()
    for each in told:
        standing = merge(standing, each.statement.code, each.id, each.statement.answers)
    return standing


def _chains(told: Sequence[Told]) -> list[list[Told]]:
    """Each author's statements by epoch and seq; the recipient first, then others (its successors go on from there)."""
    chains: dict[PartyId, list[Told]] = {}
    for each in told:
        chains.setdefault(each.statement.by, []).append(each)
    for chain in chains.values():
        chain.sort(key=lambda each: (each.statement.epoch, each.statement.seq))
    return sorted(chains.values(), key=lambda chain: chain[0].statement.by != chain[0].statement.recipient)


def _follows(doc: DocId, chain: list[Told], notes: Notes) -> None:
    """The rule of `prev`: within an epoch no gap and no fork; a new epoch starts from something said before."""
    known: dict[bytes, Told] = {}
    before: Told | None = None
    for each in chain:
        if before is not None and before.statement.epoch == each.statement.epoch:
            _follows_directly(before, each)
        else:
            _begins_epoch(doc, each, known)
            if before is not None:
                notes[each.id].append("epoch")
        known[each.id] = before = each


def _follows_directly(before: Told, each: Told) -> None:
    seq, prev = each.statement.seq, each.statement.prev
    if before.statement.seq == seq:
        raise Broken(
            each.link, "statement.fork", f"its author also signed another one for the same place: {before.link}"
        )
    if before.statement.seq != seq - 1:
        raise Broken(each.link, "evidence.broken", f"its predecessor, statement {seq - 1} ({prev.hex()}), is missing")
    if prev != before.id:
        raise Broken(
            each.link, "evidence.broken", f"it follows {prev.hex()}, which is not {before.link} ({before.id.hex()})"
        )


def _begins_epoch(doc: DocId, each: Told, known: Mapping[bytes, Told]) -> None:
    seq, prev = each.statement.seq, each.statement.prev
    if seq != 1 or (prev != doc and prev not in known):
        number = f"statement {seq - 1} " if seq > 1 else ""
        raise Broken(each.link, "evidence.broken", f"its predecessor, {number}({prev.hex()}), is missing")


def _walks(chain: list[Told], start: Standing, recalls: set[bytes], notes: Notes) -> Standing:
    """The author's own steps are possible in the lifecycle's table; late and repeated codes are noted.

    A new epoch goes on from what the author knew then: the statement that its first one names, and perhaps all it had
    said before, given back by its peers. A successor goes on from what its predecessor had stated.
    """
    after: dict[bytes, Standing] = {}
    standing = known = start
    for each in chain:
        said = each.statement
        if said.seq == 1:
            standing = after.get(said.prev, start)
        if said.answers is not None and said.answers not in recalls:
            raise Broken(each.link, "evidence.broken", f"the recall that it answers ({said.answers.hex()}) is missing")
        moved = merge(standing, said.code, each.id, said.answers)
        if not (_possible(standing, each) or _possible(known, each)):
            was = standing.state.name.lower()
            raise Broken(each.link, "lifecycle.not-allowed", f"its author's own statements before it led to {was}")
        if moved == standing or standing.agreed:
            notes[each.id].append("late")
        standing = after[each.id] = moved
        known = merge(known, said.code, each.id, said.answers)
    return known


def _possible(standing: Standing, each: Told) -> bool:
    """Whether the table has this step, or the code only repeats what was passed already."""
    said = each.statement
    rises = merge(standing, said.code, each.id, said.answers).progress > standing.progress
    return not rises or standing.agreed or said.code in TABLE[standing.progress]
