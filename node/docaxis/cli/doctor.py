"""The doctor: looks at a node's settings, keys, directory, clock, disk and peers, and says what to do.

It measures and explains, and changes nothing but a probe file that it removes. Whether the node runs does not matter.
"""

import asyncio
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.core.addresses import Book
from docaxis.core.errors import DocaxisError
from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS, MIB, MINUTE_MS
from docaxis.core.trust import Freshness, freshness
from docaxis.directory.repository import Repository
from docaxis.runtime import config
from docaxis.runtime import folder as places
from docaxis.runtime.clock import SystemClock
from docaxis.runtime.config import Settings
from docaxis.runtime.disk import Disk
from docaxis.runtime.listed import Papers, listing
from docaxis.runtime.sources import nothing_known
from docaxis.seal.keys import key_id, load_ed25519, public_ed25519, read_private
from docaxis.transport.client import PeerClient
from docaxis.transport.tls import Identity, PeerTls

LEVELS: Final = {"ok": 0, "finding": 1, "broken": 2}
PEERS_CALLED_MAX: Final = 5
PEER_ANSWER_S_MAX: Final = 10.0
CLOCK_APART_MS_MAX: Final = MINUTE_MS
ENDS_SOON_MS: Final = 30 * DAY_MS
FSYNC_PROBES: Final = 20
FSYNC_MS_MAX: Final = 20.0
_PROBE_BYTES: Final = 4096


class Finding(NamedTuple):
    """One look: what was looked at, how it is (a key of `LEVELS`), what was seen, and what to do about it."""

    check: str
    level: str
    seen: str
    remedy: str = ""


class Greeting(NamedTuple):
    """A peer that was called: how far its clock is ahead of ours, or what went wrong."""

    party: PartyId
    ahead_ms: int
    failure: str


def examine(folder: Path, environment: Mapping[str, str], peers: Sequence[str]) -> list[Finding]:
    """Everything the doctor finds, in the order in which it should be read."""
    clock = SystemClock()
    try:
        settings, origins = config.load(folder, environment)
    except DocaxisError as error:
        return [Finding("configuration", "broken", error.detail.strip(), error.known.remedy)]
    findings = [_configuration(folder, settings, origins)]
    findings += _private_files(folder)
    findings += disk_findings(folder, settings, clock)
    book, seen = _directory(folder, clock)
    findings += [*seen, *_sources(settings, book)]
    try:
        passphrase = _passphrase(folder, environment)
        findings.append(_keys(folder, PartyId(settings.node.id), book, passphrase, clock.now_ms()))
    except DocaxisError as error:
        return [*findings, Finding("keys", "broken", error.detail, error.known.remedy)]
    return findings + asyncio.run(_peers(folder, settings, passphrase, book, peers, clock))


def _passphrase(folder: Path, environment: Mapping[str, str]) -> str | None:
    from docaxis.cli.serve import passphrase_of

    return passphrase_of(folder, environment)


def _configuration(folder: Path, settings: Settings, origins: Mapping[str, str]) -> Finding:
    changed = [f"{key} ({origin})" for key, origin in origins.items() if origin != "default"]
    seen = f"{len(origins)} settings, not default: {', '.join(changed)}"
    if not settings.peers.endpoint:
        return Finding("configuration", "finding", seen, "Name peers.endpoint, or peers cannot call this node.")
    return Finding("configuration", "ok", seen)


def _sources(settings: Settings, book: Book) -> Iterator[Finding]:
    """A node without a source gets its first directory from nobody, and a newer one at most from its peers."""
    if settings.directory.sources:
        return
    remedy = "Name where the directory is, in docaxis.toml; its officers know the address."
    if book.version and settings.directory.ask_peers:
        yield Finding("sources", "finding", "directory.sources is empty; only peers renew the directory", remedy)
    else:
        yield Finding("sources", "broken", "directory.sources is empty: this node never gets a directory", remedy)


