"""Contexts in step with the directory, and whose certificate is whose."""

import ssl
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.addresses import Book, Entry, Status
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.seal.certificates import certificate_pem, make_certificate
from docaxis.seal.keys import new_tls_key, write_private
from docaxis.transport.tls import Identity, PeerTls, check_standing, identify
from tests.transport.town import NOW_MS, Refusal

H49, H50 = PartyId("H49"), PartyId("H50")
KEY = new_tls_key()
CERTIFICATE = make_certificate(H49, KEY, NOW_MS)


def entry(party: PartyId, *certificates: bytes, status: Status = Status.OPEN) -> Entry:
    """An entry that says only what TLS asks."""
    return Entry(party, "", "", "agency", None, (), (), (), certificates, (), status, (), 0, 0, 1)


def book(*entries: Entry) -> Book:
    """A directory of a few."""
    return Book({each.id: each for each in entries}.get, {}, 1, NOW_MS, {})


def identity(folder: Path, passphrase: str | None = None, key: bytes | None = None) -> Identity:
    """Files as a node keeps them."""
    write_private(folder / "tls.pem", key or KEY)
    (folder / "tls.crt").write_bytes(certificate_pem(CERTIFICATE))
    return Identity(H49, folder / "tls.crt", folder / "tls.pem", passphrase)


def tls_of(folder: Path, told: list[Refusal] | None = None) -> PeerTls:
    """The contexts of H49."""
    return PeerTls(identity(folder), lambda *words: told.append(Refusal(*words)) if told is not None else None)


def trusted(context: ssl.SSLContext) -> int:
    """How many certificates a store holds."""
    return context.cert_store_stats()["x509"]


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (entry(H50, CERTIFICATE), "party.unknown"),
        (entry(H49), "party.unknown"),
        (entry(H49, make_certificate(H49, KEY, NOW_MS)), "party.unknown"),
        (entry(H49, CERTIFICATE, status=Status.SUSPENDED), "party.revoked"),
        (entry(H49, CERTIFICATE, status=Status.CLOSED), "party.closed"),
    ],
    ids=["another", "none", "renewed", "suspended", "closed"],
)
def test_a_certificate_is_a_partys_only_while_the_directory_says_so(listed: Entry, code: str) -> None:
    """The name inside leads to the entry; only the exact bytes listed there count."""
    with pytest.raises(TheirFault) as caught:
        identify(book(listed), CERTIFICATE)
    assert caught.value.code == code
    assert identify(book(entry(H49, b"old", CERTIFICATE)), CERTIFICATE) == "H49"


def test_a_revoked_certificate_is_nobodys_and_its_partys_others_still_count() -> None:
    """A revocation names a certificate by the first eight bytes of its SHA-256."""
    other = make_certificate(H49, KEY, NOW_MS + 1_000)
    listed = entry(H49, CERTIFICATE, other)
    revoked = {KeyId(sha256(CERTIFICATE).digest()[:8]): NOW_MS}
    found = Book({H49: listed}.get, {}, 1, NOW_MS, revoked)
    with pytest.raises(TheirFault) as caught:
        identify(found, CERTIFICATE)
    assert caught.value.code == "party.revoked"
    assert identify(found, other) == "H49"
    alone = Book({H49: entry(H49, CERTIFICATE)}.get, {}, 1, NOW_MS, revoked)
    with pytest.raises(TheirFault) as caught:
        check_standing(alone, entry(H49, CERTIFICATE))
    assert caught.value.code == "party.revoked"


async def test_a_revoked_certificate_leaves_both_stores(tmp_path: Path) -> None:
    """At the next handshake as on open connections, called or calling."""
    tls = tls_of(tmp_path)
    peer = entry(H50, make_certificate(H50, KEY, NOW_MS), make_certificate(H50, new_tls_key(), NOW_MS))
    await tls.adopt(book(peer), [peer])
    tls.name_to_call(H50)
    assert (trusted(tls._server_store), trusted(tls.client_context)) == (2, 2)
    revoked = {KeyId(sha256(peer.certificates[0]).digest()[:8]): NOW_MS}
    await tls.adopt(Book({H50: peer}.get, {}, 1, NOW_MS, revoked), [peer])
    tls.name_to_call(H50)
    assert (trusted(tls._server_store), trusted(tls.client_context)) == (1, 1)
    assert tls.client_generation == 1


@given(st.binary(max_size=200))
def test_no_bytes_make_identification_fail_otherwise(certificate: bytes) -> None:
    """What TLS has verified is well-formed; this must hold without TLS, too."""
    with pytest.raises(TheirFault):
        identify(book(entry(H49, CERTIFICATE)), certificate)


