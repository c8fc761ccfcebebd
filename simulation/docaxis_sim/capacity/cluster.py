"""Cluster: the way to machines that a Dask scheduler holds together; the only importer of `distributed`.

It hands out the one interface that local processes have too. Every machine needs the same docaxis with its extra
`cluster`; nothing else is expected of it, no shared folder either. A scheduler and its workers do whatever they are
told by anybody who reaches them: keeping others away (networks, ``tls://`` with certificates) is Dask's and its
operator's matter, and Dask's own settings for it hold here.
"""

import re
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final

from docaxis_sim.capacity import edition

SECONDS_TO_CONNECT: Final = 10
_ADDRESS: Final = re.compile(r"[a-z]+://[^\s/]+:([0-9]{1,5})/?", re.ASCII)


class NoCluster(Exception):
    """There is no cluster to work on; says why."""


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor for the workers of the scheduler at an address such as ``tcp://10.0.0.5:8786``, and how many tasks
    they take at once. Raises `NoCluster`, also where a worker's simulator is not the same as this one."""
    _expect_address(address)
    client = _client(address)
    executor = client.get_executor(pure=False)
    try:
        _expect_workers(client, address)
        yield executor, sum(client.nthreads().values())
    except BaseException:
        executor.shutdown(wait=False)  # which takes back what has not begun
        raise
    finally:
        client.close()


def _expect_address(address: str) -> None:
    """Dask takes a word for one of its own ways to find a scheduler, and trips over it."""
    found = _ADDRESS.fullmatch(address)
    if not found or not 0 < int(found[1]) < 2**16:
        raise NoCluster(f"{address!r} is no address of a scheduler: write tcp://HOST:PORT, such as tcp://10.0.0.5:8786")


def _client(address: str) -> Any:
    try:
        import distributed  # noqa: PLC0415 - needed on request only, and takes seconds to load
    except ImportError as error:
        raise NoCluster("a cluster needs the package distributed (pip install 'docaxis[cluster]')") from error
    try:
        client: Any = distributed.Client
        return client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # the last two: tls:// without certificates
        raise NoCluster(f"no scheduler answers at {address}: {error}") from error


def _expect_workers(client: Any, address: str) -> None:
    """The first may still be starting; all that are there must have this simulator."""
    try:
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        found = client.run(edition.deciding, on_error="return")
    except OSError as error:
        raise NoCluster(f"the scheduler at {address} has no workers: {error}") from error
    here = edition.deciding()
    for worker, there in found.items():
        if not isinstance(there, dict):
            raise NoCluster(f"the worker {worker} has no simulator such as this one (docaxis[cluster]): {there}")
        if there != here:
            raise NoCluster(f"the worker {worker} has another simulator: {edition.difference(there, here)}")
