"""RFC 9162 Merkle trees: what is produced together is signed once, and each leaf is provable alone.

Hashing only. What a leaf is, who signs a root and whether the signature holds is said elsewhere.
"""

from collections.abc import Sequence
from hashlib import sha256

from docaxis.core.limits import TREE_LEAVES_MAX

_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), RFC 9162 §2.1.1; it doubles as the id of the object that is the leaf."""
    return sha256(_LEAF + leaf).digest()


def root_and_paths(leaves: Sequence[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """The root over leaf hashes, and for each leaf its inclusion path, lowest first (RFC 9162 §2.1.3.1).

    `leaves` are leaf hashes, at least one, at most `TREE_LEAVES_MAX`.
    """
    assert 0 < len(leaves) <= TREE_LEAVES_MAX
    paths: list[list[bytes]] = [[] for _ in leaves]
    level = [(hashed, range(index, index + 1)) for index, hashed in enumerate(leaves)]
    while len(level) > 1:
        level = _raise_level(level, paths)
    return level[0][0], [tuple(path) for path in paths]


def _raise_level(level: list[tuple[bytes, range]], paths: list[list[bytes]]) -> list[tuple[bytes, range]]:
    """Pairs neighbours; an odd one out rises unchanged, which is exactly RFC 9162's split at powers of two."""
    above = []
    for left in range(0, len(level) - 1, 2):
        (left_hash, left_span), (right_hash, right_span) = level[left], level[left + 1]
        for index in left_span:
            paths[index].append(right_hash)
        for index in right_span:
            paths[index].append(left_hash)
        above.append((sha256(_NODE + left_hash + right_hash).digest(), range(left_span.start, right_span.stop)))
    if len(level) % 2:
        above.append(level[-1])
    return above


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root alone, for lists whose paths nobody needs (chunk lists)."""
    level = list(leaves)
    assert level
    while len(level) > 1:
        paired = [sha256(_NODE + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


def root_from_path(hashed: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """The root that `path` leads to from a leaf hash at `index` of `count`, or None if the path has a wrong length.

    The algorithm of RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < count:
        return None
    node, last = index, count - 1
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            hashed = sha256(_NODE + sibling + hashed).digest()
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            hashed = sha256(_NODE + hashed + sibling).digest()
        node >>= 1
        last >>= 1
    return hashed if last == 0 else None
