"""Hours: which hours of its days a scenario simulates. Some send their busiest hour only, so that it takes seconds.

Read from the profiles in use, before anything runs; what happened in those hours is not asked here.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.plan import HOUR_NS, Int64

DAY_HOURS: Final = 24

ENOUGH_HOURS: Final = 6
"""So many of a day stand for all of it: in the others hardly anybody sends."""


def is_whole_day(scenario: Scenario) -> bool:
    """Whether days are simulated, so that something can be said of a day: nearly all that is sent in one is sent."""
    return len(_of_a_day(scenario)) == DAY_HOURS


def simulated(scenario: Scenario) -> Int64:
    """Numbers of the simulated hours, counted from midnight of the first day: all of its days, or those hours of each
    day in which anything is sent, where they are fewer than `ENOUGH_HOURS`."""
    hours: Int64 = (np.arange(scenario.days)[:, None] * DAY_HOURS + _of_a_day(scenario)).reshape(-1)
    return hours


def _of_a_day(scenario: Scenario) -> Int64:
    used = {each.profile for each in scenario.traffic if each.at_ns < 0 and each.documents_per_day * each.scale > 0}
    sends = np.zeros(DAY_HOURS, np.bool_)
    for name in used:
        profile = scenario.profiles[name]
        for (begins, low), (ends, high) in pairwise(profile):
            if ends > begins and low + high > 0:
                sends[begins // HOUR_NS : -(-ends // HOUR_NS)] = True
    # What is sent at one moment of a day is all of its kind that there is on that day.
    return np.flatnonzero(sends) if used and sends.sum() < ENOUGH_HOURS else np.arange(DAY_HOURS)
