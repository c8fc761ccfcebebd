"""Cluster: the way to machines that a Dask scheduler holds together; the only importer of `distributed`.

It hands out the one interface that local processes have too. Every machine needs the same docaxis with its extra
`cluster`; nothing else is expected of it, no shared folder either.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final

SECONDS_TO_CONNECT: Final = 10


class NoCluster(Exception):
    """There is no cluster to work on; says why."""


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor for the workers of the scheduler at an address such as ``tcp://10.0.0.5:8786``, and how many tasks
    they take at once. Raises `NoCluster`."""
    client = _client(address)
    executor = client.get_executor(pure=False)
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            raise NoCluster(f"the scheduler at {address} has no workers")
        yield executor, threads
    except BaseException:
        executor.shutdown(wait=False)  # which takes back what has not begun
        raise
    finally:
        client.close()


def _client(address: str) -> Any:
    try:
        import distributed  # noqa: PLC0415 - needed on request only, and takes seconds to load
    except ImportError as error:
        raise NoCluster("a cluster needs the package distributed (pip install 'docaxis[cluster]')") from error
    try:
        client: Any = distributed.Client
        return client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoCluster(f"no scheduler answers at {address}: {error}") from error