def _private_files(folder: Path) -> Iterator[Finding]:
    for name in places.PRIVATE:
        try:
            read_private(folder / name)
        except DocaxisError as error:
            yield Finding(f"private file {name}", "broken", error.detail, f"chmod 600 {folder / name}, or put it back.")
    if os.stat(folder).st_mode & 0o022:
        yield Finding("folder", "finding", f"{folder} can be written by others", f"chmod go-w {folder}")


def disk_findings(folder: Path, settings: Settings, clock: SystemClock) -> Iterator[Finding]:
    """Free space, and how long the disk takes to make a write durable."""
    disk = Disk(folder, settings.disk.reserve_mib * MIB, clock)
    free_mib = disk.free_bytes() // MIB
    if disk.has_room():
        yield Finding("disk space", "ok", f"{free_mib} MiB free, {settings.disk.reserve_mib} MiB in reserve")
    else:
        yield Finding(
            "disk space", "broken", f"{free_mib} MiB free, below disk.reserve_mib = {settings.disk.reserve_mib}",
            "Free space: the node accepts nothing new until then.",
        )  # fmt: skip
    median_ms = fsync_ms(folder, clock.ticks_ms)
    slow = median_ms > FSYNC_MS_MAX
    remedy = (
        "Every document waits for this: use a local disk with a write cache that survives a power cut." if slow else ""
    )
    yield Finding("disk sync", "finding" if slow else "ok", f"median {median_ms:.2f} ms for 4 KiB", remedy)


def fsync_ms(folder: Path, ticks_ms: Callable[[], float]) -> float:
    """Median time, in ms, of making 4 KiB durable in this folder."""
    path = folder / f".doctor.{os.getpid()}"
    taken: list[float] = []
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for _ in range(FSYNC_PROBES):
            begun_ms = ticks_ms()
            os.write(handle, bytes(_PROBE_BYTES))
            os.fdatasync(handle)
            taken.append(ticks_ms() - begun_ms)
    finally:
        os.close(handle)
        path.unlink()
    return statistics.median(taken)


def _directory(folder: Path, clock: SystemClock) -> tuple[Book, list[Finding]]:
    remedy = "Put the root file that the directory's officers give you there."
    try:
        root = (folder / places.ROOT).read_bytes()
    except OSError as error:
        return nothing_known(), [Finding("directory", "broken", f"{folder / places.ROOT}: {error.strerror}", remedy)]
    book = Repository.open(folder / places.DIRECTORY, root, clock.now_ms()).book
    if book is None:
        seen = "no directory has been verified yet"
        return nothing_known(), [Finding("directory", "finding", seen, "Start the node; it fetches one from a source.")]
    step = freshness(book.verified_ms, clock.now_ms())
    age_h = max(0, clock.now_ms() - book.verified_ms) // (60 * MINUTE_MS)
    seen = f"version {book.version}, verified {age_h} h ago ({step.name.lower()})"
    if step is Freshness.FRESH:
        return book, [Finding("directory", "ok", seen)]
    level = "broken" if step is Freshness.EXPIRED else "finding"
    return book, [Finding("directory", level, seen, "See that a source of directory.sources can be reached.")]


def _keys(folder: Path, me: PartyId, book: Book, passphrase: str | None, now_ms: int) -> Finding:
    """Whether the directory lists what this node signs with and shows, and for how long."""
    from docaxis.cli.serve import certificate_of

    public = public_ed25519(load_ed25519(folder / places.SIGNING_KEY, passphrase))
    certificate = certificate_of(folder, me)
    found = listing(Papers(me, key_id(public), certificate), book, now_ms)
    hand_in = f"Hand {folder / places.ENTRY} to the directory's officers"
    if book.version == 0 or (found.code == "party.unknown" and book.entry(me) is None):
        return Finding("entry", "finding", found.detail, f"{hand_in}.")
    if found.code == "party.revoked":
        return Finding("entry", "broken", found.detail, "Make new keys (see the manual), and have the entry renewed.")
    if found.code:
        return Finding("entry", "broken", found.detail, f"{hand_in}, who renew the entry: peers refuse this node.")
    seen = f"key {key_id(public).hex()} and certificate are listed"
    if found.ends_ms and found.ends_ms - now_ms < ENDS_SOON_MS:
        days = (found.ends_ms - now_ms) // DAY_MS
        return Finding("entry", "finding", f"{seen}, for {days} days more", "Make new keys, and have them listed.")
    return Finding("entry", "ok", seen)


