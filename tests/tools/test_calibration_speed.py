"""Speed and connections in a calibration: what was used is put on processors of one speed before it is compared."""

from pathlib import Path

import pytest

from tools.calibration.costing import handshakes
from tools.calibration.fit import Row
from tools.calibration.load import Load
from tools.calibration.measure import FIRST, FROM_STRANGERS, SECOND, TO_STRANGERS, Taken, quietest, standard_ns
from tools.calibration.measured_host import Used, used_between
from tools.calibration.plant import Outcome
from tools.calibration.yardstick import STANDARD_NS
from tools.validation.contended import SharedHost, read
from tools.validation.predict import speed_of

MS = 1_000_000


def used(cpu_ns: int, yardstick_ns: float) -> Used:
    """What a process used while the yardstick's work took so long."""
    return Used(10 * MS, cpu_ns, cpu_ns, yardstick_ns, 0, {}, {})


def taken(rows: tuple[Row, ...], yardsticks_ns: tuple[float, ...]) -> Taken:
    """A pass of which only this matters."""
    return Taken(rows, (MS,), (MS,), (), 1, (), (), (0.0, 0.0), 1, 0.0, yardsticks_ns)


def test_what_a_slow_processor_used_is_worth_less() -> None:
    """Twice the time for the same work says that the processor was half as fast, not that the node cost twice."""
    assert standard_ns(used(8 * MS, 2 * STANDARD_NS)) == standard_ns(used(4 * MS, STANDARD_NS)) == 4 * MS


def test_the_yardsticks_own_work_is_no_cost_of_the_node() -> None:
    """Nor are the moments at which the process woke up for it."""
    before = {"at_ns": 0, "cpu_ns": 0, "loop_ns": 0, "waits": 0, "yardstick": [5, 5 * MS], "nodes": {}}
    after = {"at_ns": 9, "cpu_ns": 50 * MS, "loop_ns": 40 * MS, "waits": 30, "yardstick": [15, 10 * MS], "nodes": {}}
    found = used_between(before, after)
    assert (found.cpu_ns, found.loop_ns, found.waits) == (45 * MS, 35 * MS, 20)
    assert found.yardstick_ns == 0.5 * MS


def test_costs_are_those_of_processors_as_fast_as_they_usually_were() -> None:
    """Rows of all passes are on one speed when the quietest of each is chosen."""
    slow, quick = Row("load", 6 * MS, {}), Row("load", 4 * MS, {})
    found = quietest([taken((slow,), (0.4 * MS,)), taken((quick,), (0.5 * MS, 0.9 * MS))])
    assert [row.cpu_ns for row in found.rows] == [2 * MS]


def test_a_connection_costs_what_the_same_documents_use_more_the_first_time() -> None:
    """At either end, and told for both directions."""
    rows = [
        Row(f"{load}, {time} {process}", cpu_ns, {thing: 10.0})
        for load, process, thing, first_ns in (
            (TO_STRANGERS, 0, "connect", 90), (TO_STRANGERS, 1, "accept", 70),
            (FROM_STRANGERS, 1, "connect", 80), (FROM_STRANGERS, 0, "accept", 60),
        )
        for time, cpu_ns in ((FIRST, first_ns), (SECOND, 40))
    ]  # fmt: skip
    assert handshakes(taken(tuple(rows), (1.0,))) == {"connect": [5.0, 4.0], "accept": [3.0, 2.0]}


def test_a_load_is_predicted_with_the_speed_that_its_processors_had() -> None:
    """Against what the yardstick usually took as costs were measured."""
    outcome = Outcome(Load("x", 1.0, ()), frozenset(), [], [], [], 0, 0, {}, [used(1, 0.4 * MS)] * 2, [], 0.0, [])
    assert speed_of([outcome], SharedHost(0, 0.5 * MS, ())) == pytest.approx(1.25)


def test_a_calibration_without_a_yardstick_is_refused_by_name() -> None:
    """Whoever wrote it has to measure again."""
    shipped = Path(__file__).parents[2] / "scenarios" / "calibration" / "node-2026-11.json"
    assert '"yardstick_ns"' in shipped.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="yardstick"):
        read({"shared_host": {"crowd": [], "latency_ns": 0}})
