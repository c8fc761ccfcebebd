"""State: what a node remembers of the directory beside its files.

Values and their bytes. The numbers in it are the floor below which nothing may fall, even where every file is lost.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from docaxis.core import codec
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KEY_ID_BYTES, KeyId
from docaxis.core.limits import DIRECTORY_FILE_BYTES_MAX
from docaxis.core.trust import Versions
from docaxis.directory.revocations import KEYS_MAX

_FIELDS: Final = frozenset({"type", "root", "timestamp", "snapshot", "roles", "verified", "revoked"})


class State(NamedTuple):
    """`floor`: numbers below which nothing may fall. `verified_ms`: when a timestamp was last verified, ms since 1970
    UTC. `revoked`: every key that was ever revoked, and from when."""

    floor: Versions
    verified_ms: int
    revoked: Mapping[KeyId, int]


EMPTY: Final = State(Versions(0, 0, 0, {}), 0, {})


def write_state(state: State) -> bytes:
    """Its bytes."""
    floor = state.floor
    return codec.encode(
        {
            "type": "directory-state/1",
            "root": floor.root,
            "timestamp": floor.timestamp,
            "snapshot": floor.snapshot,
            "roles": dict(floor.roles),
            "verified": state.verified_ms,
            "revoked": [[key, from_ms] for key, from_ms in sorted(state.revoked.items())],
        }
    )


def read_state(raw: bytes | None) -> State:
    """The inverse; `EMPTY` where there is none, or none that can be read."""
    if raw is None:
        return EMPTY
    try:
        return _read(codec.fields(codec.decode(raw, DIRECTORY_FILE_BYTES_MAX), _FIELDS, "directory state"))
    except TheirFault:
        return EMPTY


def _read(value: dict[str, Any]) -> State:
    if value["type"] != "directory-state/1" or type(value["roles"]) is not dict:
        raise codec.wrong("directory state", "directory-state/1")
    roles = {name: codec.integer(version, "state.roles") for name, version in value["roles"].items()}
    floor = Versions(
        codec.integer(value["root"], "state.root"),
        codec.integer(value["timestamp"], "state.timestamp"),
        codec.integer(value["snapshot"], "state.snapshot"),
        roles,
    )
    revoked = codec.array(value["revoked"], "state.revoked", KEYS_MAX, _read_revoked)
    return State(floor, codec.integer(value["verified"], "state.verified"), dict(revoked))


def _read_revoked(value: Any) -> tuple[KeyId, int]:
    if type(value) is not list or len(value) != 2:
        raise codec.wrong("state.revoked", "pairs of key id and time")
    return KeyId(codec.blob(value[0], "state.revoked", KEY_ID_BYTES)), codec.integer(value[1], "state.revoked")
