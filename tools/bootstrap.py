"""Bring `.venv` up to date with a lock file, once, so that every launcher can rely on it.

Only the standard library may be used here, because nothing else is installed yet; and no index address may be
named, because where packages come from is the user's own pip configuration. Every package is hash-checked, the build
tools included: docaxis itself is then installed without build isolation, from this tree.

    python3 tools/bootstrap.py node     what a node needs
    python3 tools/bootstrap.py planner  that, and the simulator
    python3 tools/bootstrap.py dev      that, and the checks

An environment never shrinks: one that has the checks keeps them. The stamp is taken away before the packages change and
written after, so that an interrupted attempt is recognised and made afresh, out of pip's cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ENVIRONMENT: Final = ROOT / ".venv"
PYTHON: Final = ENVIRONMENT / "bin" / "python"
STAMP: Final = ENVIRONMENT / "docaxis-stamp.json"
GUARD: Final = ROOT / ".venv.lock"
ROOMS: Final = ("node", "planner", "dev")
"""From the smallest to the largest; each holds what the one before it holds."""
DEBIAN_WHEELS: Final = Path("/usr/share/python-wheels")
LOG_LINES_SHOWN: Final = 25
SECONDS_BETWEEN_SIGNS_OF_LIFE: Final = 10.0

# The parts of pyproject.toml that an editable install copies into the environment.
INSTALLED_TABLES: Final = ("build-system", "project")

Stamp = dict[str, str]


class Refusal(Exception):
    """Something the person at the keyboard can put right; its text says how."""


def say(text: str) -> None:
    """Tell the person at the keyboard; standard output belongs to the command that comes after."""
    print(f"docaxis: {text}", file=sys.stderr, flush=True)


def lock_file(room: str) -> Path:
    """The locked requirements of a room."""
    return ROOT / "tools" / "locks" / f"{room}.txt"


def digest(text: str) -> str:
    """A short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def project_digest() -> str:
    """Name what the editable install took from pyproject.toml, leaving out the settings of tools."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return digest(json.dumps({table: project.get(table) for table in INSTALLED_TABLES}, sort_keys=True))


def wanted(room: str) -> Stamp:
    """The stamp that an environment made now for this room would carry."""
    return {
        "room": room,
        "lock": digest(lock_file(room).read_text(encoding="utf-8")),
        "project": project_digest(),
        "place": str(ROOT),
    }


def found() -> Stamp:
    """The stamp of the environment as it is; empty when there is none or it was not finished."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def room_to_make(asked: str, stamp: Stamp) -> str:
    """The room asked for, or a larger one that the environment already has."""
    return max(asked, stamp.get("room", asked), key=lambda room: ROOMS.index(room) if room in ROOMS else -1)


