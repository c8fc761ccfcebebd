"""A process that commits documents without pause and says which commits have returned, until it is killed.

Started as ``python -m tests.store.committer DATABASE FIRST_NUMBER``; writes one number a line.
"""

import asyncio
import sys
from pathlib import Path

from docaxis.store.sqlite import SqliteStore
from tests.store.making import NOW_MS, make

AT_ONCE = 4


async def run(database: Path, first: int) -> None:
    """Several commits wait at any time, so that the kill falls into groups of them."""
    store = SqliteStore(database)
    await store.open(NOW_MS)

    async def commit_every(number: int) -> None:
        while True:
            made = make(number)
            await store.commit([*made.submitted(), made.statement(1), made.change()])
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
            number += AT_ONCE

    await asyncio.gather(*(commit_every(first + place) for place in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
