"""Full machines carry a small capacity plan: in quiet they need what the reference engine says, to the microsecond."""

from typing import Any

import numpy as np
import pytest

from docaxis_sim import machines
from docaxis_sim.capacity import reference
from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    HOPS_MAX,
    HOUR_NS,
    MILLISECOND_NS,
    NEVER,
    NODE,
    ROUND_MAX,
    SECOND_NS,
    SUBMIT,
    UP,
    CannotCarry,
    Cost,
    Deliveries,
    Form,
    Int64,
    Law,
    Outage,
    Plan,
    Stations,
    arrived_ns,
    home_ns,
    hop,
    receipt,
    status,
)

NODES = 6
SAME_NS = 1_000
"""Times of the machines are floats of milliseconds since 1970, which are a quarter of a microsecond apart."""


def stations(nodes: int = NODES) -> Stations:
    """A node of each kind for everybody; every figure differs from every other."""
    own = np.arange(nodes, dtype=np.int32)

    def each(value: int) -> Int64:
        return np.full(nodes, value, np.int64)

    return Stations(
        loop_of=own,
        disk_of=own,
        up_of=own,
        down_of=own,
        cost_ns=np.array([each((number + 3) * 100_000) for number in range(len(Cost))]),
        content_ns_per_kib=each(700),
        blob_ns=each(250_000),
        blob_ns_per_kib=each(900),
        wake_ns=each(310_000),
        round_ns=each(550_000),
        round_max=np.full(nodes, ROUND_MAX, np.int32),
        servers=np.ones(nodes, np.int32),
        commit_ns=each(800_000),
        commit_extra_ns=np.zeros(1, np.int64),
        up_ns_per_kib=each(400_000),
        down_ns_per_kib=each(160_000),
        up_law=Law.FIFO,
    )


def plan(count: int = 120, apart_ns: int = 5 * SECOND_NS, seed: int = 1) -> Plan:
    """So many documents of all forms and sizes, `apart_ns` between them; every third goes to two."""
    chance = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        sender, *others = chance.permutation(NODES)[:3]
        size = int(chance.choice([0, 800, 20_000, 400_000]))
        rows += [(number, sender, to, size) for to in (others if number % 3 == 0 else others[:1])]
    group = np.array([row[0] for row in rows], np.int32)
    path = np.full((HOPS_MAX + 1, len(rows)), -1, np.int32)
    path[0], path[1] = [row[1] for row in rows], [row[2] for row in rows]
    content = np.array([row[3] for row in rows], np.int64)
    delay_ns = np.where(group % 2 == 0, [[1_300_000_000], [900_000_000]], NEVER)
    latency_ns = np.zeros((HOPS_MAX, len(rows)), np.int64)
    latency_ns[0] = (2 + path[0] + path[1]) * MILLISECOND_NS
    deliveries = Deliveries(
        birth_ns=group * np.int64(apart_ns),
        parent=np.full(len(rows), -1, np.int32),
        bytes=content,
        form=np.where(content > 64 << 10, Form.CHUNKED, Form.INLINE).astype(np.int8),
        first=np.concatenate([[True], group[1:] != group[:-1]]),
        hops=np.ones(len(rows), np.int8),
        path=path,
        latency_ns=latency_ns,
        status_delay_ns=delay_ns.astype(np.int64),
        deadline_ns=np.full(len(rows), 24 * HOUR_NS, np.int64),
        priority=(group % 5).astype(np.int8),
        traffic=np.zeros(len(rows), np.int16),
        group=group,
        extra_ns={SUBMIT: np.full(len(rows), 40_000, np.int64), hop(0, NODE): group * np.int64(1_000)},
    )
    return Plan(tuple(f"N{node}" for node in range(NODES)), stations(), deliveries, (), 0)


STEPS = (SUBMIT, hop(0, ENVELOPE), hop(0, UP), hop(0, DOWN), hop(0, NODE), receipt(0), status(0, 0), status(1, 1))


def test_in_quiet_every_delivery_takes_what_the_reference_engine_says() -> None:
    """One document at a time to one recipient: nothing waits, nothing is batched, and both agree on every step."""
    quiet = plan()
    alone = quiet.deliveries.group % 3 != 0
    machine, model = machines.carry(quiet), reference.carry(quiet)
    assert set(machine.left_ns) == set(model.left_ns)
    for step in STEPS:
        assert np.abs(machine.left_ns[step] - model.left_ns[step])[alone].max() <= SAME_NS
    assert (arrived_ns(quiet, machine) != NEVER).all()
    assert (home_ns(quiet, machine) != NEVER).all()
    assert not machine.expired.any()


def test_in_quiet_the_medians_agree_within_a_twentieth() -> None:
    """Two recipients of one document are one round of a machine and two of the model, so those differ a little."""
    quiet = plan()
    for moment_ns in (arrived_ns, home_ns):
        machine, model = (
            float(np.median(moment_ns(quiet, engine(quiet)) - quiet.deliveries.birth_ns))
            for engine in (machines.carry, reference.carry)
        )
        assert abs(machine - model) <= 0.05 * model


