"""Three M/M/1 queues in Cimba, for `tools/bench simulation --cimba`; run by an interpreter that has that package.

Prints the processor seconds, compiling left out, and the mean sojourn by Little's law. It imports nothing of ours: the
package is no dependency of the project.
"""

# mypy: ignore-errors
# The package is not in the project's environment, so its types cannot be checked.

import sys
import time

import cimba as cb
from cimba import inputs

CUSTOMERS, LOAD = int(sys.argv[1]), float(sys.argv[2])


class Tandem(cb.Model):
    """A door and three servers, each taking from the store before it: Cimba's cheapest way to say it."""

    interarrival: cb.Input[float] = inputs.dist.exponential(mean=1 / LOAD)
    first_service: cb.Input[float] = inputs.dist.exponential(mean=1)
    second_service: cb.Input[float] = inputs.dist.exponential(mean=1)
    third_service: cb.Input[float] = inputs.dist.exponential(mean=1)
    first: cb.Container
    second: cb.Container
    third: cb.Container
    waiting: cb.Output[float]

    @cb.process
    def door(self) -> None:
        """Customers for ever."""
        while True:
            cb.hold(self.interarrival.next())
            self.first.put(1)

    @cb.process
    def serve_first(self) -> None:
        """The first queue."""
        while True:
            self.first.get(1)
            cb.hold(self.first_service.next())
            self.second.put(1)

    @cb.process
    def serve_second(self) -> None:
        """The second queue."""
        while True:
            self.second.get(1)
            cb.hold(self.second_service.next())
            self.third.put(1)

    @cb.process
    def serve_third(self) -> None:
        """The third queue."""
        while True:
            self.third.get(1)
            cb.hold(self.third_service.next())

    @cb.on_end
    def measure(self) -> None:
        """Waiting customers on average; those in service come on top."""
        self.waiting = self.first.mean_level() + self.second.mean_level() + self.third.mean_level()


def carried(customers: int) -> tuple[float, float]:
    """Processor seconds and mean sojourn of one replication."""
    model = Tandem()
    window = cb.Window(warmup=0, duration=customers / LOAD)
    begun = time.process_time()
    results = cb.Experiment(model, replications=1, window=window, seed=1).run()
    seconds = time.process_time() - begun
    return seconds, float(results[model].waiting[:].ravel()[0]) / LOAD + 3


carried(1000)
print(*carried(CUSTOMERS))
