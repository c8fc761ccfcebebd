"""Fault file: from a scenario to the plan of each of its seeds, and from one plan back to a file that repeats it.

A scenario with a table `[faults]` says what its worlds are made of. One without, made for capacity, gives its agencies
and its failures: some agencies from inside and outside of what fails, cut off or switched off at those times. Failures
that concern no agency are named, and a scenario that has no others is refused. Nothing is run here.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.core.limits import HOUR_MS
from docaxis_sim import swarm
from docaxis_sim.capacity import model, topology
from docaxis_sim.capacity import scenario as scenarios
from docaxis_sim.capacity.mistakes import BadScenario, Mistake, file_name
from docaxis_sim.capacity.plan import MILLISECOND_NS
from docaxis_sim.capacity.units import DURATION
from docaxis_sim.fault_fields import ALL, FAULTS, STATED, Stated
from docaxis_sim.plan import AGENCIES, Deed, Fault, Kind, Letter, Plan
from docaxis_sim.sometimes import RARE
from docaxis_sim.streams import Streams
from docaxis_sim.swarm import DRAWN

MARGIN_MS: Final = HOUR_MS // 2
"""How long people work before the first failure of a capacity scenario, and after the last."""
SIDE_MAX: Final = 3
"""Agencies inside, and outside, of what fails."""
_WORDS: Final = {code: word for word, code in STATED.items()}


class Cut(NamedTuple):
    """A failure of a capacity scenario: the agencies that it concerns, and its time in ms after midnight."""

    inside: tuple[str, ...]
    from_ms: int
    until_ms: int
    dark: bool


class Source(NamedTuple):
    """What plans are made from: a table, the agencies to draw from, and the failures of a scenario without a table.
    `path`: how people name the file; empty for none. `left_out` names failures that no agency could feel."""

    path: str
    stated: Stated
    agencies: tuple[str, ...] = AGENCIES
    cuts: tuple[Cut, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def must_happen(self) -> tuple[str, ...]:
        """The rare paths that its seeds together must take."""
        return tuple(RARE) if ALL in self.stated.must_happen else self.stated.must_happen


SWARM: Final = Source("", FAULTS.default()._replace(draw=True, must_happen=(ALL,)))
"""Everything drawn: what is run where no scenario is named."""


def read(path: Path | str) -> Source:
    """The source that a scenario file is; raises `docaxis_sim.capacity.mistakes.BadScenario` with all mistakes."""
    scenario = scenarios.load(path)
    stated = scenario.faults
    assert isinstance(stated, Stated)
    if "faults" in scenario.raw:
        return Source(str(path), stated)
    country = topology.build(scenario.topology)
    tiers = [model.TIERS.index(tier) for tier in ("central", "province")]
    agencies = tuple(country.ids[node] for node in range(len(country.ids)) if country.tier[node] in tiers)
    sites = {site.name: site.members for site in scenario.sites}
    cuts = {
        each.name: Cut(
            tuple(country.ids[node] for node in topology.select(country, each.members, sites)),
            each.from_ns // MILLISECOND_NS,
            each.until_ns // MILLISECOND_NS,
            each.dark,
        )
        for each in scenario.failures
    }
    felt = {name: cut for name, cut in cuts.items() if _is_felt(cut, agencies)}
    if cuts and not felt:
        said = f"no agency would feel any of {', '.join(cuts)}: worlds of full machines are made of agencies"
        raise BadScenario([Mistake(file_name(scenario.path), 0, "failures", said)])
    left_out = tuple(name for name in cuts if name not in felt)
    return Source(str(path), stated._replace(draw=True), agencies, tuple(felt.values()), left_out)


def _is_felt(cut: Cut, agencies: Sequence[str]) -> bool:
    """Whether it switches off an agency, or stands between two."""
    inside = sum(agency in cut.inside for agency in agencies)
    return inside > 0 and (cut.dark or inside < len(agencies))


def plan(source: Source, seed: int) -> Plan:
    """The plan of a seed."""
    return _with_cuts(source, seed) if source.cuts else _as_stated(source, seed)


def _as_stated(source: Source, seed: int) -> Plan:
    stated = source.stated
    kinds = DRAWN if stated.kinds is None else stated.kinds
    usual = Plan(parties=stated.parties or AGENCIES[:3], busy_ms=stated.busy_ms or Plan().busy_ms)
    drawn = swarm.draw(seed, source.agencies, kinds, stated.parties or (), stated.busy_ms or 0)
    base = drawn if stated.draw else usual
    work = base.work._replace(**stated.work)
    work = work._replace(expires_ms_max=max(work.expires_ms_min, work.expires_ms_max))
    faults = tuple(sorted((*base.faults, *stated.faults), key=lambda fault: fault.at_ms))
    return base._replace(
        heal_ms_max=stated.heal_ms_max or swarm.heal_ms(faults, work),
        refresh_ms=stated.refresh_ms or base.refresh_ms,
        work=work,
        weather=base.weather._replace(**stated.weather),
        policy=base.policy._replace(**stated.nodes),
        faults=faults,
        crash=base.crash if stated.crash is None else stated.crash,
        crash_at=stated.crash_at,
        letters=stated.letters,
        deeds=stated.deeds,
    )


def _with_cuts(source: Source, seed: int) -> Plan:
    """Some agencies from both sides of one failure, another one for each seed, and all failures at their times."""
    chance = Streams(seed)("sides")
    cut = chance.choice(source.cuts)
    struck = [agency for agency in source.agencies if agency in cut.inside]
    others = [agency for agency in source.agencies if agency not in cut.inside]
    parties = tuple(party for side in (struck, others) for party in chance.sample(side, min(SIDE_MAX, len(side))))
    begin_ms = min(cut.from_ms for cut in source.cuts) - MARGIN_MS
    busy_ms = max(cut.until_ms for cut in source.cuts) + MARGIN_MS - begin_ms
    drawn = swarm.draw(seed, source.agencies, (), parties, busy_ms)
    faults = [fault for cut in source.cuts for fault in _faults(cut, parties, begin_ms)]
    return drawn._replace(faults=tuple(sorted(faults, key=lambda fault: fault.at_ms)))


def _faults(cut: Cut, parties: tuple[str, ...], begin_ms: int) -> Iterator[Fault]:
    span = cut.from_ms - begin_ms, cut.until_ms - begin_ms
    inside = [party for party in parties if party in cut.inside]
    for party in inside:
        if cut.dark:
            yield Fault(Kind.OUTAGE, *span, party)
        for other in parties if not cut.dark else ():
            if other not in inside:
                yield Fault(Kind.CUT, *span, party, other)
                yield Fault(Kind.CUT, *span, other, party)


# --- and back ---------------------------------------------------------------------------------------------------------


def text(seed: int, of: Plan, name: str, question: str, comment: str) -> str:
    """The TOML text of a plan with every figure stated, which gives the same world of that seed byte for byte."""
    weather, work, policy = of.weather, of.work, of.policy
    lines = [*(f"# {line}".rstrip() for line in comment.splitlines()), ""]
    lines += [f"name = {_quoted(name)}", f"question = {_quoted(question)}", "", "[faults]"]
    lines += _pairs(seeds=_quoted(str(seed)), parties=_list(of.parties), busy=_time(of.busy_ms))
    lines += _pairs(heal=_time(of.heal_ms_max), refresh=_time(of.refresh_ms), crash=_share(of.crash))
    lines += _pairs(crash_at=str(list(of.crash_at))) if of.crash_at else []
    lines += ["", "[faults.weather]"]
    lines += _pairs(lose_request=_share(weather.lose_request), lose_answer=_share(weather.lose_answer))
    lines += _pairs(duplicate=_share(weather.duplicate), replay=_share(weather.replay))
    lines += _pairs(replay_within=_time(weather.replay_ms_max), latency_least=_time(weather.latency_ms_min))
    lines += _pairs(latency_most=_time(weather.latency_ms_max))
    lines += ["", "[faults.work]", *_pairs(documents=str(work.documents), recipients_max=str(work.recipients_max))]
    lines += _pairs(**{key: _share(getattr(work, key)) for key in _CHANCES})
    lines += _pairs(expires_least=_time(work.expires_ms_min), expires_most=_time(work.expires_ms_max))
    lines += _pairs(office=_time(work.office_ms))
    lines += ["", "[faults.nodes]"]
    lines += _pairs(credit=str(policy.credit_items), batch=str(policy.batch_items), requests=str(policy.flights))
    for table, rows in (("fault", of.faults), ("letter", of.letters), ("act", of.deeds)):
        for row in rows:
            lines += ["", f"[[faults.{table}]]", *_row(row)]
    return "\n".join(lines) + "\n"


_CHANCES: Final = ("chunked", "inline", "refuse", "recall", "agree", "renew")


def _row(row: Fault | Letter | Deed) -> list[str]:
    match row:
        case Fault():
            span = _pairs(kind=_quoted(row.kind.value), at=_time(row.at_ms), until=_time(row.until_ms))
            parties = {"party": row.party, "other": row.other}
            stated = {key: _quoted(value) for key, value in parties.items() if value}
            return span + _pairs(**stated) + (_pairs(amount=_time(row.amount)) if row.amount else [])
        case Letter():
            found = {"number": str(row.number), "at": _time(row.at_ms), "from": _quoted(row.sender)}
            found["to"] = _list(row.to)
            found |= {key: _quoted(value) for key, value in (("content", row.content), ("kind", row.kind)) if value}
            found |= {
                key: str(value) for key, value in (("about", row.about), ("priority", row.priority)) if value >= 0
            }
            return _pairs(**found) + (_pairs(expires=_time(row.expires_ms)) if row.expires_ms >= 0 else [])
        case Deed():
            said = _quoted(_WORDS[row.code])
            return _pairs(at=_time(row.at_ms), party=_quoted(row.party), letter=str(row.letter), says=said)


def _pairs(**values: str) -> list[str]:
    return [f"{key} = {value}" for key, value in values.items()]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _time(time_ms: int) -> str:
    sign, size = ("-", -time_ms) if time_ms < 0 else ("", time_ms)
    return _quoted(sign + DURATION.write(size * MILLISECOND_NS)) if size else _quoted("0 s")


def _share(thousandths: int) -> str:
    return _quoted(f"{thousandths / 10:g} %")
