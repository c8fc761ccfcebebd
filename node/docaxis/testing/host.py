"""One process that runs the nodes in the folders it is given, until it is told to stop.

Started as `python -m docaxis.testing.host FOLDER…`, for demonstrations, benchmarks and tests with many nodes; an
agency runs `docaxis node run`. It prints ``serves`` for each node that serves and ``ready`` once all do, and leaves
everything else to them.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from docaxis.cli.serve import Service, open_service, tune_interpreter
from docaxis.core.errors import DocaxisError, OurFault
from docaxis.runtime import config
from docaxis.runtime.perform import SEAMS, Probe


class DieAt:
    """Ends the whole process by SIGKILL when the loops of its nodes have reached a seam between effects so often.

    `where` names the seam (see `docaxis.runtime.perform.Probe`) and the time: ``then:3`` is before the third act.
    Raises `OurFault` ``node.config`` for anything else.
    """

    def __init__(self, where: str) -> None:
        self._seam, _, times = where.partition(":")
        if self._seam not in SEAMS or not times.isdecimal() or int(times) < 1:
            raise OurFault("node.config", f"--die-at takes a seam ({', '.join(SEAMS)}) and a number: then:3")
        self._left = int(times)

    def reached(self, seam: str) -> None:
        """The loop of one node is at `seam`."""
        self._left -= seam == self._seam
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def host(folders: Sequence[Path], probe: Probe | None = None) -> None:
    """Runs the nodes; raises what the first of them died of."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    services: list[Service] = []

    try:
        for folder in folders:
            services.append(await open_service(folder, config.load(folder, os.environ).settings, probe=probe))
            await services[-1].start()
            _say("serves")
            if stop.is_set():
                return
        tune_interpreter()
        _say("ready")
        lives = [asyncio.create_task(service.node.wait(), name=str(service.folder)) for service in services]
        asked = asyncio.create_task(stop.wait())
        await asyncio.wait((asked, *lives), return_when=asyncio.FIRST_COMPLETED)
        for task in (asked, *lives):
            task.cancel()
    finally:
        await asyncio.gather(*(service.stop() for service in services))


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> int:
    """Runs until SIGTERM, or until ``--die-at``."""
    parser = argparse.ArgumentParser(prog="python -m docaxis.testing.host", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a node's folder")
    parser.add_argument("--die-at", metavar="SEAM:N", help="end by SIGKILL at the Nth seam of that name: then:3")
    arguments = parser.parse_args()
    try:
        probe = DieAt(arguments.die_at) if arguments.die_at else None
        import uvloop  # noqa: PLC0415 - only hosts need it

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(host(arguments.folders, probe))
    except DocaxisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
