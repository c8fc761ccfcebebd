"""Shrink: a plan that breaks a promise becomes a small one that still does, so that people can see what it takes.

Greedy: leave something out, run the world again, keep what still breaks the same promise, until nothing more can be
left out. It runs worlds and compares; what a promise is, is said in `docaxis_sim.checkers`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

from docaxis.core.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from docaxis.core.policy import Policy
from docaxis_sim.checkers import Breach
from docaxis_sim.ground import START_MS
from docaxis_sim.plan import Fault, Kind, Letter, Plan, Weather
from docaxis_sim.streams import Streams
from docaxis_sim.swarm import letters
from docaxis_sim.world import Broken, World

RUNS_MAX: Final = 300
"""Worlds that are run for one plan, at most."""
Part = TypeVar("Part")
Told = Callable[[int, Plan], None]
"""Told how many worlds have been run, and the smallest plan so far."""


class Shrunk(NamedTuple):
    """The smallest plan that was found, how it breaks the promise, its trace's hash at that point, and how many worlds
    it took."""

    plan: Plan
    breach: Breach
    trace: str
    runs: int


class _Search:
    """One plan on its way to a smaller one."""

    def __init__(self, seed: int, plan: Plan, promise: str, told: Told) -> None:
        self.seed = seed
        self.plan = plan
        self.promise = promise
        self.told = told
        self.heals = True
        self.runs = 0
        self.breach: Breach | None = None
        self.trace = ""

    def holds(self, plan: Plan) -> bool:
        """Whether the promise is still broken by this plan, which is then the plan."""
        if self.runs >= RUNS_MAX:
            return False
        self.runs += 1
        world = World(self.seed, plan)
        try:
            world.run(self.heals)
        except Broken as broken:
            if broken.breach.promise == self.promise:
                # Crashes that were drawn are named, so that they can be left out one by one.
                named = tuple(world.injector.struck)
                self.plan = plan._replace(crash=0, crash_at=named)
                self.breach, self.trace = broken.breach, world.trace.digest()
                # What breaks while faults are on need not be healed to be seen.
                self.heals = world.ground.now_ms - START_MS >= plan.busy_ms
                self.told(self.runs, self.plan)
                return True
        return False

    def until_nothing_helps(self, candidates: Callable[[Plan], Iterator[Plan]]) -> bool:
        """Takes the first smaller plan that still breaks the promise, again and again; whether there was any."""
        helped = False
        while any(self.holds(smaller) for smaller in candidates(self.plan)):
            helped = True
        return helped


def shrink(seed: int, plan: Plan, promise: str, told: Told = lambda _runs, _plan: None) -> Shrunk | None:
    """The smallest plan found that breaks `promise` with this seed; None where `plan` itself does not."""
    drawn = letters(Streams(seed), plan)
    written = plan._replace(work=plan.work._replace(documents=0), letters=(*drawn, *plan.letters))
    search = _Search(seed, written, promise, told)
    if not search.holds(written):
        return None
    while any(search.until_nothing_helps(each) for each in STEPS):
        pass
    assert search.breach is not None
    return Shrunk(search.plan, search.breach, search.trace, search.runs)


# --- what can be left out ---------------------------------------------------------------------------------------------


def _fewer(items: Sequence[Part]) -> Iterator[tuple[Part, ...]]:
    """Without all, without each half, each quarter, and so on to each single one."""
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            yield (*items[:start], *items[start + size :])
        size //= 2


def _fewer_crashes(plan: Plan) -> Iterator[Plan]:
    return (plan._replace(crash_at=kept) for kept in _fewer(plan.crash_at))


def _fewer_faults(plan: Plan) -> Iterator[Plan]:
    return (plan._replace(faults=kept) for kept in _fewer(plan.faults))


def _fewer_letters(plan: Plan) -> Iterator[Plan]:
    """With them goes what was stated about them, and what updates them becomes a letter of its own."""
    for kept in _fewer(plan.letters):
        numbers = {letter.number for letter in kept}
        alone = tuple(each if each.about in numbers else _alone(each) for each in kept)
        deeds = tuple(deed for deed in plan.deeds if deed.letter in numbers)
        yield plan._replace(letters=alone, deeds=deeds)


def _alone(letter: Letter) -> Letter:
    return letter if letter.about < 0 else letter._replace(about=-1, kind="new")


def _fewer_recipients(plan: Plan) -> Iterator[Plan]:
    for place, letter in enumerate(plan.letters):
        for kept in _fewer(letter.to):
            if kept:
                changed = letter._replace(to=kept)
                yield plan._replace(letters=(*plan.letters[:place], changed, *plan.letters[place + 1 :]))


def _fewer_deeds(plan: Plan) -> Iterator[Plan]:
    return (plan._replace(deeds=kept) for kept in _fewer(plan.deeds))


def _calmer(plan: Plan) -> Iterator[Plan]:
    """All of the weather at once, or one thing after the other."""
    fine = Weather()._replace(latency_ms_max=Weather().latency_ms_min)
    if plan.weather != fine:
        yield plan._replace(weather=fine)
    for name, value in fine._asdict().items():
        if getattr(plan.weather, name) != value:
            yield plan._replace(weather=plan.weather._replace(**{name: value}))


def _simpler_people(plan: Plan) -> Iterator[Plan]:
    """Nobody at work, or without one of the habits."""
    idle = {"office_ms": 0, "recall": 0, "refuse": 0, "renew": 0, "agree": 0, "chunked": 0, "inline": 0}
    held = {name: value for name, value in idle.items() if getattr(plan.work, name) != value}
    if held:
        yield plan._replace(work=plan.work._replace(**held))
    for name, value in held.items():
        yield plan._replace(work=plan.work._replace(**{name: value}))
    if plan.policy != Policy():
        yield plan._replace(policy=Policy())


def _fewer_parties(plan: Plan) -> Iterator[Plan]:
    """Without those that nobody names."""
    named = {party for letter in plan.letters for party in (letter.sender, *letter.to)}
    named |= {party for fault in plan.faults for party in (fault.party, fault.other if _pairs(fault.kind) else "")}
    kept = tuple(party for party in plan.parties if party in named)
    if 2 <= len(kept) < len(plan.parties):
        yield plan._replace(parties=kept)


def _pairs(kind: Kind) -> bool:
    return kind in (Kind.CUT, Kind.CLOSE, Kind.DIRECTORY_SKEW, Kind.POISON, Kind.FORGER, Kind.BAD_MIRROR)


def _shorter_faults(plan: Plan) -> Iterator[Plan]:
    for place, fault in enumerate(plan.faults):
        half_ms = (fault.until_ms - fault.at_ms) // 2
        if half_ms >= MINUTE_MS:
            changed = fault._replace(until_ms=fault.at_ms + half_ms)
            yield plan._replace(faults=(*plan.faults[:place], changed, *plan.faults[place + 1 :]))


def _sooner_over(plan: Plan) -> Iterator[Plan]:
    """No longer than the last thing that is planned, or half as long."""
    times = [letter.at_ms for letter in plan.letters] + [deed.at_ms for deed in plan.deeds]
    last_ms = max([*times, *(fault.until_ms for fault in plan.faults)], default=0) + MINUTE_MS
    for busy_ms in (last_ms, plan.busy_ms // 2):
        if MINUTE_MS <= busy_ms < plan.busy_ms and busy_ms >= last_ms:
            yield plan._replace(busy_ms=busy_ms)


def _sooner_healed(plan: Plan) -> Iterator[Plan]:
    if plan.heal_ms_max >= 2 * HOUR_MS:
        yield plan._replace(heal_ms_max=plan.heal_ms_max // 2)


def _in_seconds(plan: Plan) -> Iterator[Plan]:
    """With times in whole seconds: all of them, or else one after the other. Beginnings come sooner, ends later."""
    spans = plan._replace(busy_ms=_up(plan.busy_ms), heal_ms_max=_up(plan.heal_ms_max))
    faults = tuple(_fault_in_seconds(each) for each in plan.faults)
    letters = tuple(_letter_in_seconds(each) for each in plan.letters)
    deeds = tuple(each._replace(at_ms=_down(each.at_ms)) for each in plan.deeds)
    candidates = [spans._replace(faults=faults, letters=letters, deeds=deeds), spans]
    candidates += [plan._replace(faults=mixed) for mixed in _one_by_one(plan.faults, faults)]
    candidates += [plan._replace(letters=mixed) for mixed in _one_by_one(plan.letters, letters)]
    candidates += [plan._replace(deeds=mixed) for mixed in _one_by_one(plan.deeds, deeds)]
    return (candidate for candidate in candidates if candidate != plan)


def _one_by_one(before: Sequence[Part], after: Sequence[Part]) -> Iterator[tuple[Part, ...]]:
    return ((*before[:place], changed, *before[place + 1 :]) for place, changed in enumerate(after))


def _fault_in_seconds(fault: Fault) -> Fault:
    return fault._replace(at_ms=_down(fault.at_ms), until_ms=_up(fault.until_ms))


def _letter_in_seconds(letter: Letter) -> Letter:
    expires_ms = letter.expires_ms if letter.expires_ms < 0 else _up(letter.expires_ms)
    return letter._replace(at_ms=_down(letter.at_ms), expires_ms=expires_ms)


def _down(time_ms: int) -> int:
    return time_ms - time_ms % SECOND_MS


def _up(time_ms: int) -> int:
    return time_ms + -time_ms % SECOND_MS


STEPS: Final = (
    _sooner_healed,
    _fewer_crashes,
    _fewer_faults,
    _fewer_letters,
    _calmer,
    _simpler_people,
    _fewer_recipients,
    _fewer_deeds,
    _fewer_parties,
    _shorter_faults,
    _sooner_over,
    _in_seconds,
)
"""What is tried, in this order, again and again."""
