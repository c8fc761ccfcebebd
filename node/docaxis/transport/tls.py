"""TLS of one node: its two contexts, and whose certificate is whose by the directory in force.

TLS 1.3, mutual, no certificate authority but the directory's list of certificates. Nothing is fetched here, and no
directory is judged: an accepted book comes in, contexts come out. Specification: ``node/docs/spec/transport.md`` §2.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from docaxis.core.addresses import Book, Entry, Status
from docaxis.core.errors import DocaxisError, OurFault, TheirFault
from docaxis.core.ids import PartyId
from docaxis.seal.certificates import certificate_names, check_certificate, party_of_name, tls_name
from docaxis.seal.keys import key_id, read_private, tls_key_of_pem
from docaxis.transport.base import Refused

# Certificates put into a trust store before other work gets its turn: 0.2 ms each, and 2 ms in a store of ten thousand,
# which OpenSSL sorts again for each.
_SLICE: Final = 8

_NOTES_PER_S: Final = 20.0


class Identity(NamedTuple):
    """What a node shows: its own certificate and its key (PKCS#8 PEM), and the passphrase that opens the key."""

    party: PartyId
    certificate: Path
    key: Path
    passphrase: str | None = None


class Refusals:
    """Tells of refusals, but of a flood only so much: the log of them is durable, and its disk is ours."""

    def __init__(self, tell: Refused, per_s: float = _NOTES_PER_S) -> None:
        self._tell = tell
        self._per_s = per_s
        self._left = per_s
        self._at_s = 0.0
        self.count = 0
        """All of them, told or not."""

    def __call__(self, peer: str, code: str, detail: str) -> None:
        """Takes one."""
        self.count += 1
        now_s = asyncio.get_running_loop().time()
        self._left = min(self._per_s, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left >= 1:
            self._left -= 1
            self._tell(peer, code, detail)


def identify(book: Book, certificate: bytes) -> PartyId:
    """Whose certificate (DER) this is, by the directory in force.

    Raises `TheirFault` ``party.unknown`` (nobody's, or no longer), ``party.revoked`` or ``party.closed``.
    """
    try:
        names = certificate_names(certificate)
        party = party_of_name(names[0]) if len(names) == 1 else None
    except TheirFault:
        party = None
    entry = book.entry(party) if party is not None else None
    if entry is None or certificate not in entry.certificates:
        raise TheirFault("party.unknown", f"the certificate is not in directory version {book.version}")
    check_standing(book, entry)
    if is_revoked(book, certificate):
        raise TheirFault("party.revoked", f"this certificate of {entry.id} is revoked")
    return entry.id


def is_revoked(book: Book, certificate: bytes) -> bool:
    """Whether somebody revoked this certificate (DER): it is named by the first bytes of its SHA-256, like a key."""
    return bool(book.revoked) and key_id(certificate) in book.revoked


def check_standing(book: Book, entry: Entry) -> None:
    """Whether the directory lets this party take part; raises `TheirFault` ``party.revoked`` or ``party.closed``."""
    if entry.status is Status.CLOSED:
        raise TheirFault("party.closed", f"{entry.id} is closed in directory version {book.version}")
    if entry.status is Status.SUSPENDED or (entry.keys and all(key.id in book.revoked for key in entry.keys)):
        raise TheirFault("party.revoked", f"{entry.id} is suspended or its keys are revoked")
    if entry.certificates and all(is_revoked(book, each) for each in entry.certificates):
        raise TheirFault("party.revoked", f"every certificate of {entry.id} is revoked")


class PeerTls:
    """The contexts of one node, kept in step with the directory.

    The server's context trusts every certificate of every open entry, because a caller is known only after the
    handshake. The client's trusts those it has called: a node that talks to ninety peers of twelve thousand keeps
    ninety. What a store holds decides only whether a handshake ends; `identify` decides at every request.
    """

    def __init__(self, identity: Identity, refused: Refused) -> None:
        """Opens key and certificate; raises `OurFault` ``node.keys`` or ``node.passphrase``. Call `adopt` before
        anything else.

        `refused` is told of what TLS and the server refuse, a bounded number of times a second.
        """
        self.me: Final = identity.party
        self.noted: Final = Refusals(refused)
        self._identity = identity
        # OpenSSL would name a wrong passphrase "PEM lib"
        tls_key_of_pem(read_private(identity.key), identity.passphrase, str(identity.key))
        self._book: Book | None = None
        self._adopting = asyncio.Lock()
        self._listed: dict[bytes, PartyId] = {}
        self._called: dict[PartyId, tuple[bytes, ...]] = {}
        self._server_store = self._server()
        self.client_context = self._client()
        self.client_generation = 0
        self.server_context: Final = self._front()
        self.anonymous_context: Final = _anonymous()

    @property
    def book(self) -> Book:
        """The directory in force."""
        assert self._book is not None, "adopt a directory first"
        return self._book

    async def adopt(self, book: Book, entries: Iterable[Entry]) -> None:
        """Brings both contexts in step with `book`; `entries` are all it holds (those without certificates are
        passed over). What was added is trusted at once; where something was removed, contexts are made anew.
        """
        listed = {
            certificate: entry.id
            for entry in entries
            if entry.status is Status.OPEN
            for certificate in entry.certificates
            if not is_revoked(book, certificate)
        }
        self._book = book  # what it no longer allows ends now, before any store is filled
        async with self._adopting:
            gone = self._listed.keys() - listed.keys()
            if any(each in gone for certificates in self._called.values() for each in certificates):
                self._called = {}
                self.client_context = self._client()
                self.client_generation += 1
            store = self._server() if gone else self._server_store
            kept = {} if gone else self._listed
            await self._trust(store, [each for each in listed.items() if kept.get(each[0]) != each[1]])
            self._listed, self._server_store = listed, store

    def name_to_call(self, peer: PartyId) -> str:
        """The name `peer` must prove in TLS; from now on its certificates are trusted.

        Raises `TheirFault` ``party.unknown``, ``party.revoked``, ``party.closed`` or ``party.no-route``.
        """
        entry = self.book.entry(peer)
        if entry is None:
            raise TheirFault("party.unknown", f"{peer} is not in directory version {self.book.version}")
        check_standing(self.book, entry)
        certificates = tuple(each for each in entry.certificates if not is_revoked(self.book, each))
        if self._called.get(peer) != certificates:
            sound = [each for each in certificates if self._sound(each, peer)]
            if not sound:
                raise TheirFault("party.no-route", f"the directory lists no certificate of {peer}")
            self.client_context.load_verify_locations(cadata=b"".join(sound))
            self._called[peer] = certificates
        return tls_name(peer)

    async def _trust(self, store: ssl.SSLContext, certificates: Sequence[tuple[bytes, PartyId]]) -> None:
        for start in range(0, len(certificates), _SLICE):
            sound = [each for each, party in certificates[start : start + _SLICE] if self._sound(each, party)]
            if sound:
                store.load_verify_locations(cadata=b"".join(sound))
            await asyncio.sleep(0)

    def _sound(self, certificate: bytes, party: PartyId) -> bool:
        """One bad entry harms only itself; and none may be an authority or bear another's name."""
        try:
            check_certificate(certificate, party)
        except DocaxisError as error:
            self.noted(party, error.code, error.detail)
            return False
        return True

    def _check_server(self, name: str, certificate: bytes | None) -> None:
        """The last word on a peer we called: the book in force now, not the store of the handshake."""
        try:
            known = certificate is not None and tls_name(identify(self.book, certificate)) == name
        except TheirFault:
            known = False
        if not known:
            raise ssl.SSLCertVerificationError(1, f"the directory does not know this certificate of {name}")

    # --- contexts -----------------------------------------------------------------------------------------------

    def _client(self) -> ssl.SSLContext:
        context = _context(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = True
        context.verify_mode = ssl.CERT_REQUIRED
        context.sslobject_class = _client_object(self._check_server)  # type: ignore[misc,unused-ignore]
        return self._with_own(context)

    def _server(self) -> ssl.SSLContext:
        context = _context(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_OPTIONAL  # a newcomer may read the directory before it has a certificate
        context.num_tickets = 0  # our clients keep connections, not sessions; and a resumed one would skip the check
        return self._with_own(context)

    def _front(self) -> ssl.SSLContext:
        """The context a listener is given for good: each handshake is handed on to the store in force."""
        context = self._server()

        def choose(connection: Any, name: str | None, front: ssl.SSLContext) -> None:
            connection.context = self._server_store

        context.sni_callback = choose
        context.sslobject_class = _server_object(self.noted)  # type: ignore[misc,unused-ignore]
        return context

    def _with_own(self, context: ssl.SSLContext) -> ssl.SSLContext:
        identity = self._identity
        read_private(identity.key)  # refuses a key that others may read
        try:
            # An empty passphrase fails on an encrypted key; none at all would make OpenSSL ask at the terminal.
            context.load_cert_chain(identity.certificate, identity.key, identity.passphrase or "")
        except (ssl.SSLError, OSError, ValueError) as error:
            raise OurFault("node.keys", _why_not_loaded(identity, error)) from None
        return context


def _why_not_loaded(identity: Identity, error: Exception) -> str:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return f"{identity.key} is not the key of {identity.certificate}; the two belong together"
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return f"{identity.certificate} cannot be read: {error.strerror}"
    return f"{identity.certificate} is no certificate in PEM ({reason or 'not readable'})"


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a listed certificate is an anchor though it is no authority
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
    return context


def _anonymous() -> ssl.SSLContext:
    """For repository files, which carry their own signatures: a newcomer knows no certificate yet."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _client_object(check: Callable[[str, bytes | None], None]) -> type[ssl.SSLObject]:
    class Called(ssl.SSLObject):
        """A connection to a peer, trusted only once the directory has confirmed its certificate."""

        def do_handshake(self) -> None:
            super().do_handshake()
            check(self.server_hostname or "", self.getpeercert(binary_form=True))

    return Called


def _server_object(noted: Refused) -> type[ssl.SSLObject]:
    class Calling(ssl.SSLObject):
        """A connection from somebody; a handshake that fails is noted, which asyncio itself does in silence."""

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLCertVerificationError as error:
                noted("", "party.unknown", f"TLS: {error.verify_message}")
                raise
            except ssl.SSLError as error:
                noted("", "request.malformed", f"TLS: {error.reason or 'handshake failed'}")
                raise

    return Calling
