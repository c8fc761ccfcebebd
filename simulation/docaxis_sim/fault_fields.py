"""Fault fields: every key of the table `[faults]` of a scenario file, and what the table says as a value.

Reading, mistakes, the JSON Schema and the reference page follow from the fields (`docaxis_sim.capacity.shapes`). What
a world is made of from it stands in `docaxis_sim.fault_file`; nothing here reads a file.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from docaxis.core.lifecycle import BY_PEOPLE, Code
from docaxis.core.policy import Policy
from docaxis_sim.capacity.kinds import FLAG, NAME, SHARE, TEXT, listed, quantity, whole, words
from docaxis_sim.capacity.mistakes import nearest
from docaxis_sim.capacity.plan import DAY_NS, MILLISECOND_NS
from docaxis_sim.capacity.shapes import REQUIRED, Field, Leaf, Many, Table
from docaxis_sim.capacity.units import DURATION, BadValue, shown
from docaxis_sim.plan import Deed, Fault, Kind, Letter
from docaxis_sim.sometimes import RARE
from docaxis_sim.swarm import DRAWN

SEEDS_MAX: Final = 10**9
ALL: Final = "all"
STATED: Final = {code.name.lower(): code for code in Code if code in BY_PEOPLE}
"""What people may state, by the words of a scenario."""
Place = tuple[str | int, ...]


class Stated(NamedTuple):
    """What a table says; None where it says nothing. `weather`, `work` and `nodes` hold only what is stated."""

    draw: bool
    seeds: range
    kinds: tuple[Kind, ...] | None
    parties: tuple[str, ...] | None
    busy_ms: int | None
    heal_ms_max: int | None
    refresh_ms: int | None
    crash: int | None
    crash_at: tuple[int, ...]
    weather: dict[str, int]
    work: dict[str, int]
    nodes: dict[str, int]
    faults: tuple[Fault, ...]
    letters: tuple[Letter, ...]
    deeds: tuple[Deed, ...]
    must_happen: tuple[str, ...]


def read_seeds(text: object) -> range:
    """Reads ``"7"`` or ``"0..99"`` (both ends included); raises `BadValue`."""
    first, dots, last = text.partition("..") if isinstance(text, str) else ("", "", "")
    if not (first.isascii() and first.isdigit() and (last.isascii() and last.isdigit() if dots else True)):
        raise BadValue(f"{shown(text)} is neither a number nor a range such as 0..99")
    start, end = int(first), int(last or first)
    if not start <= end <= SEEDS_MAX:
        raise BadValue(f"{shown(text)}: a range goes upwards, to {SEEDS_MAX} at most")
    return range(start, end + 1)


def _in_ms(least_ns: int = 0) -> Leaf:
    leaf = quantity(DURATION, least_ns)
    return leaf._replace(convert=lambda value: leaf.convert(value) // MILLISECOND_NS)


def _mapped(leaf: Leaf, change: Callable[[Any], Any]) -> Leaf:
    return leaf._replace(convert=lambda value: change(leaf.convert(value)))


TIME: Final = _in_ms()
SPAN: Final = _in_ms(MILLISECOND_NS)
AMOUNT: Final = _in_ms(-366 * DAY_NS)
CHANCE: Final = _mapped(SHARE, lambda share: round(share * 1000))
KIND: Final = _mapped(words(*(kind.value for kind in Kind)), Kind)
SEEDS: Final = Leaf("seeds", read_seeds, "0..99", {"type": "string", "pattern": r"^[0-9]+(\.\.[0-9]+)?$"})
CODE: Final = TEXT
"""A party's code, or nothing."""
_SAYS: Final = _mapped(words(*STATED), lambda word: STATED[word])


def _known(**values: int | None) -> dict[str, int]:
    """What is stated of a table whose rest is drawn, or as usual."""
    return {name: value for name, value in values.items() if value is not None}