async def _peers(
    folder: Path, settings: Settings, passphrase: str | None, book: Book, wanted: Sequence[str], clock: SystemClock
) -> list[Finding]:
    me = PartyId(settings.node.id)
    chosen = [book.resolve(each) for each in wanted] or [each for each in book.parties if each != me][:PEERS_CALLED_MAX]
    if not chosen:
        nobody = Finding("peers", "finding", "the directory names no peer to call", "Fetch a directory first.")
        return [nobody, *_clock(())]
    tls = PeerTls(Identity(me, folder / places.TLS_CERTIFICATE, folder / places.TLS_KEY, passphrase), _ignored)
    await tls.adopt(book, [entry for each in book.parties if (entry := book.entry(each)) is not None])
    async with AsyncExitStack() as stack:
        client = PeerClient(tls)
        stack.push_async_callback(client.close)
        greetings = await asyncio.gather(*(_greet(client, book, each, clock) for each in chosen))
    return [*(_reached(each) for each in greetings), *_clock(greetings)]


def _ignored(peer: str, code: str, detail: str) -> None:
    """What TLS refuses shows in the greeting's own failure."""


async def _greet(client: PeerClient, book: Book, party: PartyId, clock: SystemClock) -> Greeting:
    entry = book.entry(party)
    begun_ms = clock.now_ms()
    try:
        async with asyncio.timeout(PEER_ANSWER_S_MAX):
            said = await client.hello(party, entry.endpoints if entry is not None else ())
    except DocaxisError as error:
        return Greeting(party, 0, str(error))
    except TimeoutError:
        return Greeting(party, 0, "no answer in time")
    time_ms = said.get("time_ms")
    middle_ms = (begun_ms + clock.now_ms()) // 2
    return Greeting(party, time_ms - middle_ms if type(time_ms) is int else 0, "")


def _reached(greeting: Greeting) -> Finding:
    if not greeting.failure:
        return Finding(f"peer {greeting.party}", "ok", "answers")
    remedy = "If others answer, it is theirs to mend; if none does, look at network, firewall and your entry."
    return Finding(f"peer {greeting.party}", "finding", greeting.failure, remedy)


def _clock(greetings: Sequence[Greeting]) -> Iterator[Finding]:
    ahead = [greeting.ahead_ms for greeting in greetings if not greeting.failure]
    if not ahead:
        yield Finding("clock", "finding", "not compared, no peer answered", "Look at it yourself, or try again later.")
        return
    median_ms = round(statistics.median(ahead))
    seen = f"{abs(median_ms)} ms {'behind' if median_ms > 0 else 'ahead of'} the median of {len(ahead)} peers"
    wrong = abs(median_ms) > CLOCK_APART_MS_MAX
    remedy = "Set the clock and keep it by NTP: statements carry this time, and deadlines follow it." if wrong else ""
    yield Finding("clock", "finding" if wrong else "ok", seen, remedy)


def show(findings: Sequence[Finding]) -> None:
    """The findings for people, what to do under each."""
    marks = {"ok": "ok     ", "finding": "LOOK   ", "broken": "BROKEN "}
    for finding in findings:
        print(f"{marks[finding.level]} {finding.check}: {finding.seen}")
        if finding.remedy:
            print(f"         → {finding.remedy}")
