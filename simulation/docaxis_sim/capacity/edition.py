"""Edition: which simulator this is: versions of what decides its results, a digest of its source, the commit it is of.

Reads files and starts no program. What cannot be known is said to be none; nothing here is guessed.
"""

import hashlib
import platform
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import docaxis
import docaxis_sim
from docaxis_sim.capacity.shipped import shipped

PACKAGES: Final = ("docaxis", "simpy", "networkx", "numpy", "numba")
"""Whose versions a study names."""

NONE: Final = "none"

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def versions() -> dict[str, str]:
    """Of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@lru_cache(maxsize=1)
def source() -> str:
    """The beginning of a SHA-256 over every module of docaxis and of the simulator, and over the country's tables: the
    same wherever they lie, another one after any edit."""
    sha = hashlib.sha256()
    for name, content in _files():
        sha.update(f"\0{name}\0{hashlib.sha256(content).hexdigest()}".encode())
    return sha.hexdigest()[:32]


def _files() -> Iterator[tuple[str, bytes]]:
    packages = (Path(docaxis.__file__).parent, Path(docaxis_sim.__file__).parent)
    for folder, pattern in (*((each, "*.py") for each in packages), (shipped() / "data", "*.csv")):
        for file in sorted(folder.rglob(pattern)):
            yield f"{folder.name}/{file.relative_to(folder).as_posix()}", file.read_bytes()


def provenance() -> dict[str, str]:
    """What a study says about its simulator: versions, the source's digest, the commit."""
    return versions() | {"source": source(), "commit": commit(checkout())}


def deciding() -> dict[str, str]:
    """What two machines must have in common so that both find the same: the same source and libraries, and Pythons that
    differ in no more than their corrections."""
    found = versions()
    return found | {"python": found["python"].rpartition(".")[0], "source": source()}


def digest() -> str:
    """SHA-256 over what is deciding."""
    return hashlib.sha256(repr(sorted(deciding().items())).encode()).hexdigest()


def difference(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """What another machine has otherwise, in words; empty if nothing."""
    names = sorted(name for name in {*there, *here} if there.get(name) != here.get(name))
    return ", ".join(f"{name} {there.get(name, NONE)} instead of {here.get(name, NONE)}" for name in names)


def checkout() -> Path | None:
    """The folder of the repository that the simulator is used from; None where it was installed."""
    package = Path(docaxis_sim.__file__).resolve().parent
    return package.parents[1] if package.parent.name == "simulation" else None


def commit(root: Path | None) -> str:
    """The commit that is checked out in a folder, by what Git keeps there; `NONE` where that says none. Whether files
    were edited since is told by `source` alone.

    Where: gitrepository-layout(5), for branches, packed references, detached heads and further working trees."""
    try:
        found = _head(root) if root is not None else NONE
    except (OSError, UnicodeDecodeError):
        return NONE
    return found if _COMMIT.fullmatch(found) else NONE


def _head(root: Path) -> str:
    own = root / ".git"
    if own.is_file():
        own = root / own.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    head = (own / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    shared = own / "commondir"
    common = own / shared.read_text(encoding="utf-8").strip() if shared.is_file() else own
    loose = common / name
    return loose.read_text(encoding="utf-8").strip() if loose.is_file() else _packed(common, name)


def _packed(common: Path, name: str) -> str:
    lines = (common / "packed-refs").read_text(encoding="utf-8").splitlines()
    return next((each.split()[0] for each in lines if each.split()[1:] == [name]), NONE)