def works() -> bool:
    """Whether the environment's interpreter starts and finds its packages; not so once the system's was replaced."""
    probe = [str(PYTHON), "-c", "import importlib.util, sys; sys.exit(not importlib.util.find_spec('msgpack'))"]
    try:
        return subprocess.run(probe, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def is_ready(asked: str) -> bool:
    """Whether nothing needs doing; this is the path of every launch but the first."""
    stamp = found()
    return stamp == wanted(room_to_make(asked, stamp)) and works()


@contextmanager
def alone() -> Iterator[None]:
    """Hold the guard: two launches at once must not write into one environment."""
    with GUARD.open("w", encoding="utf-8") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another launch is preparing .venv; waiting for it")
            fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def has(module: str, environment_python: str = sys.executable) -> bool:
    """Whether an interpreter can import a module; asked of a process, because Debian ships only parts of some."""
    probe = [environment_python, "-c", f"import {module}"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def borrowed_pip() -> list[str] | None:
    """A pip outside the environment that can install into it: the system's, or the wheel that Debian ships."""
    if has("pip"):
        return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    wheels = sorted(DEBIAN_WHEELS.glob("pip-*.whl"))
    return [str(PYTHON), str(wheels[-1] / "pip")] if wheels else None


def missing_venv_remedy() -> str:
    """What to type on a machine whose Python came without the parts that make environments."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return (
        f"this Python ({sys.executable}) cannot make environments: ensurepip is missing, and no pip was found.\n"
        f"On Debian or Ubuntu: apt install python3-venv   (or, for this very version: apt install {package})"
    )


def make_environment() -> None:
    """Create an empty environment, without pip when this Python was shipped without ensurepip."""
    with_pip = has("ensurepip")
    if not has("venv") or not (with_pip or borrowed_pip()):
        raise Refusal(missing_venv_remedy())
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    options = [] if with_pip else ["--without-pip"]
    made = subprocess.run(
        [sys.executable, "-m", "venv", *options, str(ENVIRONMENT)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if made.returncode:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        raise Refusal(f"{made.stdout.strip()}\n{missing_venv_remedy()}")


def pip_command() -> list[str]:
    """The pip to install with: the environment's own, or a borrowed one."""
    if has("pip", str(PYTHON)):
        return [str(PYTHON), "-m", "pip"]
    pip = borrowed_pip()
    if pip is None:
        raise Refusal(missing_venv_remedy())
    return pip


def locked_names(room: str) -> list[str]:
    """The packages a lock file pins, in order."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", lock_file(room).read_text(encoding="utf-8"), re.MULTILINE)


def run_pip(arguments: list[str], expected: int) -> None:
    """Run pip, keep its words in a log, show a sign of life now and then, and on failure the end of the log."""
    # PIP_USER would send the packages out of the environment; everything else of the user's settings holds.
    settings = os.environ | {"PIP_USER": "0"}
    command = [*pip_command(), *arguments]
    seen, last_sign, log = 0, time.monotonic(), ENVIRONMENT / "docaxis-install.log"
    with (
        log.open("a", encoding="utf-8") as kept,
        subprocess.Popen(
            command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            kept.write(line)
            seen += line.startswith(("Collecting ", "Requirement already satisfied: "))
            if time.monotonic() - last_sign > SECONDS_BETWEEN_SIGNS_OF_LIFE:
                last_sign = time.monotonic()
                say(f"  {min(seen, expected)} of {expected} packages looked up; still working")
    if pip.returncode:
        tail = "\n".join(log.read_text(encoding="utf-8").splitlines()[-LOG_LINES_SHOWN:])
        raise Refusal(
            f"{tail}\npip stopped (full log: {log.relative_to(ROOT)}). Where packages come from is pip's own setting: "
            "see 'pip config list'.\nPut that right and start again; what was fetched is in pip's cache."
        )


def remove_strangers(room: str) -> None:
    """Uninstall what the lock file no longer names, so that nothing works here by accident."""
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in locked_names(room)}
    keep = names | {"pip", "setuptools", "wheel", "docaxis"}
    listing = subprocess.run(
        [*pip_command(), "list", "--format=json", "--disable-pip-version-check"],
        check=False,
        capture_output=True,
        text=True,
    )
    installed = [item["name"] for item in json.loads(listing.stdout)] if listing.returncode == 0 else []
    strangers = [name for name in installed if re.sub(r"[-_.]+", "-", name).lower() not in keep]
    if strangers:
        say(f"removing what the lock no longer names: {', '.join(strangers)}")
        run_pip(["uninstall", "--yes", *strangers], len(strangers))


def write_stamp(stamp: Stamp) -> None:
    """Say what the environment now holds; whole or not at all."""
    half_written = STAMP.with_suffix(".part")
    half_written.write_text(json.dumps(stamp, indent=2), encoding="utf-8")
    half_written.replace(STAMP)


def install(room: str, old: Stamp) -> None:
    """Install the locked packages if the lock moved, then docaxis itself from this tree."""
    new = wanted(room)
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    if (old.get("room"), old.get("lock")) != (new["room"], new["lock"]):
        count = len(locked_names(room))
        say(f"installing {count} locked packages into .venv; a first run may take a minute or two")
        STAMP.unlink(missing_ok=True)
        # Wheels only: building from source would fetch build tools that no hash covers.
        locked = ["--require-hashes", "--only-binary=:all:", "--requirement", str(lock_file(room))]
        run_pip(["install", *quiet, *locked], count)
        remove_strangers(room)
        write_stamp(new | {"project": ""})
    say("installing docaxis from this tree")
    run_pip(["install", *quiet, "--no-build-isolation", "--no-deps", "--editable", str(ROOT)], 1)
    write_stamp(new)


def prepare(asked: str) -> None:
    """Make the environment fit for a room: nothing, a refresh, or a new one."""
    if is_ready(asked):
        return
    with alone():
        if is_ready(asked):
            return
        stamp = found()
        started = time.monotonic()
        if stamp.get("place") != str(ROOT) or not works():
            if ENVIRONMENT.exists():
                say("the .venv here is unfinished, broken or from elsewhere; it is made afresh")
            say(f"making .venv with Python {sys.version.split()[0]}")
            stamp = {}
            make_environment()
        install(room_to_make(asked, stamp), stamp)
        say(f"ready after {time.monotonic() - started:.0f} seconds")


def main(arguments: list[str]) -> int:
    """Read the room's name, prepare it, and turn a refusal into a message and an exit code."""
    if len(arguments) != 1 or arguments[0] not in ROOMS:
        say(f"usage: python3 tools/bootstrap.py {'|'.join(ROOMS)}")
        return 2
    try:
        prepare(arguments[0])
    except Refusal as refusal:
        say(str(refusal))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next launch begins again, out of pip's cache")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
