"""Progress: how far an experiment is and how long it will still take; on a terminal one line that changes, else lines.

Goes to standard error, beside the result. Nothing here knows what is simulated but how many replications there are.
"""

import sys
from math import ceil
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import output
from docaxis_sim.stopwatch import Stopwatch

if TYPE_CHECKING:
    from docaxis_sim.capacity.study import Replication

SECONDS_BETWEEN_LINES: Final = 10.0
SECONDS_BETWEEN_BEATS: Final = 1.0
"""Time passes although nothing is heard: from other machines nothing comes before a replication ends."""


class Watcher:
    """Tells people about `steps` replications, or what they are `called` (more may follow), each of so much simulated
    time, so many of them `side_by_side`."""

    def __init__(
        self, what: str, steps: int, simulated_ns: int, side_by_side: int = 1, called: str = "replications"
    ) -> None:
        self.called = called
        self.what, self.steps, self.simulated_ns = what, max(1, steps), max(1, simulated_ns)
        self.side_by_side = max(1, side_by_side)
        self.ended = 0
        self._note, self._inside = "", 0.0
        self._took, self._ended_at, self._said = 0.0, 0.0, 0.0
        self._watch = Stopwatch()
        self._bar: Any = None
        self._showing, self._over = Lock(), Event()
        self._heart = Thread(target=self._beats, daemon=True)

    def __enter__(self) -> "Watcher":
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self.what, total=float(self.steps), note="", left="")
        self._heart.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._heart.join()
        if self._bar is not None:
            self._bar.stop()

    def done(self, replication: "Replication") -> None:
        """A replication has ended."""
        arrived = replication.measures.metrics["arrived"]
        self.ran(replication.seconds, f"{arrived:,.0f} documents arrived in replication {replication.number}")

    def ran(self, seconds: float, note: str = "", more: int = 0) -> None:
        """One of the steps has ended, which took so long; so many `more` will follow at least."""
        with self._showing:
            self.ended += 1
            self._inside, self._ended_at = 0.0, self._watch.seconds
            self._took += seconds
            self.steps = max(self.steps, self.ended + more)
            self._note = note
            self._show(due=self.ended == self.steps)

    def inside(self, simulated_ns: int, arrived: int) -> None:
        """So much simulated time has passed in what runs on this machine, in all of it together."""
        running = min(self.side_by_side, max(1, self.steps - self.ended))
        with self._showing:
            self._inside = min(float(running), simulated_ns / self.simulated_ns)
            self._note = f"{_when(simulated_ns, running)}, {arrived:,} documents arrived"
            self._show()

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._bar is None:
            output.note(text)
        else:
            self._bar.console.print(text, markup=False, highlight=False)

    def beat(self) -> None:
        """Time has passed, and nothing else may have happened."""
        with self._showing:
            if self.ended < self.steps:
                self._show()

    def _beats(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_BEATS):
            self.beat()

    def _show(self, due: bool = False) -> None:
        passed_s = self._watch.seconds
        left_s = self._left_s(passed_s)
        running = min(self.side_by_side, self.steps - self.ended)
        notes = [f"{running} side by side"] if running > 1 else []
        notes += [self._note] if self._note else []
        if self._bar is not None:
            left = "" if left_s is None else f"about {_spelled(left_s)} left"
            share = min(float(self.steps), self.ended + self._inside)
            self._bar.update(self._task, total=float(self.steps), completed=share, note="; ".join(notes), left=left)
        elif due or passed_s - self._said >= SECONDS_BETWEEN_LINES:
            self._said = passed_s
            left = "" if left_s is None else f", about {_spelled(left_s)} left"
            so_far = f"{self.what}: {self.ended} of {self.steps} {self.called}, {_spelled(passed_s)}{left}"
            output.note("; ".join([so_far, *notes]))

    def _left_s(self, passed_s: float) -> float | None:
        """What is left: by the simulated time that those on this machine have covered, else by how long those that have
        ended took. None while nothing is known, and when nothing is left."""
        if self.ended >= self.steps:
            return None
        if self._inside:
            share = (self.ended + self._inside) / self.steps
            return passed_s / share - passed_s if share < 1 else None
        if not self.ended:
            return None
        turns = ceil((self.steps - self.ended) / self.side_by_side)
        return max(0.0, turns * self._took / self.ended - (passed_s - self._ended_at))


def _when(simulated_ns: int, running: int) -> str:
    """How far it is; of several, on average."""
    day, minute = divmod(simulated_ns // running // 60_000_000_000, 24 * 60)
    return f"day {day + 1} {minute // 60:02}:{minute % 60:02}" + (" on average" if running > 1 else "")


def _spelled(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    )
