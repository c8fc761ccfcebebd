"""Certificates: what ours say, and which the directory must refuse to list."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId, party_id
from docaxis.seal import certificates, keys

NOW_MS = 1_795_000_000_000
H49 = PartyId("H49.16")
KEY = keys.new_tls_key()


def foreign(names: list[str], *, ca: bool | None, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """A certificate that another program made."""
    subject = x509.Name([])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, start + timedelta(days=9))
    if names:
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(san, critical=True)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    hashed = SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None
    return builder.sign(key, hashed).public_bytes(Encoding.DER)


def p256() -> ec.EllipticCurvePrivateKey:
    """A fresh key on the curve the axis uses."""
    return ec.generate_private_key(ec.SECP256R1())


def test_it_says_what_the_specification_says() -> None:
    """One name, no authority, back-dated by a day, for twenty years."""
    der = certificates.make_certificate(H49, KEY, NOW_MS)
    read = x509.load_der_x509_certificate(der)
    assert certificates.certificate_names(der) == ("h49.16.axis.invalid",)
    assert read.not_valid_before_utc.timestamp() * 1000 == NOW_MS - 86_400_000
    assert read.not_valid_after_utc.year == 2046
    assert read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert len(der) < 600, "thousands of them are held in memory"
    certificates.check_certificate(der, H49)


def test_pem_and_der_are_two_forms_of_one_certificate() -> None:
    """Files hold PEM, the directory DER."""
    der = certificates.make_certificate(H49, KEY, NOW_MS)
    assert certificates.certificate_der(certificates.certificate_pem(der)) == der
    assert ssl.PEM_cert_to_DER_cert(certificates.certificate_pem(der).decode()) == der
    assert len(certificates.certificate_sha256(der)) == 32


@given(st.from_regex(r"[A-Z0-9]{1,8}(\.[A-Z0-9]{1,8}){0,2}", fullmatch=True))
def test_a_party_and_its_name_in_tls_lead_to_each_other(text: str) -> None:
    """The name in a certificate is how a connection finds its entry."""
    assert certificates.party_of_name(certificates.tls_name(party_id(text))) == text


@pytest.mark.parametrize(
    "name", ["H49.axis.invalid", "h49.axis.example", "axis.invalid", ".axis.invalid", "*.axis.invalid"]
)
def test_any_other_name_belongs_to_nobody(name: str) -> None:
    """No wildcards, no second spelling."""
    with pytest.raises(TheirFault):
        certificates.party_of_name(name)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"nonsense",
        b"\x30" * 3_000,
        foreign([], ca=False, key=p256()),
        foreign(["h50.axis.invalid"], ca=False, key=p256()),
        foreign(["h49.16.axis.invalid", "h50.axis.invalid"], ca=False, key=p256()),
        foreign(["h49.16.axis.invalid"], ca=True, key=p256()),
        foreign(["h49.16.axis.invalid"], ca=None, key=p256()),
        foreign(["h49.16.axis.invalid"], ca=False, key=ec.generate_private_key(ec.SECP384R1())),
        foreign(["h49.16.axis.invalid"], ca=False, key=ed25519.Ed25519PrivateKey.generate()),
        certificates.make_certificate(H49, KEY, NOW_MS)[:-1],
    ],
    ids=["empty", "nonsense", "long", "nameless", "other", "two", "authority", "silent", "p384", "ed25519", "cut"],
)
def test_a_certificate_that_could_speak_for_others_is_not_listed(der: bytes) -> None:
    """An authority's certificate in the trust store would let one agency issue certificates for all."""
    with pytest.raises(TheirFault):
        certificates.check_certificate(der, H49)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_otherwise(der: bytes) -> None:
    """Certificates come from the directory, and its shards are written by many hands."""
    with pytest.raises(TheirFault):
        certificates.check_certificate(der, H49)
    with pytest.raises(TheirFault):
        certificates.certificate_der(der)
