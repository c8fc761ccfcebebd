"""The regression behind a calibration: costs that are known come out again, what cannot be told apart is refused."""

import numpy as np
import pytest

from tools.calibration.fit import Row, fit

KNOWN = {"round": 1_300_000.0, "wake": 300_000.0, "submit": 250_000.0, "content": 240_000.0, "never_free": 0.0}


def rows(noise: float, seed: int = 1) -> list[Row]:
    """What processes would have used if each thing cost exactly `KNOWN`, but for so much relative noise."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(40):
        did = {name: float(generator.integers(1, 200)) for name in KNOWN}
        exact = sum(did[name] * ns for name, ns in KNOWN.items())
        found.append(Row(f"load {number}", round(exact * (1 + noise * generator.standard_normal())), did))
    return found


def test_known_costs_are_recovered_from_counts() -> None:
    """Without noise nothing may be left over."""
    found = fit(rows(noise=0.0), samples=20)
    assert found.ns == pytest.approx(KNOWN, abs=5.0)
    assert found.error < 1e-6


def test_noise_widens_the_spread_and_hardly_moves_the_costs() -> None:
    """A shared machine adds some per cent to every load; the interval has to tell."""
    found = fit(rows(noise=0.05), samples=100)
    assert found.ns["round"] == pytest.approx(KNOWN["round"], rel=0.1)
    assert found.low_ns["round"] < found.ns["round"] < found.high_ns["round"]
    assert 0.01 < found.error < 0.1


def test_no_cost_is_negative() -> None:
    """A thing that costs nothing beside noise is fitted as nothing, not as a gain."""
    for seed in range(5):
        assert min(fit(rows(noise=0.2, seed=seed), samples=5).ns.values()) >= 0.0


def test_every_load_weighs_alike() -> None:
    """A load of a thousand documents may not drown one of ten: the same row thousandfold changes nothing."""
    some = rows(noise=0.05)
    long = [row._replace(cpu_ns=row.cpu_ns * 1000, did={k: v * 1000 for k, v in row.did.items()}) for row in some[:20]]
    assert fit(some[:20] + some[20:], samples=2).ns == pytest.approx(fit(long + some[20:], samples=2).ns, rel=1e-3)


def test_what_cannot_be_told_apart_is_refused() -> None:
    """Two loads cannot tell five costs, and a thing that never happened has none."""
    with pytest.raises(ValueError, match="cannot tell"):
        fit(rows(noise=0.0)[:2])
    with pytest.raises(ValueError, match="never happened"):
        fit([row._replace(did={**row.did, "absent": 0.0}) for row in rows(noise=0.0)])
