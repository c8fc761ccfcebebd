"""Keys on disk: who may read them, what a passphrase does, and that none is ever overwritten."""

import os
import stat
from pathlib import Path

import pytest

from docaxis.core.errors import OurFault
from docaxis.core.limits import DAY_MS
from docaxis.seal import certificates, keys

PASSPHRASE = "đường Trần Phú"


def refused(code: str) -> pytest.RaisesExc[OurFault]:
    """The next block must be refused with this code."""
    return pytest.RaisesExc(OurFault, check=lambda error: error.code == code)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_key_that_was_saved_opens_again(tmp_path: Path, passphrase: str | None) -> None:
    """What was generated once must sign for years."""
    private = keys.new_ed25519()
    keys.save_ed25519(tmp_path / "signing.pem", private, passphrase)
    assert keys.load_ed25519(tmp_path / "signing.pem", passphrase) == private


def test_a_key_file_is_for_its_owner_alone_whatever_the_umask_says(tmp_path: Path) -> None:
    """A permissive umask is common on servers."""
    before = os.umask(0)
    try:
        keys.save_ed25519(tmp_path / "signing.pem", keys.new_ed25519())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["signing.pem"], "no draft stays behind"


def test_a_passphrase_keeps_the_key_out_of_the_file(tmp_path: Path) -> None:
    """A stolen backup must be worthless."""
    private = keys.new_ed25519()
    keys.save_ed25519(tmp_path / "signing.pem", private, PASSPHRASE)
    content = (tmp_path / "signing.pem").read_bytes()
    assert content.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    with refused("node.passphrase"):
        keys.ed25519_of_pem(content)


@pytest.mark.parametrize("passphrase", ["wrong", None, ""])
def test_a_wrong_or_missing_passphrase_is_an_error_of_ours(tmp_path: Path, passphrase: str | None) -> None:
    """The operator is told what to do; nobody sees a traceback."""
    keys.save_ed25519(tmp_path / "signing.pem", keys.new_ed25519(), PASSPHRASE)
    with refused("node.passphrase") as caught:
        keys.load_ed25519(tmp_path / "signing.pem", passphrase)
    assert "passphrase" in caught.value.detail
    assert PASSPHRASE not in caught.value.detail


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that was readable must be thought of as stolen; going on in silence would hide it."""
    path = tmp_path / "signing.pem"
    keys.save_ed25519(path, keys.new_ed25519())
    path.chmod(mode)
    with refused("node.keys") as caught:
        keys.load_ed25519(path)
    assert "chmod 600" in caught.value.detail


def test_no_key_is_ever_overwritten(tmp_path: Path) -> None:
    """A second `node init` in the same folder must not destroy a published key."""
    path = tmp_path / "signing.pem"
    private = keys.new_ed25519()
    keys.save_ed25519(path, private)
    with refused("node.exists"):
        keys.save_ed25519(path, keys.new_ed25519())
    assert keys.load_ed25519(path) == private
    assert os.listdir(tmp_path) == ["signing.pem"]


def test_a_folder_that_does_not_exist_is_an_error_of_ours(tmp_path: Path) -> None:
    """The path comes from a configuration that people write."""
    with refused("node.keys"):
        keys.save_ed25519(tmp_path / "absent" / "signing.pem", keys.new_ed25519())
    with refused("node.keys"):
        keys.load_ed25519(tmp_path / "absent" / "signing.pem")
    with refused("node.keys"):
        keys.load_ed25519(tmp_path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 20_000])
def test_a_file_that_is_no_key_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    """Disks go bad, and people copy the wrong file."""
    keys.write_private(tmp_path / "signing.pem", content)
    with refused("node.keys"):
        keys.load_ed25519(tmp_path / "signing.pem")


def test_the_two_kinds_of_key_are_not_confused() -> None:
    """A node with its files exchanged must say so at start, not at the first signature."""
    with refused("node.keys"):
        keys.ed25519_of_pem(keys.new_tls_key())
    private = keys.new_ed25519()
    pem = keys.new_tls_key(PASSPHRASE)
    assert keys.tls_key_of_pem(pem, PASSPHRASE).curve.name == "secp256r1"
    with refused("node.passphrase"):
        certificates.make_certificate(certificates.party_of_name("h49.axis.invalid"), pem, DAY_MS)
    assert len(keys.public_ed25519(private)) == 32


def test_a_key_without_encryption_opens_though_a_passphrase_is_given(tmp_path: Path) -> None:
    """One passphrase serves all keys of a node; one that lies open is a matter of policy, not of reading."""
    private = keys.new_ed25519()
    keys.save_ed25519(tmp_path / "signing.pem", private)
    assert keys.load_ed25519(tmp_path / "signing.pem", PASSPHRASE) == private


def test_a_public_key_is_written_as_other_software_reads_it() -> None:
    """Officers check each other's keys with the tools they have."""
    pem = keys.public_pem_ed25519(keys.public_ed25519(keys.new_ed25519()))
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")
