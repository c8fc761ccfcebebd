"""Theory: closed forms of queues, against which the engines are held.

Formulas only, each with its source; times in units of one mean service, `rho` the load of one server. Nothing here
draws or simulates.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from math import exp, factorial
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial

Tail = Callable[[float], float]
"""P(T > t)."""


class Sojourn(NamedTuple):
    """What is known of the time in the system, waiting and service: its mean, and its tail where it has a closed form
    (None where it has none)."""

    mean: float
    tail: Tail | None

    def quantile(self, share: float) -> float:
        """The time that this share of all do not exceed, by halving."""
        assert self.tail is not None, "no closed form for the distribution"
        low, high = 0.0, 1.0
        while self.tail(high) > 1 - share:
            low, high = high, 2 * high
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if self.tail(middle) > 1 - share else (low, middle)
        return (low + high) / 2


def mm1(rho: float) -> Sojourn:
    """M/M/1: the sojourn is exponential (Kleinrock, *Queueing Systems I*, §5.12)."""
    return in_series([1 - rho])


def mmc(servers: int, rho: float) -> Sojourn:
    """M/M/c, first come first served: Erlang's C formula; who waits does so exponentially, and is then served
    (Kleinrock I, §3.5). Not for the load at which ``servers * (1 - rho) == 1``."""
    offered = servers * rho
    terms = [offered**k / factorial(k) for k in range(servers)]
    last = offered**servers / factorial(servers) / (1 - rho)
    waits, rate = last / (sum(terms) + last), servers * (1 - rho)

    def tail(t: float) -> float:
        return (1 - waits) * exp(-t) + waits * (exp(-rate * t) - rate * exp(-t)) / (1 - rate)

    return Sojourn(1 + waits / rate, tail)


def md1(rho: float) -> Sojourn:
    """M/D/1: Pollaczek and Khinchine for the mean, Erlang's sum for the waiting time (Tijms, *A First Course in
    Stochastic Models*, §9.4). The sum alternates between large terms, which is why it is done with many digits."""

    def tail(t: float) -> float:
        if t < 1:
            return 1.0
        with localcontext() as digits:
            digits.prec = 120
            behind = [Decimal(rho) * (k - Decimal(t - 1)) for k in range(int(t - 1) + 1)]
            total = sum(
                ((x**k if k else Decimal(1)) * (-x).exp() / factorial(k) for k, x in enumerate(behind)), Decimal(0)
            )
            return float(1 - (1 - Decimal(rho)) * total)

    return Sojourn(1 + rho / (2 * (1 - rho)), tail)


def mg1(rho: float, above: Polynomial, below: Polynomial) -> Sojourn:
    """M/G/1 with service of mean 1 whose Laplace transform is ``above / below``: Pollaczek and Khinchine's transform
    ``(1 - rho) s B(s) / (s - rho + rho B(s))`` (Kleinrock I, §5.7), by partial fractions."""
    whole = Polynomial([-rho, 1]) * below + rho * above
    rest = Polynomial(whole.coef[1:])
    roots = rest.roots().astype(complex)
    weights = (1 - rho) * above(roots) / (rest.deriv()(roots) * -roots)

    def tail(t: float) -> float:
        return float(np.sum(weights * np.exp(roots * t)).real)

    return Sojourn(float(np.sum(weights / -roots).real), tail)


def erlang_2(rho: float) -> Sojourn:
    """M/E₂/1: a service of two exponential halves."""
    return mg1(rho, Polynomial([4]), Polynomial([4, 4, 1]))


def hyperexponential(rho: float, share: float) -> Sojourn:
    """M/H₂/1: a service is of the first kind with probability `share`, and both kinds do the same work in all."""
    rates = 2 * share, 2 * (1 - share)
    above = share * rates[0] * Polynomial([rates[1], 1]) + (1 - share) * rates[1] * Polynomial([rates[0], 1])
    return mg1(rho, above, Polynomial([rates[0], 1]) * Polynomial([rates[1], 1]))


def in_series(rates: Sequence[float]) -> Sojourn:
    """Independent exponential stages, all rates different. In a tandem of M/M/1 queues (Jackson 1957) the sojourns of
    one customer are that (Reich 1963), each with rate ``service rate - arrival rate``."""

    def weight(number: int) -> float:
        others = [rate for other, rate in enumerate(rates) if other != number]
        return float(np.prod([rate / (rate - rates[number]) for rate in others]))

    weights = [weight(number) for number in range(len(rates))]
    pairs = list(zip(weights, rates, strict=True))
    return Sojourn(sum(1 / rate for rate in rates), lambda t: sum(weight * exp(-rate * t) for weight, rate in pairs))


def mixed(shares: Sequence[float], of: Sequence[Sojourn]) -> Sojourn:
    """One of several, at random. Where routes part and never meet again, that is the sojourn in a Jackson network
    (Walrand and Varaiya 1980)."""
    tails = [each.tail for each in of]
    assert all(tail is not None for tail in tails)

    def tail(t: float) -> float:
        return sum(share * each(t) for share, each in zip(shares, tails, strict=True) if each is not None)

    return Sojourn(sum(share * each.mean for share, each in zip(shares, of, strict=True)), tail)


def mm1_ps(rho: float, most: int = 400) -> Sojourn:
    """M/M/1 processor sharing: the tagged one leaves a birth-death process of the others (Coffman, Muntz and Trotter
    1970), here as the spectrum of its generator, cut at `most` others."""
    others = np.arange(most)
    leave = 1 / (others + 1)
    up, down = np.full(most - 1, rho), others[1:] * leave[1:]
    outside = np.append(up, rho)
    generator = np.diag(-(outside + others * leave + leave))
    # Similar to a symmetric matrix, because births and deaths are in detailed balance.
    even = np.sqrt(up * down)
    generator += np.diag(even, 1) + np.diag(even, -1)
    balance = np.sqrt(np.cumprod(np.append(1.0, up / down)))
    start = (1 - rho) * rho**others
    rates, vectors = np.linalg.eigh(generator)
    weights = ((start / balance) @ vectors) * (vectors.T @ balance)

    def tail(t: float) -> float:
        return float(np.sum(weights * np.exp(rates * t)))

    return Sojourn(1 / (1 - rho), tail)


def ps(rho: float) -> Sojourn:
    """M/G/1 processor sharing: the mean does not depend on the law of service (Kleinrock, *Queueing Systems II*,
    §4.4), and a job of any length takes ``1 / (1 - rho)`` times as long as it would alone."""
    return Sojourn(1 / (1 - rho), None)


def whole_batches(rho: float) -> Sojourn:
    """M/D/1 that serves all who wait at once, taking 1 however many they are.

    Who finds it idle takes 1; who comes during a service waits for its uniform rest and takes 1 more. It is busy for 1
    and then idle for ``exp(-rho) / rho`` on average (nobody came during the service), which gives the share of both.
    """
    busy = 1 / (1 + exp(-rho) / rho)

    def tail(t: float) -> float:
        return 1.0 if t < 1 else busy * max(0.0, 2 - t)

    return Sojourn(1 + busy / 2, tail)


def relayed(fanouts: Sequence[int], hop: float) -> Sojourn:
    """A document handed down a tree whose units at depth d send `fanouts[d]` copies one after the other, each taking 1,
    and `hop` more until the receiver can send on. Nothing is left to chance; the tail is that of all recipients."""
    reached, times = np.zeros(1), []
    for fanout in fanouts:
        reached = (reached[:, None] + np.arange(1, fanout + 1) + hop).ravel()
        times.append(reached)
    everybody = np.sort(np.concatenate(times))
    return Sojourn(float(everybody.mean()), lambda t: float(np.mean(everybody > t)))
