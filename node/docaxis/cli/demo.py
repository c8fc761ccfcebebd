"""`docaxis demo`: the opening of the axis, replayed by real nodes on this machine.

Reads the script and the list of agencies, shows what happens, prints what it came to. Nothing about documents is
decided or counted here.
"""

import argparse
import asyncio
import csv
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from rich.console import Console
from rich.table import Table

from docaxis.core.errors import OurFault
from docaxis.runtime.clock import SystemClock
from docaxis.testing.ground import Agency, make_ground
from docaxis.testing.opening import Opening, Outcome, summary
from docaxis.testing.script import load
from docaxis.testing.show import Seconds, Show

HERE: Final = Path(__file__).resolve()
SCENARIOS: Final = HERE.parents[3] / "scenarios"
"""They lie beside the source; a wheel does not carry them."""
_UNITS: Final = {"seconds": "seconds, all together", "rss_mb_total": "MB resident, all nodes"}
"""Figures whose name alone does not say what they count, as people read them."""

DESCRIPTION: Final = """\
Replay the opening of the axis, 12 March 2019, with real nodes on this machine: 95 agencies with their own keys,
certificates and databases exchange one decision over HTTPS; one is off and comes back, one refuses, one letter is
recalled, three attacks are refused. Everything is then counted from the nodes' databases and from signatures.
"""
EXAMPLES: Final = """\
examples:
  docaxis demo                      replay the opening with all 95 agencies
  docaxis demo --processes 95       every node in a process of its own (needs about 6 GB)
  docaxis demo --keep axis          keep directory, nodes and evidence in the folder axis, to look at
  docaxis demo --json | tail -1     one JSON object, for scripts; exit code 1 if anything is not as it must be
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "demo",
        help="replay the opening of the axis with 95 real nodes on this machine",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="processes to host the nodes (default 2)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything in this new folder")
    parser.add_argument(
        "--script", type=Path, metavar="FILE", help="another script than scenarios/opening/opening.toml"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object last; progress goes to stderr")
    parser.set_defaults(handler=handle)


def handle(arguments: argparse.Namespace) -> int:
    """Runs it; 0 if everything is as it must be, else 1."""
    if not SCENARIOS.is_dir():
        raise OurFault(
            "node.config", "the demonstration needs the folder scenarios: run it from a clone, with ./tools/demo"
        )
    if arguments.processes < 1:
        raise OurFault("node.config", "--processes takes a whole number from 1")
    script = load(arguments.script or SCENARIOS / "opening" / "opening.toml")
    agencies = _agencies(SCENARIOS / "data" / "vietnam" / "agencies.csv")
    console = Console(stderr=True)
    seconds = Seconds(SystemClock().ticks_ms)
    show = Show(console, _names(agencies), seconds)
    stopping = Interrupt(lambda: show.step("stopping …", "đang dừng"))
    with stopping, _folder(arguments.keep) as folder, show:
        show.step(f"key ceremony: a directory of {len(agencies)} agencies, root of 2 of 3 officers", "lập danh bạ")
        ground = make_ground(folder, agencies)
        outcome = stopping.run(Opening(ground, script, arguments.processes, show).run())
    found = summary(outcome, len(agencies), seconds())
    _print(console, outcome, found, arguments.keep, (*script.handled, script.refusing))
    if arguments.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    return 1 if outcome.complaints else 0


class Interrupt:
    """The first Ctrl-C, or signal to end, is answered at once by `say` and ends what runs by `KeyboardInterrupt`; the
    next ones cannot keep it from ending its processes and removing its folder."""

    SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self, say: Callable[[], None]) -> None:
        self._say = say
        self._before: dict[signal.Signals, Any] = {}
        self._cancel: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._first) for each in self.SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)

    def run(self, play: Coroutine[Any, Any, Outcome]) -> Outcome:
        """What `play` comes to, in a loop of its own."""
        try:
            return asyncio.run(self._watched(play))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    async def _watched(self, play: Coroutine[Any, Any, Outcome]) -> Outcome:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = lambda: _wake(loop, self._say, task.cancel)
        try:
            return await play
        finally:
            self._cancel = None

    def _first(self, *_: object) -> None:
        for each in self.SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        if self._cancel is not None:
            self._cancel()
        else:
            self._say()
            raise KeyboardInterrupt


def _wake(loop: asyncio.AbstractEventLoop, *calls: Callable[[], object]) -> None:
    for call in calls:
        loop.call_soon_threadsafe(call)


def _agencies(path: Path) -> dict[str, Agency]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {row["code"]: Agency(row["code"], row["name_vi"], row["name_en"], row["kind"]) for row in rows}


def _names(agencies: dict[str, Agency]) -> dict[str, str]:
    return {code: agency.name_vi for code, agency in agencies.items()}


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="docaxis-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _print(
    console: Console, outcome: Outcome, found: dict[str, Any], keep: Path | None, watched: Sequence[str]
) -> None:
    table = Table(title="The opening of the axis · Khai trương trục liên thông văn bản quốc gia", title_justify="left")
    table.add_column("counted from the nodes' databases and verified signatures")
    table.add_column("", justify="right")
    for name, shown in readable(found):
        table.add_row(name, shown)
    console.print(table)
    console.print("docaxis verify, in a process that has only the root keys:", style="bold")
    for line in excerpt(outcome.timeline, watched):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    for complaint in outcome.complaints:
        console.print(f"✗ {complaint}", style="bold red")
    if keep is not None:
        console.print(f"kept in {keep}: directory, nodes, auditor/timeline.txt", style="grey62")


def readable(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The figures as rows of a table; what is empty is left out, nought is said."""
    for name, value in found.items():
        if value in ([], {}):
            continue
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {count}" for key, count in value.items())
        else:
            shown = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        yield _UNITS.get(name, name.replace("_", " ")), shown


def excerpt(timeline: str, watched: Sequence[str]) -> Iterator[str]:
    """Of the verdict on evidence the summary, and of the histories those of some parties; a verdict that it does not
    hold is shown whole."""
    summary, *histories = timeline.strip().split("\n\n")
    yield from summary.splitlines()
    shown = [each for each in histories if each.startswith(tuple(f"{code} " for code in watched))]
    for history in shown:
        yield ""
        yield from history.splitlines()
    if len(shown) < len(histories):
        yield ""
        yield f"… and {len(histories) - len(shown)} more recipients"
