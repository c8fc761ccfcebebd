"""Tickets: who waits for which answer of the machine.

The one place where a request of the outside and its answer are matched. What is answered is the machine's business.
"""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Tickets(Generic[T]):
    """Open tickets, numbered from 1; each is settled once or not at all."""

    def __init__(self) -> None:
        self._open: dict[int, asyncio.Future[T]] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._open)

    def draw(self) -> tuple[int, asyncio.Future[T]]:
        """A new ticket and what to await; whoever stops waiting needs to do nothing."""
        self._last += 1
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        number = self._last
        self._open[number] = answer
        answer.add_done_callback(lambda _: self._open.pop(number, None))
        return number, answer

    def settle(self, ticket: int, value: T) -> None:
        """Answers; a ticket that nobody waits for any more is ignored."""
        answer = self._open.pop(ticket, None)
        if answer is not None and not answer.done():
            answer.set_result(value)

    def fail(self, ticket: int, error: Exception) -> None:
        """Answers with an error."""
        answer = self._open.pop(ticket, None)
        if answer is not None and not answer.done():
            answer.set_exception(error)

    def fail_all(self, error: Exception) -> None:
        """Answers everybody with the same error: the machine that knew them is gone."""
        for ticket in list(self._open):
            self.fail(ticket, error)
