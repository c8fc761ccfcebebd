"""How the simulator's results look: figures with their uncertainty, tables of a study; or JSON.

Only words and layout: every number is in the study already.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import output
from docaxis_sim.capacity.spelling import NO_BOTTLENECK, NOTHING, count, figure, percent, plain

if TYPE_CHECKING:
    from docaxis_sim.capacity.statistics import Interval
    from docaxis_sim.capacity.study import Study, Table, Verdict

_KEY_FIGURES: Final = (
    ("documents", "documents submitted"),
    ("deliveries", "sent to recipients"),
    ("arrived", "arrived in time"),
    ("expired", "expired"),
    ("under_way", "under way at the end"),
    ("never_sent", "never handed on"),
    ("offered_per_s.busiest_hour", "offered in the busiest hour"),
    ("carried_per_s.busiest_hour", "carried in the busiest hour"),
    ("latency.arrived.mean_s", "to arrived, mean"),
    ("latency.receipt.p99_s", "to the receipt at home, p99"),
    ("latency.status.p99_s", "status to the sender, p99"),
    ("queue.documents.max", "most under way at once"),
    ("queue.age.max_s", "oldest under way"),
    ("queue.peer.max", "most waiting for a peer"),
    ("tries", "attempts that failed"),
    ("storage_bytes_per_day", "growth of all stores a day"),
    ("storage.node_bytes_per_day", "growth of the fastest growing a day"),
)

_LATENCIES: Final = ("p50", "p95", "p99", "max")
_STATIONS: Final = {"up": "line from the node", "down": "line to the node", "loop": "processor", "disk": "disk"}


def study(found: "Study", out: str = "") -> None:
    """A whole study, as tables."""
    print(head(found))
    print()
    _key_figures(found)
    _latencies(found)
    _stations(found)
    _bottlenecks(found)
    _reasons(found)
    _variations(found)
    _checks(found)
    verdicts(found.verdicts)
    for note in found.notes:
        print(f"Note: {note}")
    if out:
        print(f"Written to {out}")


def head(found: "Study") -> str:
    """What was asked, and how it was answered."""
    scenario = found.scenario
    engines = ", ".join(dict.fromkeys(each.engine for each in found.replications))
    confidence = scenario.experiment.confidence
    how = (
        f"{output.counted(len(found.replications), 'replication')} of {output.counted(scenario.days, 'day')}, "
        f"seed {scenario.experiment.seed}, {engines} engine, {found.wall_seconds:.1f} s; "
        f"± is the half-width of a {percent(confidence)} interval"
    )
    return "\n".join(line for line in (scenario.name, scenario.question, how) if line)


def _key_figures(found: "Study") -> None:
    from docaxis_sim.capacity.metrics import about

    rows = [
        (words, figure(found.estimates[name], about(name).unit))
        for name, words in _KEY_FIGURES
        if name in found.estimates and (found.estimates[name].mean or name in ("documents", "arrived", "expired"))
    ]
    output.print_table("What went through", ("", ""), rows)
    print()


def _latencies(found: "Study") -> None:
    from docaxis_sim.capacity.latency import endings
    from docaxis_sim.capacity.study import NO_LATENCY

    rows = []
    for name, ending in endings(found.scenario):
        if f"latency.arrived.p50{ending}_s" in found.estimates:
            values = [found.estimates[f"latency.arrived.{each}{ending}_s"] for each in _LATENCIES]
            rows.append((name, *(figure(value, "s") for value in values)))
    if rows:
        output.print_table("From submission to arrived", ("", "half within", "95 %", "99 %", "slowest"), rows)
    else:
        print(NO_LATENCY)
    print()


def _stations(found: "Study") -> None:
    table = found.tables["stations"]
    texts = zip(*(table.columns[name] for name in ("tier", "station", "count")), strict=True)
    shares = zip(*(table.intervals(name) for name in ("mean", "p95", "max")), strict=True)
    rows = [
        (str(tier), _STATIONS[str(kind)], count(float(many)), *(figure(share, "share") for share in some))
        for (tier, kind, many), some in zip(texts, shares, strict=True)
    ]
    columns = ("tier", "station", "how many", "busy, mean", "95 % below", "busiest")
    output.print_table("Busy in their busiest hours", columns, rows)
    print()


def _bottlenecks(found: "Study") -> None:
    for name, title in (("bottlenecks", "Where documents wait longest"), ("busiest", "Busiest stations")):
        table = found.tables[name]
        texts = zip(*(table.columns[each] for each in ("node", "name")), strict=True)
        stations = zip(table.columns["station"], *map(table.intervals, ("busy", "visits", "wait_s")), strict=True)
        rows = [(str(node), str(called), waiting(*rest)) for (node, called), rest in zip(texts, stations, strict=True)]
        if rows:
            output.print_table(title, ("node", "", ""), rows)
            print()
        elif name == "bottlenecks":
            print(f"{NO_BOTTLENECK}\n")


def waiting(station: Any, busy: "Interval", visits: "Interval", wait: "Interval") -> str:
    """A station in words: how busy it is, and how long what comes to it waits."""
    words = f"{_STATIONS[str(station)]}: {figure(busy, 'share')} busy in its busiest hour"
    if not visits.mean:
        return words
    came = f"{count(visits.mean)} visit{'' if visits.mean == 1 else 's'}"
    if not wait.mean:
        return f"{words}; {came} without waiting"
    return f"{words}; {came} waited {figure(wait, 's')}" + ("" if visits.mean == 1 else " on average")


def _reasons(found: "Study") -> None:
    losses = found.tables["losses"]
    if losses.columns["traffic"]:
        output.print_table("What did not arrive in time, and why", tuple(losses.columns), rows_of(losses))
        print()
    failures = found.tables["failures"]
    if not len(failures.columns["name"]):
        return
    rows = []
    columns = (failures.columns["name"], failures.columns["nodes"], failures.intervals("documents_waited"))
    for name, nodes, held in zip(*columns, strict=True):
        from docaxis_sim.capacity.metrics import slug

        drained = found.estimates.get(f"recovery.{slug(str(name))}_s")
        rows.append((str(name), count(float(nodes)), figure(held, ""), figure(drained, "s") if drained else NOTHING))
    output.print_table("Failures", ("", "nodes", "documents held up", "all arrived after its end"), rows)
    print()


def _variations(found: "Study") -> None:
    """What every headline becomes where something is halved or doubled, and by how much it changes then."""
    from docaxis_sim.capacity import compare

    rows = []
    for name in dict.fromkeys(each.metric for variation in found.variations for each in variation.differences):
        rows.append((name, "as it is", figure(found.estimates[name], _unit(name)), "", ""))
        for variation in found.variations:
            where = f"{variation.field.replace('_', ' ')} × {variation.factor:g}"
            for each in variation.differences:
                if each.metric == name:
                    sure = "yes" if each.sure else "no"
                    rows.append(("", where, figure(each.b, _unit(name)), compare.change(each), sure))
    if rows:
        output.print_table("What it hangs on", ("figure", "with", "is", "changes by", "sure"), rows)
        print()


def _checks(found: "Study") -> None:
    broken = [check for check in found.checks if not check.held]
    for check in broken:
        print(f"CHECK FAILED: {check.name}: {check.detail} (off by {check.measured:.3g}, allowed {check.allowed:.3g})")
    if not broken:
        worst = max((check.measured for check in found.checks if check.allowed), default=0.0)
        text = "conservation, flow balance, Little's law and utilisation law hold in every replication"
        print(f"{len(found.checks)} checks: {text} (largest disagreement {worst:.2g})")


def verdicts(found: Iterable["Verdict"]) -> None:
    """Whether each goal held, a line each."""
    for each in found:
        print(f"{_HELD[each.standing]}: {goal(each)}; found {_found(each)}")


def goal(verdict: "Verdict") -> str:
    """A goal as people write it."""
    wanted = verdict.expectation
    return f"{wanted.metric} {wanted.sign} {plain(wanted.value, _unit(wanted.metric))}"


def _found(verdict: "Verdict") -> str:
    return figure(verdict.found, _unit(verdict.expectation.metric))


def _unit(metric: str) -> str:
    from docaxis_sim.capacity.metrics import about

    return about(metric).unit


_HELD: Final = {
    "held": "held",
    "not held": "NOT HELD",
    "undecided": "undecided (more replications)",
    "not known": "NOT KNOWN (nothing of this kind in every replication)",
}


def rows_of(table: "Table") -> list[tuple[str, ...]]:
    """A table's rows as text."""
    columns: list[Sequence[str]] = [
        [str(cell) for cell in column] if isinstance(column, tuple) else [figure(x, "") for x in table.intervals(name)]
        for name, column in table.columns.items()
    ]
    return list(zip(*columns, strict=True))


def as_json(found: "Study", tables: Sequence[str] = ("latency", "stations", "bottlenecks", "losses")) -> dict[str, Any]:
    """A study as one JSON object; what is not finite is null."""
    from docaxis_sim.capacity.files import manifest, plain_table

    return {**manifest(found), "tables": {name: plain_table(found.tables[name]) for name in tables}}
