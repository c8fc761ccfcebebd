"""Certificates: the self-signed paper a node shows in TLS, and how one is read.

A certificate proves the possession of a key and nothing else: who may present it is said by the directory, which
lists its exact bytes. So there is no authority here, no chain and no revocation list.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId, party_id
from docaxis.core.limits import DAY_MS
from docaxis.seal.keys import tls_key_of_pem

DOMAIN: Final = ".axis.invalid"
BACKDATED_MS: Final = 1 * DAY_MS
VALID_MS: Final = 20 * 365 * DAY_MS
CERTIFICATE_BYTES_MAX: Final = 2_048


def tls_name(party: PartyId) -> str:
    """The name a party bears in TLS: ``h49.16.axis.invalid``. The suffix resolves nowhere (RFC 6761 §6.4)."""
    return party.lower() + DOMAIN


def party_of_name(name: str) -> PartyId:
    """The inverse of `tls_name`; raises `TheirFault` ``id.malformed``."""
    if name != name.lower() or not name.endswith(DOMAIN):
        raise TheirFault("id.malformed", f"not a name of the axis: {name[:60]!r}")
    return party_id(name.removesuffix(DOMAIN).upper())


def certificate_sha256(der: bytes) -> bytes:
    """The fingerprint by which the directory knows a certificate."""
    return sha256(der).digest()


def make_certificate(party: PartyId, key_pem: bytes, now_ms: int, passphrase: str | None = None) -> bytes:
    """DER of a self-signed certificate for the P-256 key in `key_pem`, with `tls_name(party)` as its only name.

    It is back-dated, so that a peer whose clock is behind accepts it at once. Raises `OurFault` ``node.keys`` or
    ``node.passphrase``.
    """
    key = tls_key_of_pem(key_pem, passphrase)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    public = key.public_key()
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(now_ms - BACKDATED_MS))
        .not_valid_after(_time(now_ms + VALID_MS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(tls_name(party))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(purposes, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def certificate_pem(der: bytes) -> bytes:
    """The PEM of a DER certificate; raises `TheirFault` ``codec.malformed``."""
    return _read(der).public_bytes(Encoding.PEM)


def certificate_der(pem: bytes) -> bytes:
    """The DER of the one certificate in a PEM file; raises `TheirFault` ``codec.malformed``."""
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except ValueError:
        raise TheirFault("codec.malformed", "not a certificate in PEM") from None


def certificate_times_ms(der: bytes) -> tuple[int, int]:
    """Since when and until when a certificate is valid, in ms since 1970 UTC; raises `TheirFault` ``codec.*``."""
    certificate = _read(der)
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return int(since.timestamp()) * 1000, int(until.timestamp()) * 1000


def certificate_names(der: bytes) -> tuple[str, ...]:
    """All names a certificate bears in TLS, as written; raises `TheirFault` ``codec.*``."""
    try:
        names = _read(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    except (ValueError, x509.DuplicateExtension):
        raise TheirFault("codec.malformed", "the certificate's extensions are not readable") from None
    return tuple(str(name.value) for name in names)


def check_certificate(der: bytes, party: PartyId) -> None:
    """Whether a directory may list `der` for `party`: P-256, that one name, and no authority over others.

    Raises `TheirFault` ``codec.*`` or ``directory.invalid``.
    """
    if certificate_names(der) != (tls_name(party),):
        raise TheirFault("directory.invalid", f"a certificate of {party} must bear the name {tls_name(party)} alone")
    certificate = _read(der)
    public = certificate.public_key()
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise TheirFault("directory.invalid", f"the certificate of {party} must hold a key on P-256")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        raise TheirFault("directory.invalid", f"the certificate of {party} must say CA:FALSE") from None
    if constraints.ca:
        raise TheirFault("directory.invalid", f"the certificate of {party} may not be an authority")


def _read(der: bytes) -> x509.Certificate:
    if len(der) > CERTIFICATE_BYTES_MAX:
        raise TheirFault("codec.too-long", f"a certificate of {len(der)} bytes, at most {CERTIFICATE_BYTES_MAX}")
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise TheirFault("codec.malformed", "not a certificate in DER") from None


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
