"""Keys: made, kept on disk so that only their owner can read them, and opened again.

Private keys are PKCS#8 in PEM, encrypted where a passphrase is given. Nothing here signs, and nothing here decides
which key is in force: that is the directory's word. Raw bytes are handed out only for keys this node owns.
"""

import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from docaxis.core.errors import OurFault
from docaxis.core.ids import KEY_ID_BYTES, KeyId

PRIVATE_MODE: Final = 0o600
_KEY_FILE_BYTES_MAX: Final = 16_384
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def key_id(public_key: bytes) -> KeyId:
    """The id of a raw public key: the first bytes of its SHA-256."""
    return KeyId(sha256(public_key).digest()[:KEY_ID_BYTES])


# --- Ed25519, raw: 32 bytes private, 32 bytes public (RFC 8032 §5.1.5) --------------------------------------------


def new_ed25519() -> bytes:
    """A fresh raw private key, from the operating system's randomness."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_ed25519(private: bytes) -> bytes:
    """The raw public key of a raw private key."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def save_ed25519(path: Path, private: bytes, passphrase: str | None = None) -> None:
    """Keeps a raw private key at `path` (mode 0600); returns once it is durable.

    Raises `OurFault` ``node.exists`` where something is there already: no key is ever overwritten.
    """
    write_private(path, _pem(Ed25519PrivateKey.from_private_bytes(private), passphrase))


def load_ed25519(path: Path, passphrase: str | None = None) -> bytes:
    """The raw private key kept at `path`; raises `OurFault` ``node.keys`` or ``node.passphrase``."""
    return ed25519_of_pem(read_private(path), passphrase, str(path))


def ed25519_of_pem(pem: bytes, passphrase: str | None = None, where: str = "the key") -> bytes:
    """The raw private key in PKCS#8 PEM; `where` names it in the error. Raises as `load_ed25519`."""
    key = _open(pem, passphrase, where)
    if not isinstance(key, Ed25519PrivateKey):
        raise OurFault("node.keys", f"{where} holds another kind of key, not Ed25519")
    return key.private_bytes_raw()


def public_pem_ed25519(public: bytes) -> bytes:
    """The PEM (SubjectPublicKeyInfo) of a raw public key, as other software reads it; raises `ValueError`."""
    return Ed25519PublicKey.from_public_bytes(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


# --- the TLS key: P-256, because every TLS library knows it --------------------------------------------------------


def new_tls_key(passphrase: str | None = None) -> bytes:
    """PKCS#8 PEM of a fresh P-256 key."""
    return _pem(generate_private_key(SECP256R1()), passphrase)


def tls_key_of_pem(pem: bytes, passphrase: str | None = None, where: str = "the key") -> EllipticCurvePrivateKey:
    """The P-256 key in PKCS#8 PEM; for `docaxis.seal.certificates` and TLS. Raises as `load_ed25519`."""
    key = _open(pem, passphrase, where)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise OurFault("node.keys", f"{where} holds another kind of key, not P-256")
    return key


# --- files --------------------------------------------------------------------------------------------------------


def write_private(path: Path, content: bytes) -> None:
    """Writes a new file of mode 0600 whole or not at all; returns once file and name are durable (fsync).

    Raises `OurFault` ``node.exists`` where the name is taken, ``node.keys`` where the folder cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, PRIVATE_MODE)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.link(draft, path)  # fails where the name is taken, which a rename would not
        finally:
            os.unlink(draft)
        _sync_folder(path.parent)
    except FileExistsError:
        raise OurFault("node.exists", f"{path} is kept as it is; keys are never overwritten") from None
    except OSError as error:
        raise OurFault("node.keys", f"{path} cannot be written: {error.strerror}") from None


def read_private(path: Path) -> bytes:
    """Reads a file that only its owner may read; raises `OurFault` ``node.keys`` where others may, too."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise OurFault("node.keys", f"{path} is not a file")
            if mode & _OTHERS:
                raise OurFault("node.keys", f"{path} can be read by others; run: chmod 600 '{path}'")
            content = file.read(_KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise OurFault("node.keys", f"{path} cannot be read: {error.strerror}") from None
    if len(content) > _KEY_FILE_BYTES_MAX:
        raise OurFault("node.keys", f"{path} is too long for a key")
    return content


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pem(key: Ed25519PrivateKey | EllipticCurvePrivateKey, passphrase: str | None) -> bytes:
    lock: KeySerializationEncryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def _open(pem: bytes, passphrase: str | None, where: str) -> PrivateKeyTypes:
    secret = passphrase.encode() if passphrase else None
    try:
        if secret and b"ENCRYPTED" not in pem:
            secret = None  # a passphrase for another key of this node; this one lies open
        return load_pem_private_key(pem, secret)
    except TypeError:
        raise OurFault("node.passphrase", f"{where} is encrypted; a passphrase is needed") from None
    except (ValueError, UnsupportedAlgorithm):
        if secret:
            raise OurFault("node.passphrase", f"{where} cannot be opened: the passphrase is wrong") from None
        raise OurFault("node.keys", f"{where} is no private key in PEM") from None
