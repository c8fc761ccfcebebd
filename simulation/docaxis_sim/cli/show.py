"""How the simulator's results look: figures with their uncertainty, tables of a study; or JSON.

Only words and layout: every number is in the study already.
"""

from collections.abc import Iterable, Sequence
from math import floor, isfinite, isinf, isnan, log10
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import output

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
_STEPS: Final = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_SIZES: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_STATIONS: Final = {"up": "line from the node", "down": "line to the node", "loop": "processor", "disk": "disk"}

NEVER: Final = "never"
"""What is infinite."""

NOTHING: Final = "–"
"""What there is not."""


def figure(found: "Interval", unit: str) -> str:
    """A mean with its half-width, in one unit and with the same digits after the point: ``12.3 s ± 0.4``."""
    if isnan(found.mean):
        return NOTHING
    if isinf(found.mean):
        return NEVER
    divisor, name = _scale(found.mean, unit)
    mean, half_width = found.mean / divisor, found.half_width / divisor
    if found.n == 1 or not isfinite(half_width):
        return f"{_number(mean)}{name} ±?"
    if not half_width:
        return f"{_number(mean)}{name}"
    digits = max(_digits(mean, 3), _digits(half_width, 1)) if unit != "" else min(1, _digits(half_width, 1))
    return f"{mean:,.{digits}f}{name} ± {half_width:,.{digits}f}"


def _digits(value: float, wanted: int) -> int:
    """How many digits after the point show so many that count."""
    return max(0, wanted - 1 - floor(log10(abs(value)))) if value else 0


def plain(value: float, unit: str) -> str:
    """A number alone."""
    if not isfinite(value):
        return NOTHING if isnan(value) else NEVER
    divisor, name = _scale(value, unit)
    return f"{_number(value / divisor)}{name}"


def _scale(value: float, unit: str) -> tuple[float, str]:
    steps = {"s": _STEPS, "bytes": _SIZES}.get(unit)
    if unit == "share":
        return 0.01, " %"
    if steps is None:
        return 1.0, {"": "", "1/s": " /s"}.get(unit, f" {unit}")
    divisor, name = next((step for step in steps if abs(value) >= step[0]), steps[-1] if value else (1.0, steps[-1][1]))
    return (divisor, f" {name}") if value else (1.0, " s" if unit == "s" else " B")


def _number(value: float) -> str:
    """Three digits that count, and every digit of a large whole number."""
    if not isfinite(value):
        return NOTHING if isnan(value) else NEVER
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def study(found: "Study", out: str = "") -> None:
    """A whole study, as tables."""
    print(head(found))
    print()
    _key_figures(found)
    _latencies(found)
    _stations(found)
    _bottlenecks(found)
    _reasons(found)
    _checks(found)
    verdicts(found.verdicts)
    for note in found.notes:
        print(f"Note: {note}")
    if out:
        print(f"Written to {out}")


def head(found: "Study") -> str:
    """What was asked, and how it was answered."""
    scenario = found.scenario
    count = len(found.replications)
    engines = ", ".join(dict.fromkeys(each.engine for each in found.replications))
    confidence = scenario.experiment.confidence
    how = (
        f"{output.counted(count, 'replication')} of {output.counted(scenario.days, 'day')}, "
        f"seed {scenario.experiment.seed}, {engines} engine, {found.wall_seconds:.1f} s; "
        f"± is the half-width of a {confidence:.0%} interval"
    )
    return "\n".join(line for line in (scenario.name, scenario.question, how) if line)


def _key_figures(found: "Study") -> None:
    from docaxis_sim.capacity.metrics import about

    rows = [
        (words, figure(found.estimates[name], about(name).unit))
        for name, words in _KEY_FIGURES
        if name in found.estimates and (found.estimates[name].mean or name in ("expired", "arrived"))
    ]
    output.print_table("What went through", ("", ""), rows)
    print()


def _latencies(found: "Study") -> None:
    from docaxis_sim.capacity.latency import endings

    rows = []
    for name, ending in endings(found.scenario):
        if f"latency.arrived.p50{ending}_s" in found.estimates:
            values = [found.estimates[f"latency.arrived.{each}{ending}_s"] for each in _LATENCIES]
            rows.append((name, *(figure(value, "s") for value in values)))
    output.print_table("From submission to arrived", ("", "half within", "95 %", "99 %", "slowest"), rows)
    print()


