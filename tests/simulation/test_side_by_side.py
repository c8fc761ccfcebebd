"""Three executors carry the same documents: the engines agree exactly, the machines nearly."""

import re

import numpy as np

from docaxis_sim import side_by_side as side_by_side_module
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.shipped import shipped
from docaxis_sim.side_by_side import EXECUTORS, side_by_side


def test_a_scenarios_documents_take_nearly_as_long_in_full_machines_as_in_the_engines() -> None:
    """The model's median is within a tenth of the core's own; the two engines do not differ at all; what a cut held up
    is there at nearly the same moment."""
    found = side_by_side(prepare(load(shipped() / "normal-working-day.toml", {"load": 0.1}), 0).plan)
    names, latency_s = np.array(found.columns["executor"]), np.asarray(found.columns["latency_s"], float)
    medians = {name: float(np.median(latency_s[names == name])) for name in EXECUTORS}
    assert medians["vector"] == medians["reference"]
    assert abs(medians["machines"] / medians["reference"] - 1) < 0.1
    met = re.search(r"work for 60% of the time.*; (\d+) of them waited for another one", found.about)
    assert met
    assert int(met[1]) > 100
    assert all(
        re.search(rf"{name}: median [\d.]+ ms, p95 [\d.]+ ms, longest [\d.]+ ms", found.about) for name in medians
    )
    assert "vector against reference: median +0.00%, p95 +0.00%, at most 0.000 ms for any document" in found.about
    after = r"the last of (\d+) documents .*: ([\d.]+) min \(machines\), ([\d.]+) min \(reference\)"
    drained = re.search(after, found.about)
    assert drained
    assert int(drained[1]) > 20
    assert abs(float(drained[2]) - float(drained[3])) < 0.1


def test_executors_between_which_nothing_arrived_are_not_compared_in_numbers() -> None:
    """There is no median of nothing."""
    nothing = np.full(3, np.nan)
    said = side_by_side_module._disagreements({"reference": np.ones(3), "machines": nothing})
    assert said == ["machines against reference: no document arrived in both."]


def test_an_executor_that_cannot_carry_is_named_with_its_reason() -> None:
    """A missing curve is explained."""
    plan = prepare(load(shipped() / "normal-working-day.toml", {"load": 0.01}), 0).plan
    odd = plan._replace(node_ids=tuple(f"node {number}" for number in range(len(plan.node_ids))))
    found = side_by_side(odd)
    assert re.search(r"machines: full machines do not carry .*codes of parties", found.about)
    assert set(found.columns["executor"]) == {"reference", "vector"}
