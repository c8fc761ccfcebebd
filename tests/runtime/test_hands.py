"""What the hands write down of a round: few documents one by one, many as one line."""

import asyncio
from io import StringIO
from pathlib import Path

from docaxis.cli.serve import open_service
from docaxis.core.effects import Changed
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import State
from docaxis.runtime.hands import LINES_OF_ROUND_MAX, Front, movements
from docaxis.runtime.log import Log
from docaxis.runtime.metrics import Metrics
from tests.runtime.town import Town, submission, until


def changed(count: int, state: State) -> list[Changed]:
    """One document each."""
    return [Changed(DocId(bytes([n]) * 32), PartyId("H49"), state) for n in range(count)]


def test_few_documents_are_told_one_by_one_with_their_ids() -> None:
    """An operator looks for a document by its id."""
    lines = movements(changed(LINES_OF_ROUND_MAX, State.ARRIVED))
    assert len(lines) == LINES_OF_ROUND_MAX
    assert (lines[1].event, lines[1].level) == ("document.changed", "info")
    assert lines[1].fields == {"doc": b"\x01" * 32, "recipient": "H49", "state": "arrived"}


def test_many_documents_of_a_round_are_one_line_with_counts() -> None:
    """A burst must not be slowed by talking about it."""
    (line,) = movements(changed(LINES_OF_ROUND_MAX, State.ARRIVED) + changed(3, State.SENT))
    assert line.event == "documents.changed"
    assert line.fields == {"changes": LINES_OF_ROUND_MAX + 3, "arrived": LINES_OF_ROUND_MAX, "sent": 3}


async def test_a_burst_of_letters_is_one_line() -> None:
    """Handed in at one moment, told at one moment; and where nobody listens, nothing is made."""
    text = StringIO()
    for level in ("info", "warning"):
        front = Front(Log(text, level, "logfmt", lambda: 0, {}), Metrics())
        for _ in range(LINES_OF_ROUND_MAX + 1):
            front.submitted({"doc": "00", "to": ["H49"]})
        await asyncio.sleep(0)
    (line,) = text.getvalue().splitlines()
    assert line.endswith("event=documents.submitted documents=9")


async def test_a_letter_leaves_its_trace_in_the_log(tmp_path: Path) -> None:
    """From the log alone it can be told when it was sent, and when its arrival was heard of."""
    town = Town(tmp_path, ["G22", "H49"])
    text = StringIO()
    async with town.running("H49"):
        service = await open_service(town.folder("G22"), town.settings["G22"], log_to=text)
        await service.start()
        try:
            doc = str((await service.node.submit(submission(["H49"])))["doc"])
            await until(service, DocId(bytes.fromhex(doc)), State.ARRIVED)
        finally:
            await service.stop()
    told = [line for line in text.getvalue().splitlines() if "event=document." in line]
    assert [line.partition("event=")[2] for line in told] == [
        f"document.submitted node=G22 doc={doc} recipients=1",
        f"document.changed node=G22 doc={doc} recipient=H49 state=arrived",
    ]