@pytest.mark.parametrize("passphrase", [None, "", "wrong"])
async def test_an_encrypted_key_opens_with_its_passphrase_alone(tmp_path: Path, passphrase: str | None) -> None:
    """And never makes OpenSSL ask at a terminal that a service does not have."""
    locked = identity(tmp_path, "right", new_tls_key("right"))
    (tmp_path / "tls.crt").write_bytes(certificate_pem(make_certificate(H49, locked.key.read_bytes(), NOW_MS, "right")))
    PeerTls(locked, lambda *_: None)
    with pytest.raises(OurFault) as caught:
        PeerTls(locked._replace(passphrase=passphrase), lambda *_: None)
    assert caught.value.code == "node.passphrase"
    assert "tls.pem" in caught.value.detail


async def test_a_certificate_of_another_key_is_said_at_the_start(tmp_path: Path) -> None:
    """Files of two nodes mixed up."""
    with pytest.raises(OurFault) as caught:
        PeerTls(identity(tmp_path, key=new_tls_key()), lambda *_: None)
    assert caught.value.code == "node.keys"


async def test_a_tls_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The same rule as for the signing key."""
    mine = identity(tmp_path)
    mine.key.chmod(0o640)
    with pytest.raises(OurFault) as caught:
        PeerTls(mine, lambda *_: None)
    assert "chmod 600" in caught.value.detail


async def test_the_store_of_the_listener_follows_the_directory(tmp_path: Path) -> None:
    """What is added enters the store in use; what is removed makes a new store without it."""
    tls = tls_of(tmp_path)
    others = [entry(PartyId(f"P{n}"), make_certificate(PartyId(f"P{n}"), KEY, NOW_MS)) for n in range(70)]
    await tls.adopt(book(*others), others)
    store = tls._server_store
    assert trusted(store) == 70
    await tls.adopt(book(*others), others)
    assert (tls._server_store, trusted(store)) == (store, 70)
    more = [*others, entry(H49, CERTIFICATE), entry(H50)]
    await tls.adopt(book(*more), more)
    assert (tls._server_store, trusted(store)) == (store, 71)
    fewer = [entry(each.id, *each.certificates, status=Status.CLOSED) if each.id == "P0" else each for each in more]
    await tls.adopt(book(*fewer), fewer)
    assert tls._server_store is not store
    assert trusted(tls._server_store) == 70


async def test_the_client_trusts_only_whom_it_has_called(tmp_path: Path) -> None:
    """Twelve thousand certificates in each of two stores would be a hundred megabytes for nothing."""
    tls = tls_of(tmp_path)
    others = [entry(PartyId(f"P{n}"), make_certificate(PartyId(f"P{n}"), KEY, NOW_MS)) for n in range(9)]
    await tls.adopt(book(*others), others)
    assert trusted(tls.client_context) == 0
    assert tls.name_to_call(PartyId("P3")) == "p3.axis.invalid"
    assert tls.name_to_call(PartyId("P3")) == "p3.axis.invalid"
    assert trusted(tls.client_context) == 1
    await tls.adopt(book(*others[:3]), others[:3])
    assert (tls.client_generation, trusted(tls.client_context)) == (1, 0), "a withdrawn one is trusted no more"
    await tls.adopt(book(*others[:2]), others[:2])
    assert tls.client_generation == 1, "nobody that was called has changed"


async def test_a_bad_certificate_in_one_entry_harms_only_that_entry(tmp_path: Path) -> None:
    """Entries are written by many hands, and one of them will make a mistake."""
    told: list[Refusal] = []
    tls = tls_of(tmp_path, told)
    listed = [entry(H49, CERTIFICATE), entry(H50, b"nonsense", make_certificate(H50, KEY, NOW_MS))]
    await tls.adopt(book(*listed), listed)
    assert trusted(tls._server_store) == 2
    assert [(refusal.peer, refusal.code) for refusal in told] == [("H50", "codec.malformed")]
    assert tls.name_to_call(H50) == "h50.axis.invalid"


async def test_every_context_speaks_tls_1_3_alone(tmp_path: Path) -> None:
    """And no context trusts what the system trusts: there is no authority but the directory."""
    tls = tls_of(tmp_path)
    await tls.adopt(book(), [])
    for context in (tls.server_context, tls.client_context, tls.anonymous_context, tls._server_store):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_3
        assert trusted(context) == 0
    assert tls.client_context.verify_mode is ssl.CERT_REQUIRED
    assert tls.client_context.check_hostname
    assert tls.server_context.verify_mode is tls._server_store.verify_mode is ssl.CERT_OPTIONAL
