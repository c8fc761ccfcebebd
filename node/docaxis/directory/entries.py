"""Entries: the bytes of what the directory says of one party.

Form only: whether an entry keeps the directory's rules is `docaxis.directory.lint`'s to say, and whether its agency
signed it `docaxis.directory.verified`'s. Specification: ``node/docs/spec/directory.md`` §4.
"""

from typing import Any, Final

from docaxis.core import codec
from docaxis.core.addresses import Entry, SigningKey, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId, party_id
from docaxis.core.limits import KIB
from docaxis.seal.keys import key_id

ENTRY_BYTES_MAX: Final = 64 * KIB
NAME_CHARS_MAX: Final = 200
KIND_CHARS_MAX: Final = 40
ENDPOINTS_MAX: Final = 4
ENDPOINT_CHARS_MAX: Final = 200
VIA_MAX: Final = 4
KEYS_MAX: Final = 64
PUBLIC_KEY_BYTES_MAX: Final = 8 * KIB
CERTIFICATES_MAX: Final = 8
CERTIFICATE_BYTES_MAX: Final = 4 * KIB
ALIASES_MAX: Final = 16
ALIAS_CHARS_MAX: Final = 35
SUCCESSORS_MAX: Final = 16
ENC_KEYS_MAX: Final = 16

_FIELDS: Final = frozenset(
    {
        "id",
        "vi",
        "en",
        "kind",
        "parent",
        "ep",
        "via",
        "sig",
        "tls",
        "enc",
        "alias",
        "st",
        "next",
        "nbf",
        "exp",
        "seq",
    }
)


def encode_entry(entry: Entry) -> bytes:
    """Canonical bytes of an entry."""
    return codec.encode(
        {
            "id": entry.id,
            "vi": entry.name_vi,
            "en": entry.name_en,
            "kind": entry.kind,
            "parent": entry.parent,
            "ep": entry.endpoints,
            "via": entry.via,
            "sig": [[key.alg, key.public, key.not_before_ms, key.expires_ms] for key in entry.keys],
            "tls": entry.certificates,
            "enc": entry.enc,
            "alias": entry.aliases,
            "st": entry.status.value,
            "next": entry.successors,
            "nbf": entry.not_before_ms,
            "exp": entry.expires_ms,
            "seq": entry.seq,
        }
    )


def decode_entry(raw: bytes) -> Entry:
    """Reads an entry; raises `TheirFault` ``codec.*`` or ``id.malformed``."""
    value = codec.fields(codec.decode(raw, ENTRY_BYTES_MAX), _FIELDS, "entry")
    return Entry(
        id=party_id(value["id"]),
        name_vi=codec.text(value["vi"], "entry.vi", NAME_CHARS_MAX, 1),
        name_en=codec.text(value["en"], "entry.en", NAME_CHARS_MAX, 1),
        kind=codec.text(value["kind"], "entry.kind", KIND_CHARS_MAX, 1),
        parent=None if value["parent"] is None else party_id(value["parent"]),
        endpoints=codec.array(value["ep"], "entry.ep", ENDPOINTS_MAX, _endpoint),
        via=codec.array(value["via"], "entry.via", VIA_MAX, party_id),
        keys=codec.array(value["sig"], "entry.sig", KEYS_MAX, _key),
        certificates=codec.array(value["tls"], "entry.tls", CERTIFICATES_MAX, _certificate),
        aliases=codec.array(value["alias"], "entry.alias", ALIASES_MAX, _alias),
        status=_status(value["st"]),
        successors=codec.array(value["next"], "entry.next", SUCCESSORS_MAX, party_id),
        not_before_ms=codec.integer(value["nbf"], "entry.nbf"),
        expires_ms=codec.integer(value["exp"], "entry.exp"),
        seq=codec.integer(value["seq"], "entry.seq", 1),
        enc=codec.array(value["enc"], "entry.enc", ENC_KEYS_MAX, _enc),
    )


def certificate_key_id(der: bytes) -> KeyId:
    """The id by which a revocation names a certificate: the first bytes of its SHA-256, like a key's."""
    return key_id(der)


def make_key(public: bytes, not_before_ms: int, expires_ms: int = 0, alg: str = "ed25519") -> SigningKey:
    """A signing key as entries list it; its id is derived, never written."""
    return SigningKey(key_id(public), alg, public, not_before_ms, expires_ms)


def simple_entry(
    party: PartyId, name_vi: str, name_en: str, kind: str, *, parent: PartyId | None = None, seq: int = 1
) -> Entry:
    """An open entry without addresses and keys, to be filled with ``_replace``."""
    return Entry(party, name_vi, name_en, kind, parent, (), (), (), (), (), Status.OPEN, (), 0, 0, seq)


def _endpoint(value: Any) -> str:
    return codec.text(value, "entry.ep", ENDPOINT_CHARS_MAX, 9)


def _alias(value: Any) -> str:
    return codec.text(value, "entry.alias", ALIAS_CHARS_MAX, 1)


def _bytes(value: Any, field: str, bytes_max: int) -> bytes:
    if type(value) is not bytes or not 0 < len(value) <= bytes_max:
        raise codec.wrong(field, f"1 to {bytes_max} bytes")
    return value


def _certificate(value: Any) -> bytes:
    return _bytes(value, "entry.tls", CERTIFICATE_BYTES_MAX)


def _enc(value: Any) -> bytes:
    return _bytes(value, "entry.enc", PUBLIC_KEY_BYTES_MAX)


def _key(value: Any) -> SigningKey:
    if type(value) is not list or len(value) != 4:
        raise codec.wrong("entry.sig", "arrays of algorithm, public key, not before, expires")
    alg, public, not_before_ms, expires_ms = value
    return make_key(
        _bytes(public, "entry.sig", PUBLIC_KEY_BYTES_MAX),
        codec.integer(not_before_ms, "entry.sig"),
        codec.integer(expires_ms, "entry.sig"),
        codec.text(alg, "entry.sig", 32, 1),
    )


def _status(value: Any) -> Status:
    try:
        return Status(value)
    except ValueError:
        raise TheirFault("codec.schema", "entry.st: expected open, closed or suspended") from None