def test_a_stall_of_the_disk_hits_somebody_in_both() -> None:
    """Machines make more commits than the model knows, so that stalls fall elsewhere, but as often and as long."""
    quiet = plan()
    slow = quiet._replace(stations=quiet.stations._replace(commit_extra_ns=np.array([0, 0, 0, 50 * MILLISECOND_NS])))
    later_ms = [
        float(np.mean(arrived_ns(slow, engine(slow)) - arrived_ns(quiet, engine(quiet)))) / MILLISECOND_NS
        for engine in (machines.carry, reference.carry)
    ]
    assert min(later_ms) > 20
    assert max(later_ms) < 1.5 * min(later_ms)


def test_in_a_rush_nothing_is_lost_and_the_machines_batch() -> None:
    """Forty documents a second on six nodes: the outbox puts what waits into one request, and rounds become fewer."""
    rush = plan(200, 25 * MILLISECOND_NS)
    machine, model = machines.carry(rush), reference.carry(rush)
    assert (arrived_ns(rush, machine) != NEVER).all()
    assert (home_ns(rush, machine) != NEVER).all()
    assert machine.rounds.sum() < model.rounds.sum()


def test_a_cut_is_drained_as_the_reference_engine_says() -> None:
    """Who waits for whom, the pauses between tries, the slow start after them: the core's in both, so that what a cut
    held up arrives at the same moments, but for the few ms that each try takes longer."""
    small = plan(240, 5 * SECOND_NS)
    cut = Outage("cut", np.array([1, 4], np.int32), 200 * SECOND_NS, 800 * SECOND_NS, False)
    held_up = small._replace(outages=(cut,))
    machine, model = machines.carry(held_up), reference.carry(held_up)
    rows = small.deliveries
    crosses = np.isin(rows.path[0], cut.inside) != np.isin(rows.path[1], cut.inside)
    held = crosses & (rows.birth_ns > cut.from_ns) & (rows.birth_ns < cut.until_ns - SECOND_NS)
    assert held.sum() > 50
    for moment_ns in (arrived_ns, home_ns):
        theirs, ours = moment_ns(held_up, machine), moment_ns(held_up, model)
        assert (np.minimum(theirs, ours)[held] > cut.until_ns).all()
        assert np.abs(theirs - ours)[held].max() < SECOND_NS


def test_the_same_plan_gives_the_same_columns() -> None:
    """Nonces are drawn from the seed, and times from nothing."""
    small = plan(20)
    first, second, other = machines.carry(small), machines.carry(small), machines.carry(small, seed=2)
    for step, column in first.left_ns.items():
        assert (column == second.left_ns[step]).all()
        assert (column == other.left_ns[step]).all()


def test_a_run_that_ends_early_has_no_departures_after_its_end() -> None:
    """As with the other engines, what would have left later is never."""
    early = plan(20)._replace(end_ns=31 * SECOND_NS)
    left_ns = machines.carry(early).left_ns[SUBMIT]
    assert ((left_ns == NEVER) == (early.deliveries.birth_ns > 31 * SECOND_NS)).all()


def test_progress_is_told_in_simulated_time() -> None:
    """Whoever waits sees how far it is, and how many have arrived."""
    told: list[tuple[int, int]] = []
    small = plan(20)
    machines.carry(small, lambda at_ns, done: told.append((at_ns, done)))
    assert told == sorted(told)
    assert told[-1][1] == len(small.deliveries.hops)


def _other_deliveries(small: Plan, **columns: Any) -> Plan:
    return small._replace(deliveries=small.deliveries._replace(**columns))


def _refused() -> dict[str, Plan]:
    small = plan(4)
    none = np.zeros(0, np.int32)
    rows = len(small.deliveries.hops)
    together = small.stations._replace(loop_of=np.zeros(NODES, np.int32))
    return {
        "switched off": small._replace(outages=(Outage("dark", none, 0, 1, True),)),
        "several hops": _other_deliveries(small, hops=np.full(rows, 2, np.int8)),
        "handed on": _other_deliveries(small, parent=np.zeros(rows, np.int32)),
        "shared content": _other_deliveries(small, form=np.full(rows, Form.CHUNK, np.int8)),
        "share a loop": small._replace(stations=together),
        "first come": small._replace(stations=small.stations._replace(up_law=Law.PS)),
        "several servers": small._replace(stations=small.stations._replace(servers=np.full(NODES, 2, np.int32))),
        "two deliveries to one recipient": _other_deliveries(small, group=np.zeros(rows, np.int32)),
        "no codes of parties": small._replace(node_ids=tuple("abcdef")),
        "more than 500 deliveries": plan(501),
    }


@pytest.mark.parametrize("reason", _refused())
def test_what_machines_cannot_carry_is_refused_by_name(reason: str) -> None:
    """Rather no answer than one to another question."""
    with pytest.raises(CannotCarry, match=reason):
        machines.carry(_refused()[reason])
