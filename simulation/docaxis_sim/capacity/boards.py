"""Boards: where processes of one machine write how far each of them is, and whoever waits for them reads it.

Numbers in shared memory, nothing else: what is written changes nothing that is computed, and who reads a moment too
early reads what was true a moment ago.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Final

_WIDTH: Final = 2
"""Simulated time in ns, and deliveries that have arrived."""

_MINE: list[Any] = []
"""In a worker: the cells of the board, and where its own begin."""


class Board:
    """Two whole numbers for each of some workers."""

    def __init__(self, workers: int) -> None:
        context = get_context("spawn")
        self.cells = context.Array("q", _WIDTH * workers, lock=False)
        self.taken = context.Value("i", 0)

    def sums(self) -> tuple[int, int]:
        """Of all workers together: simulated ns of what they have begun, and how many deliveries arrived in it."""
        cells = list(self.cells)
        return sum(cells[::_WIDTH]), sum(cells[1::_WIDTH])

    @staticmethod
    def take_place(cells: Any, taken: Any) -> None:
        """What each worker does first: it takes the next two cells as its own."""
        with taken.get_lock():
            place = taken.value
            taken.value += 1
        _MINE[:] = [cells, _WIDTH * place]


@contextmanager
def told_here() -> Iterator[Callable[[int, int], None] | None]:
    """In a worker with a place: what to tell it about a run. What it wrote is gone when the run has ended."""
    if not _MINE:
        yield None
        return
    cells, place = _MINE

    def write(simulated_ns: int, arrived: int) -> None:
        cells[place : place + _WIDTH] = [simulated_ns, arrived]

    try:
        yield write
    finally:
        write(0, 0)
