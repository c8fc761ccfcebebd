"""Layout: the names of a repository's files, and how long each may be.

Names only; whatever is read under a name is verified elsewhere. Specification: ``node/docs/spec/directory.md`` §2.
"""

import re
from typing import Final

from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.limits import KIB, MIB

TIMESTAMP: Final = "timestamp.json"
REVOCATIONS: Final = "revocations"

SHARD_BYTES_WISHED: Final = 256 * KIB
SHARD_BYTES_MAX: Final = 512 * KIB
SHARDS_PER_AGENCY_MAX: Final = 256
ROOT_BYTES_MAX: Final = 512 * KIB
TIMESTAMP_BYTES_MAX: Final = 16 * KIB
SNAPSHOT_BYTES_MAX: Final = 2 * MIB
TARGETS_BYTES_MAX: Final = 5 * MIB
ROLE_BYTES_MAX: Final = 512 * KIB

_AGENCY: Final = re.compile(r"[A-Z0-9]{1,8}\Z", re.ASCII)
_SHARD: Final = re.compile(r"([A-Z0-9]{1,8})/s([0-9a-f]{2})\Z", re.ASCII)


def agency_of(party: PartyId) -> PartyId:
    """The agency whose role speaks for a party: the first group of its code."""
    return PartyId(party.partition(".")[0])


def agency_code(text: object) -> PartyId:
    """Reads the code of an agency, which is also the name of its role; raises `TheirFault` ``id.malformed``."""
    if type(text) is str and _AGENCY.match(text):
        return PartyId(text)
    raise TheirFault("id.malformed", f"an agency's code has one group of letters and digits: {str(text)[:40]!r}")


def metadata_name(role: str, version: int) -> str:
    """File name of one version of a role's metadata, ``timestamp`` excepted (it has one name)."""
    return f"{version}.{role}.json"


def shard_path(agency: PartyId, part: int) -> str:
    """TUF target path of a part of an agency's entries, such as ``H49/s00``."""
    return f"{agency}/s{part:02x}"


def read_shard_path(path: str) -> tuple[PartyId, int]:
    """Agency and part of a target path; raises `TheirFault` ``directory.wrong-path``."""
    found = _SHARD.match(path)
    if not found:
        raise TheirFault("directory.wrong-path", f"not the path of a shard: {path[:60]!r}")
    return PartyId(found[1]), int(found[2], 16)


def shard_name(path: str, sha256_hex: str) -> str:
    """File name of a shard: its digest stands before the last part of its path (TUF's consistent snapshots)."""
    folder, _, last = path.rpartition("/")
    return f"{folder}/{sha256_hex}.{last}"
