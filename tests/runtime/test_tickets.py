"""Whoever asked gets an answer or an error, once; whoever left needs nothing."""

import asyncio

import pytest

from docaxis.core.errors import OurFault
from docaxis.runtime.tickets import Tickets


async def test_each_ticket_is_settled_for_its_own_holder() -> None:
    """Answers come back in any order."""
    tickets: Tickets[str] = Tickets()
    (one, first), (two, second) = tickets.draw(), tickets.draw()
    tickets.settle(two, "b")
    tickets.fail(one, OurFault("node.busy", ""))
    assert await second == "b"
    with pytest.raises(OurFault):
        await first
    assert len(tickets) == 0


async def test_an_answer_for_nobody_is_dropped() -> None:
    """Clients go away while the machine works; their document is kept all the same."""
    tickets: Tickets[str] = Tickets()
    number, answer = tickets.draw()
    answer.cancel()
    await asyncio.sleep(0)
    assert len(tickets) == 0
    tickets.settle(number, "late")
    tickets.settle(999, "never asked")


async def test_when_the_machine_is_gone_everybody_hears_it() -> None:
    """Nobody waits for an answer that cannot come."""
    tickets: Tickets[str] = Tickets()
    waiting = [tickets.draw()[1] for _ in range(3)]
    tickets.fail_all(OurFault("node.disk-full", "no room"))
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, OurFault) for each in results)
