"""Readable: entries as the JSON that people hand to each other, both ways.

`docaxis node init` writes such a file, officers read and correct it, `docaxis directory add` takes it. Only the form is
checked here; the rules are `docaxis.directory.lint`'s.
"""

import base64
import binascii
import json
from typing import Any, Final

from docaxis.core.addresses import Entry, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId, party_id
from docaxis.directory.entries import decode_entry, encode_entry, make_key

_OPTIONAL: Final[dict[str, Any]] = {
    "name_vi": "",
    "name_en": "",
    "kind": "agency",
    "parent": None,
    "endpoints": [],
    "via": [],
    "keys": [],
    "certificates": [],
    "aliases": [],
    "status": "open",
    "successors": [],
    "not_before_ms": 0,
    "expires_ms": 0,
    "enc": [],
}


def entry_of_json(raw: bytes) -> Entry:
    """Reads an entry; what is absent has its plain meaning, `seq` is given when it is drafted, and `revoked`, which
    `docaxis directory show` adds for people, is not the entry's to say.

    Raises `TheirFault` ``directory.invalid``.
    """
    try:
        value = json.loads(raw)
        unknown = sorted(value.keys() - _OPTIONAL.keys() - {"id", "seq", "revoked"})
        if unknown:
            raise TheirFault("directory.invalid", f"the entry has fields nobody knows: {', '.join(unknown)}")
        return decode_entry(encode_entry(_entry({**_OPTIONAL, **value})))
    except TheirFault as fault:
        raise TheirFault("directory.invalid", f"the entry cannot be read: {fault.detail}") from None
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
        text = f"the entry cannot be read: {type(error).__name__} {str(error)[:100]}"
        raise TheirFault("directory.invalid", text) from None


def _entry(value: dict[str, Any]) -> Entry:
    party = party_id(value["id"])
    return Entry(
        id=party,
        name_vi=value["name_vi"] or party,
        name_en=value["name_en"] or party,
        kind=value["kind"],
        parent=None if value["parent"] is None else PartyId(value["parent"]),
        endpoints=tuple(value["endpoints"]),
        via=tuple(value["via"]),
        keys=tuple(
            make_key(_bytes(key["public"]), key.get("not_before_ms", 0), key.get("expires_ms", 0), key["alg"])
            for key in value["keys"]
        ),
        certificates=tuple(_bytes(each) for each in value["certificates"]),
        aliases=tuple(value["aliases"]),
        status=Status(value["status"]),
        successors=tuple(value["successors"]),
        not_before_ms=value["not_before_ms"],
        expires_ms=value["expires_ms"],
        seq=1,
        enc=tuple(_bytes(each) for each in value["enc"]),
    )


def json_of_entry(entry: Entry) -> dict[str, Any]:
    """An entry as plain JSON values; each key with its id, which is derived and need not be given back."""
    return {
        **entry._asdict(),
        "status": entry.status.value,
        "keys": [
            {
                "alg": key.alg,
                "public": _text(key.public),
                "not_before_ms": key.not_before_ms,
                "expires_ms": key.expires_ms,
                "id": key.id.hex(),
            }
            for key in entry.keys
        ],
        "certificates": [_text(each) for each in entry.certificates],
        "enc": [_text(each) for each in entry.enc],
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
