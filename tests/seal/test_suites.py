"""The table of algorithms agrees with what computes them, and with the formats."""

from docaxis.core.signed import SIGNATURE_BYTES_MAX
from docaxis.seal.keys import new_ed25519, public_ed25519
from docaxis.seal.sign import NodeSeal
from docaxis.seal.suites import SIGNATURES


def test_the_table_says_what_the_seal_does() -> None:
    """Other implementations read sizes from the specification, which reads them from here."""
    private = new_ed25519()
    seal, suite = NodeSeal(private), SIGNATURES["ed25519"]
    assert (len(private), len(public_ed25519(private))) == (suite.private_bytes, suite.public_bytes)
    assert len(seal.sign(b"")) == suite.signature_bytes
    assert all(name == suite.id and suite.signature_bytes <= SIGNATURE_BYTES_MAX for name, suite in SIGNATURES.items())


def test_a_signature_of_ml_dsa_65_would_fit_the_formats() -> None:
    """FIPS 204, table 2: 3,309 bytes; the place for it must not need a new format."""
    assert SIGNATURE_BYTES_MAX >= 3_309
