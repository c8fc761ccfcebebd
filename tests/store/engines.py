"""Every engine of the store with something that outlives its process, so that tests can restart and restore it."""

from pathlib import Path
from typing import Protocol

from docaxis.store import backup
from docaxis.store.base import Life, Store
from docaxis.store.memory import MemoryStore, MemoryTables
from docaxis.store.sqlite import SqliteStore

ENGINES = ("memory", "sqlite")


class Engine(Protocol):
    """One engine with something that outlives its process."""

    @property
    def store(self) -> Store:
        """The store of the process that is alive now."""
        ...

    async def reopen(self, now_ms: int) -> Life:
        """Ends the process that has the store open, and starts the next."""
        ...

    async def restore(self, target: str, now_ms: int) -> Life:
        """Loses everything, and starts from the backup at `target`."""
        ...


class MemoryEngine:
    """Tables that outlive their stores."""

    def __init__(self) -> None:
        self._tables = MemoryTables()
        self.store: MemoryStore = MemoryStore(self._tables)

    async def reopen(self, now_ms: int) -> Life:
        """A new face on the same tables."""
        await self.store.close()
        backups = self.store.backups
        self.store = MemoryStore(self._tables)
        self.store.backups |= backups
        return await self.store.open(now_ms)

    async def restore(self, target: str, now_ms: int) -> Life:
        """New tables from a snapshot."""
        snapshot = self.store.backups[target]
        self._tables = MemoryTables()
        self._tables.restore(snapshot)
        return await self.reopen(now_ms)


class SqliteEngine:
    """A folder for each life of the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._disks = 0
        self.store: SqliteStore = SqliteStore(self._database())

    async def reopen(self, now_ms: int) -> Life:
        """Closes the file and opens it again."""
        await self.store.close()
        self.store = SqliteStore(self._database())
        return await self.store.open(now_ms)

    async def restore(self, target: str, now_ms: int) -> Life:
        """A new disk."""
        await self.store.close()
        self._disks += 1
        backup.restore(Path(target), self._database(), self._database().parent / "blobs")
        self.store = SqliteStore(self._database())
        return await self.store.open(now_ms)

    def _database(self) -> Path:
        folder = self._folder / f"disk-{self._disks}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "node.db"


def make_engine(name: str, folder: Path) -> Engine:
    """The engine of that name."""
    return MemoryEngine() if name == "memory" else SqliteEngine(folder)