WEATHER: Final = Table(
    "faults-weather",
    _known,
    (
        Field("lose_request", CHANCE, None, "Chance that a request does not arrive."),
        Field("lose_answer", CHANCE, None, "Chance that its answer does not arrive."),
        Field("duplicate", CHANCE, None, "Chance that a request arrives twice."),
        Field("replay", CHANCE, None, "Chance that it arrives once more, much later."),
        Field("replay_within", SPAN, None, "How much later at most.", "replay_ms_max"),
        Field("latency_least", TIME, None, "One way at the fastest.", "latency_ms_min"),
        Field("latency_most", SPAN, None, "One way at the slowest; drawn for each message.", "latency_ms_max"),
    ),
    "What the network does to every message; in steps of a thousandth and a millisecond.",
)
WORK: Final = Table(
    "faults-work",
    _known,
    (
        Field("documents", whole(0, 10_000), None, "How many documents are drawn, beside the letters below."),
        Field("recipients_max", whole(1, 100), None, "The most recipients of one of them."),
        Field("chunked", CHANCE, None, "Chance that its content is pulled in chunks."),
        Field("inline", CHANCE, None, "Chance that its content travels with it."),
        Field("refuse", CHANCE, None, "Chance that an office refuses what arrived, each time it looks."),
        Field("recall", CHANCE, None, "Chance that a sender asks for its document back."),
        Field("agree", CHANCE, None, "Chance that an office agrees to give it back."),
        Field("renew", CHANCE, None, "Chance that a document updates or replaces an earlier one."),
        Field("expires_least", SPAN, None, "The shortest deadline of a document.", "expires_ms_min"),
        Field("expires_most", SPAN, None, "The longest deadline of a document.", "expires_ms_max"),
        Field("office", TIME, None, "How often, at most, an office looks; 0 s: nobody does.", "office_ms"),
    ),
    "What people do.",
)
_USUAL: Final = Policy()
NODES: Final = Table(
    "faults-nodes",
    _known,
    (
        Field("credit", whole(1, _USUAL.credit_items), None, "Items that a peer may send at once.", "credit_items"),
        Field("batch", whole(1, _USUAL.batch_items), None, "Items in one request at most.", "batch_items"),
        Field("requests", whole(1, _USUAL.flights), None, "Requests in the air at most.", "flights"),
    ),
    "How much every node takes and gives at a time.",
)


FAULT: Final = Table(
    "faults-fault",
    Fault,
    (
        Field("kind", KIND, REQUIRED, "What goes wrong; simulation/docs/faults.md says what each kind means."),
        Field("at", TIME, "0 s", "When it begins.", "at_ms"),
        Field("until", TIME, REQUIRED, "When it is over.", "until_ms"),
        Field("party", CODE, "", "Whom it strikes; nobody where it strikes all."),
        Field("other", CODE, "", "Towards whom, from whom, or in whose favour, where the kind needs a second party."),
        Field("amount", AMOUNT, "0 s", "slow: how much longer; clock: how far ahead; no-publisher: how old already."),
    ),
    "One thing that goes wrong.",
)


def _letter(expires: int | None, content: str, kind: str, **values: Any) -> Letter:
    content, kind = ("" if word == "drawn" else word for word in (content, kind))
    return Letter(expires_ms=-1 if expires is None else expires, content=content, kind=kind, **values)


LETTER: Final = Table(
    "faults-letter",
    _letter,
    (
        Field("number", whole(0, 10_000), REQUIRED, "By which acts and later letters name it."),
        Field("at", TIME, REQUIRED, "When it is handed in.", "at_ms"),
        Field("from", NAME, REQUIRED, "Who sends it.", "sender"),
        Field("to", listed(NAME, 100), REQUIRED, "Who gets it."),
        Field("content", words("drawn", "none", "inline", "chunked"), "drawn", "How its content travels."),
        Field("kind", words("drawn", "new", "update", "replace"), "drawn", "Whether it changes an earlier letter."),
        Field("about", whole(-1, 10_000), -1, "The letter that it updates or replaces."),
        Field("expires", TIME, None, "Its deadline, after the beginning of the world; drawn where not stated."),
        Field("priority", whole(-1, 4), -1, "0 normal to 4 timed express; -1: drawn."),
    ),
    "One document, beside those that are drawn.",
)
ACT: Final = Table(
    "faults-act",
    Deed,
    (
        Field("at", TIME, REQUIRED, "When.", "at_ms"),
        Field("party", NAME, REQUIRED, "Who."),
        Field("letter", whole(0, 10_000), REQUIRED, "About which letter."),
        Field("says", _SAYS, REQUIRED, "What it says.", "code"),
    ),
    "One thing that people state about a letter.",
)


