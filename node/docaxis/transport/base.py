"""What both sides of the peer protocol share: paths, media types, bounds, and what a server needs of its node.

Constants and protocols only; no socket is opened here. Specification: ``node/docs/spec/transport.md``.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from docaxis.core import limits
from docaxis.core.addresses import Book
from docaxis.core.ids import DocId, PartyId
from docaxis.core.wire import Batch

IN: Final = "/v1/in/"
CONTENT: Final = "/v1/content/"
DIRECTORY: Final = "/v1/directory/"
HELLO: Final = "/v1/hello"

MEDIA_BATCH: Final = "application/vnd.docaxis.batch"
MEDIA_REPLY: Final = "application/vnd.docaxis.reply"
MEDIA_BYTES: Final = "application/octet-stream"
MEDIA_JSON: Final = "application/json"
MEDIA_PROBLEM: Final = "application/problem+json"  # RFC 9457 §6.1

DIGEST_BYTES: Final = 32
HELLO_BYTES_MAX: Final = 64 * limits.KIB
PROBLEM_BYTES_MAX: Final = 8 * limits.KIB
RETRY_AFTER_S_MAX: Final = 86_400

# Names of repository files: at most four plain segments; nothing that a file system could read as a way out.
DIRECTORY_NAME_CHARS_MAX: Final = 240
_DIRECTORY_NAME: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}/){0,3}[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}\Z")


def is_directory_name(name: str) -> bool:
    """Whether this may be the name of a repository file."""
    return len(name) <= DIRECTORY_NAME_CHARS_MAX and _DIRECTORY_NAME.match(name) is not None


class ServerSettings(NamedTuple):
    """Bounds of the peer listener. A peer is one certificate; whoever shows none is `anonymous`, all of them together.

    Durations in seconds: for the TLS handshake, for the head of a request, for its body, for a request as a whole
    until its last byte of answer is taken, for idle connections, for reading away what was refused, and between two
    looks at all connections.
    """

    connections_max: int = 4_096
    connections_per_peer_max: int = 32
    connections_anonymous_max: int = 128
    requests_max: int = 256
    requests_per_peer_max: int = 16
    head_bytes_max: int = 2_048
    headers_max: int = 32
    handshake_s: float = 10.0
    head_s: float = 10.0
    body_s: float = 30.0
    request_s: float = 120.0
    idle_s: float = 360.0
    linger_s: float = 1.0
    sweep_s: float = 1.0


class ClientSettings(NamedTuple):
    """Bounds of the client. `answer_s` is what a peer may take for an answer beyond `bytes_per_s_min` of body;
    `handshakes_per_s` with its burst spares the processor when every peer is called at once."""

    connect_s: float = 5.0
    answer_s: float = 30.0
    bytes_per_s_min: int = 64 * limits.KIB
    idle_s: float = 300.0
    connections_max: int = limits.FLIGHTS_MAX
    connections_per_peer_max: int = limits.WINDOW_MAX + 1
    bulk_connections_max: int = limits.FETCHES_MAX
    bulk_connections_per_peer_max: int = 4
    handshakes_per_s: float = 20.0
    handshakes_burst: int = 100


class PeerService(Protocol):
    """What the listener needs of its node. Every refusal is a `DocaxisError`; its code is what the peer learns."""

    @property
    def book(self) -> Book:
        """The directory snapshot in force, asked for at every request."""
        ...

    async def inbound(self, peer: PartyId, batch: Batch) -> bytes:
        """The canonical bytes of a `wire.Reply`, once everything it says is durable.

        Raises `DocaxisError`, such as ``node.busy``, ``node.stopping`` or ``node.disk-full``.
        """
        ...

    async def chunk(self, peer: PartyId, doc: DocId, digest: bytes) -> bytes | Path:
        """A chunk of a document that `peer` may read, or the file that holds it.

        Raises `DocaxisError` ``document.unknown`` or ``content.missing``; a stranger to the document is told the
        former, so that nobody can probe for what exists.
        """
        ...

    def directory_file(self, name: str) -> bytes | Path | None:
        """The repository file of that name (already checked by `is_directory_name`), as bytes or as the file that holds
        them; or None."""
        ...

    def hello(self) -> dict[str, object]:
        """What the node says of itself; values that JSON can hold."""
        ...


Refused = Callable[[str, str, str], None]
"""Is told of something refused: peer (empty where nobody was recognised), code and detail."""

SERVER_DEFAULTS: Final = ServerSettings()
CLIENT_DEFAULTS: Final = ClientSettings()


assert HELLO_BYTES_MAX < limits.ANSWER_BYTES_MAX
# The caller hangs up first, so that no request meets a line that has just been closed.
assert CLIENT_DEFAULTS.idle_s < SERVER_DEFAULTS.idle_s
assert SERVER_DEFAULTS.connections_per_peer_max > (
    CLIENT_DEFAULTS.connections_per_peer_max + CLIENT_DEFAULTS.bulk_connections_per_peer_max
)
