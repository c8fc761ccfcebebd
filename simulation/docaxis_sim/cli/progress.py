"""Progress: how far an experiment is and how long it will still take; on a terminal one line that changes, else lines.

Goes to standard error, beside the result. Nothing here knows what is simulated but how many replications there are.
"""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import output
from docaxis_sim.stopwatch import Stopwatch

if TYPE_CHECKING:
    from docaxis_sim.capacity.study import Replication

SECONDS_BETWEEN_LINES: Final = 10.0


class Watcher:
    """Tells people about `steps` replications (more may follow), each of so much simulated time."""

    def __init__(self, what: str, steps: int, simulated_ns: int) -> None:
        self.what, self.steps, self.simulated_ns = what, max(1, steps), max(1, simulated_ns)
        self.ended = 0
        self._inside = 0.0
        self._watch, self._said = Stopwatch(), 0.0
        self._bar: Any = None

    def __enter__(self) -> "Watcher":
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self.what, total=float(self.steps), note="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def done(self, replication: "Replication") -> None:
        """A replication has ended."""
        self.ended += 1
        self._inside = 0.0
        self.steps = max(self.steps, self.ended)
        arrived = replication.measures.metrics["arrived"]
        self._show(
            f"{arrived:,.0f} documents arrived in replication {replication.number}", due=self.ended == self.steps
        )

    def inside(self, simulated_ns: int, arrived: int) -> None:
        """So much simulated time has passed in the replication that runs in this process."""
        self._inside = min(1.0, simulated_ns / self.simulated_ns)
        day, minute = divmod(simulated_ns // 60_000_000_000, 24 * 60)
        clock = f"{minute // 60:02}:{minute % 60:02}"
        self._show(f"day {day + 1} {clock}, {arrived:,} documents arrived")

    def _show(self, note: str, due: bool = False) -> None:
        share = min(1.0, (self.ended + self._inside) / self.steps)
        if self._bar is not None:
            self._bar.update(self._task, total=float(self.steps), completed=share * self.steps, note=note)
            return
        passed = self._watch.seconds
        if due or passed - self._said >= SECONDS_BETWEEN_LINES:
            self._said = passed
            left = f", about {passed / share - passed:.0f} s left" if 0 < share < 1 else ""
            output.note(f"{self.what}: {self.ended} of {self.steps} replications, {passed:.0f} s{left}; {note}")


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    )
