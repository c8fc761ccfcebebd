"""What a spectator of the demonstration sees: steps as they happen, and every agency with its state.

Drawing only. On a terminal the table is alive; elsewhere each step is one line.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from docaxis.core.lifecycle import VIETNAMESE, State

_COLOURS: Final = {
    State.SENT: "grey50", State.HELD: "yellow", State.EXPIRED: "red", State.ARRIVED: "cyan", State.REFUSED: "red",
    State.RECEIVED: "blue", State.ASSIGNED: "blue", State.PROCESSING: "magenta", State.COMPLETED: "green",
    State.RECOVERED: "yellow",
}  # fmt: skip
_MARKS: Final = {
    State.SENT: "·", State.HELD: "…", State.EXPIRED: "!", State.ARRIVED: "1", State.REFUSED: "2", State.RECEIVED: "3",
    State.ASSIGNED: "4", State.PROCESSING: "5", State.COMPLETED: "6", State.RECOVERED: "R",
}  # fmt: skip
STEPS_SHOWN: Final = 14
PARTS_TOLD: Final = 4
"""Where nothing can be drawn again, progress is told in so many lines."""


class Show:
    """Draws to `console`; use it as a context manager. `seconds` gives the time since the beginning."""

    def __init__(self, console: Console, agencies: Mapping[str, str], seconds: "Seconds") -> None:
        self._console = console
        self._agencies = agencies
        self._seconds = seconds
        self._steps: list[Text] = []
        self._progress: list[Text] = []
        self._states: dict[str, State] = {}
        self._live = Live(console=console, refresh_per_second=8, transient=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def step(self, english: str, vietnamese: str = "") -> None:
        """One thing has happened, or begins."""
        self._say(self._line(english, vietnamese))

    def progress(self, ready: int, of: int) -> None:
        """So many nodes are ready; the next step takes the place of this line."""
        line = self._line(f"{ready} of {of} ready", "sẵn sàng")
        if self._live is None and (ready * PARTS_TOLD // of) > ((ready - 1) * PARTS_TOLD // of):
            self._console.print(line, soft_wrap=True)
        self._progress = [line]
        self._draw()

    def attack(self, what: str, code: str) -> None:
        """An attack and how it was answered."""
        line = Text(f"{self._seconds():5.1f} s  ", style="grey50").append(f"✗ {what}: ", style="bold red")
        self._say(line.append(f"refused, {code}", style="red"))

    def states(self, states: Mapping[str, State]) -> None:
        """Where the decision is at each agency."""
        self._states = dict(states)
        self._draw()

    def _line(self, english: str, vietnamese: str) -> Text:
        line = Text(f"{self._seconds():5.1f} s  ", style="grey50").append(english, style="bold")
        return line.append(f" · {vietnamese}", style="grey62") if vietnamese else line

    def _say(self, line: Text) -> None:
        self._progress = []
        if self._live is None:
            self._console.print(line, soft_wrap=True)
        self._steps = [*self._steps, line][-STEPS_SHOWN:]
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            table = (self._counts(), self._grid()) if self._states else ()
            self._live.update(Group(*self._steps, *self._progress, *table))

    def _counts(self) -> Table:
        table = Table.grid(padding=(0, 2))
        counts = Counter(self._states.values())
        cells = [
            Text(f"{_MARKS[state]} {state.name.lower()} · {VIETNAMESE[state]}: {counts[state]}", style=_COLOURS[state])
            for state in State
            if counts[state]
        ]
        table.add_row(*cells)
        return table

    def _grid(self) -> Columns:
        return Columns(
            [
                Text(f"{code} {_MARKS[self._states[code]]}", style=_COLOURS[self._states[code]])
                if code in self._states
                else Text(f"{code} ★", style="bold white")
                for code in self._agencies
            ],
            padding=(0, 2),
            equal=True,
        )


class Seconds:
    """Seconds since it was made, by a clock that is handed in."""

    def __init__(self, ticks_ms: Callable[[], float]) -> None:
        self._ticks_ms = ticks_ms
        self._begun_ms = ticks_ms()

    def __call__(self) -> float:
        """The seconds until now."""
        return (self._ticks_ms() - self._begun_ms) / 1000