FAULTS: Final = Table(
    "faults",
    Stated,
    (
        Field("draw", FLAG, False, "true: parties, work, weather and faults are drawn from each seed; keys replace."),
        Field("seeds", SEEDS, "0..99", "The worlds of a run, where the command does not say."),
        Field("kinds", listed(_mapped(words(*(kind.value for kind in DRAWN)), Kind)), None, "Draw only from these."),
        Field("parties", listed(NAME, 100), None, "The agencies of the world."),
        Field("busy", SPAN, None, "How long people work and things go wrong.", "busy_ms"),
        Field("heal", SPAN, None, "By when, after that, everything must have come to its end.", "heal_ms_max"),
        Field("refresh", SPAN, None, "How often, at least, each node asks for the directory.", "refresh_ms"),
        Field("crash", CHANCE, None, "Chance of a crash at each boundary around a commit."),
        Field("crash_at", listed(whole(1, 10**9)), [], "Numbers of boundaries at which there is a crash."),
        Field("weather", WEATHER, {}, "The network."),
        Field("work", WORK, {}, "The people."),
        Field("nodes", NODES, {}, "The nodes' policy."),
        Field("fault", Many(FAULT), [], "What goes wrong when.", "faults"),
        Field("letter", Many(LETTER), [], "Documents beside those that are drawn.", "letters"),
        Field("act", Many(ACT), [], "What people state about them.", "deeds"),
        Field("must_happen", listed(words(ALL, *RARE)), [], "Rare paths that the seeds together must take."),
    ),
    "Worlds of full machines in which things go wrong, for `docaxis simulate faults`.",
)

_PAIRS: Final = frozenset({Kind.CUT, Kind.CLOSE, Kind.DIRECTORY_SKEW, Kind.POISON, Kind.FORGER, Kind.BAD_MIRROR})
"""Kinds that need a second party."""


def complaints(stated: Stated) -> Iterator[tuple[Place, str]]:
    """What is wrong together: places in the table with what to say there."""
    if (stated.faults or stated.letters) and stated.parties is None:
        yield ("parties",), "must be stated where faults or letters name parties"
        return
    parties = stated.parties or ()
    if stated.parties is not None and (len(parties) < 2 or len(set(parties)) < len(parties)):
        yield ("parties",), "needs at least two agencies, each once"
    for row, fault in enumerate(stated.faults):
        for key, text in _about_fault(fault, parties):
            yield ("fault", row, key), text
    numbers: set[int] = set()
    for row, letter in enumerate(stated.letters):
        for key, text in _about_letter(letter, parties, numbers):
            yield ("letter", row, key), text
        numbers.add(letter.number)
    for row, deed in enumerate(stated.deeds):
        if deed.party not in parties:
            yield ("act", row, "party"), _no_party(deed.party, parties)
        if deed.letter not in numbers:
            yield ("act", row, "letter"), f"there is no letter {deed.letter}"


def _about_fault(fault: Fault, parties: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if fault.until_ms < fault.at_ms:
        yield "until", "is over before it begins"
    if fault.party not in parties and not (fault.kind is Kind.NO_PUBLISHER and not fault.party):
        yield "party", _no_party(fault.party, parties)
    if fault.kind in _PAIRS and (fault.other not in parties or fault.other == fault.party):
        yield "other", f"{fault.kind.value} needs a second party; {_no_party(fault.other, parties)}"
    if fault.kind is Kind.SLOW and fault.amount <= 0:
        yield "amount", 'says how much longer each answer takes, such as "5 s"'


def _about_letter(letter: Letter, parties: tuple[str, ...], numbers: set[int]) -> Iterator[tuple[str, str]]:
    if letter.number in numbers:
        yield "number", f"there are two letters {letter.number}"
    if letter.sender not in parties:
        yield "from", _no_party(letter.sender, parties)
    for party in letter.to:
        if party not in parties or party == letter.sender:
            yield "to", f"{party} is the sender" if party == letter.sender else _no_party(party, parties)
    if not letter.to:
        yield "to", "needs a recipient"
    if letter.kind in ("update", "replace") and letter.about not in numbers:
        yield "about", "names no earlier letter"


def _no_party(code: str, parties: tuple[str, ...]) -> str:
    hint = nearest(code, parties) or f"the parties are {', '.join(parties)}"
    return f'"{code}" is not a party of this world; {hint}'