def _stations(found: "Study") -> None:
    table = found.tables["stations"].columns
    rows = []
    for tier, kind, count, mean, p95 in zip(
        *(table[n] for n in ("tier", "station", "count", "mean", "p95")), strict=True
    ):
        worst = found.estimates.get(f"utilisation.{kind}.max.tier.{tier}")
        busiest = "" if worst is None else figure(worst, "share")
        rows.append(
            (
                str(tier),
                _STATIONS[str(kind)],
                f"{count:,.0f}",
                plain(float(mean), "share"),
                plain(float(p95), "share"),
                busiest,
            )
        )
    columns = ("tier", "station", "how many", "busy, mean", "95 % below", "busiest")
    output.print_table("Busy in their busiest hours", columns, rows)
    print()


def _bottlenecks(found: "Study") -> None:
    for name, title in (("bottlenecks", "Where documents wait longest"), ("busiest", "Busiest stations")):
        table = found.tables[name].columns
        columns = (table[each] for each in ("node", "name", "station", "busy", "visits", "wait_s"))
        rows = [(str(node), str(called), waiting(*rest)) for node, called, *rest in zip(*columns, strict=True)]
        if rows:
            output.print_table(title, ("node", "", ""), rows)
            print()


def waiting(station: Any, busy: Any, visits: Any, wait_s: Any) -> str:
    """A station in words: how busy it is, and how long what comes to it waits."""
    words = f"{_STATIONS[str(station)]}: {plain(float(busy), 'share')} busy in its busiest hour"
    if not visits:
        return words
    came, waited = f"{_number(float(visits))} visit{'' if visits == 1 else 's'}", plain(float(wait_s), "s")
    if not wait_s:
        return f"{words}; {came} without waiting"
    return f"{words}; {came} waited {waited}" + ("" if visits == 1 else " on average")


def _reasons(found: "Study") -> None:
    losses = found.tables["losses"]
    if losses.columns["traffic"]:
        output.print_table("What did not arrive in time, and why", tuple(losses.columns), rows_of(losses))
        print()
    failures = found.tables["failures"].columns
    if not len(failures["name"]):
        return
    rows = []
    for name, nodes, held in zip(failures["name"], failures["nodes"], failures["documents_waited"], strict=True):
        from docaxis_sim.capacity.metrics import slug

        drained = found.estimates.get(f"recovery.{slug(str(name))}_s")
        rows.append((str(name), f"{nodes:,.0f}", f"{held:,.0f}", figure(drained, "s") if drained else ""))
    output.print_table("Failures", ("", "nodes", "documents held up", "all arrived after its end"), rows)
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
        print(f"{_held(each)}: {goal(each)}; found {_found(each)}")


def goal(verdict: "Verdict") -> str:
    """A goal as people write it."""
    wanted = verdict.expectation
    return f"{wanted.metric} {wanted.sign} {plain(wanted.value, _unit(wanted.metric))}"


def _found(verdict: "Verdict") -> str:
    return figure(verdict.found, _unit(verdict.expectation.metric))


def _unit(metric: str) -> str:
    from docaxis_sim.capacity.metrics import about

    return about(metric).unit


def _held(verdict: "Verdict") -> str:
    if verdict.held:
        return "held"
    if not verdict.found.n:
        return "NOT KNOWN (nothing of this kind in every replication)"
    inside = verdict.found.low <= verdict.expectation.value <= verdict.found.high
    return "undecided (more replications)" if inside and verdict.found.n > 1 else "NOT HELD"


def rows_of(table: "Table") -> list[tuple[str, ...]]:
    """A table's rows as text."""
    columns: list[Sequence[str]] = [
        [cell if isinstance(cell, str) else _number(float(cell)) for cell in column]
        for column in table.columns.values()
    ]
    return list(zip(*columns, strict=True))


def as_json(found: "Study", tables: Sequence[str] = ("latency", "stations", "bottlenecks", "losses")) -> dict[str, Any]:
    """A study as one JSON object; what is not finite is null."""
    from docaxis_sim.capacity.files import manifest, plain_table

    return {**manifest(found), "tables": {name: plain_table(found.tables[name]) for name in tables}}
