"""Trees: RFC 9162's own numbers, every path of every small tree, and no other path."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.tree import leaf_hash, root_and_paths, root_from_path, root_of

# The eight leaves, the roots and the paths that the test suites of Certificate Transparency have shared since RFC 6962.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes(count: int) -> list[bytes]:
    """Leaf hashes of as many different leaves."""
    return [leaf_hash(str(number).encode()) for number in range(count)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 §2.1.1, word by word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_by_definition(leaves[:split]) + root_by_definition(leaves[split:])).digest()


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    """Numbers that others computed."""
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:count]]
    assert root_and_paths(leaves)[0].hex() == ROOTS[count - 1]
    assert root_of(leaves).hex() == ROOTS[count - 1]


def test_a_path_is_that_of_certificate_transparency() -> None:
    """Leaf 5 of 8 (counted from 0), from the same suites."""
    _, paths = root_and_paths([leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES])
    assert [each.hex() for each in paths[5]] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.parametrize("count", range(1, 71))
def test_every_path_leads_to_the_root_and_the_root_is_the_defined_one(count: int) -> None:
    """All shapes of small trees, complete or not."""
    leaves = hashes(count)
    root, paths = root_and_paths(leaves)
    assert root == root_by_definition(leaves) == root_of(leaves)
    for index, path in enumerate(paths):
        assert root_from_path(leaves[index], index, count, path) == root


@given(st.integers(1, 3_000), st.data())
def test_a_path_holds_for_its_own_leaf_place_and_count_only(count: int, data: st.DataObject) -> None:
    """Another leaf, index, count, a path cut, lengthened or turned: another root, or none."""
    leaves = hashes(count)
    root, paths = root_and_paths(leaves)
    index = data.draw(st.integers(0, count - 1))
    path = paths[index]
    assert root_from_path(leaves[index], index, count, path) == root
    assert root_from_path(leaf_hash(b"another"), index, count, path) != root
    other = data.draw(st.integers(0, 2 * count))
    if other != index:
        assert root_from_path(leaves[index], other, count, path) != root
    assert root_from_path(leaves[index], index, count, (*path, bytes(32))) is None
    for cut in range(len(path)):
        assert root_from_path(leaves[index], index, count, path[:cut]) is None
        changed = (*path[:cut], sha256(path[cut]).digest(), *path[cut + 1 :])
        assert root_from_path(leaves[index], index, count, changed) != root


@pytest.mark.parametrize(("index", "count"), [(0, 0), (1, 1), (-1, 1), (5, 3)])
def test_a_place_outside_the_tree_has_no_path(index: int, count: int) -> None:
    """An index is below the count."""
    assert root_from_path(leaf_hash(b""), index, count, ()) is None


@given(st.integers(1, 70), st.integers(1, 200))
def test_a_count_that_needs_another_path_length_is_refused(index_of: int, count: int) -> None:
    """Where the length of the path decides, it decides strictly."""
    leaves = hashes(70)
    _, paths = root_and_paths(leaves)
    index = index_of - 1
    found = root_from_path(leaves[index], index, count, paths[index])
    same_shape = index < count and _path_length(index, count) == len(paths[index])
    assert (found is not None) == same_shape


def _path_length(index: int, count: int) -> int:
    if count == 1:
        return 0
    split = 1 << (count - 1).bit_length() - 1
    return 1 + (_path_length(index, split) if index < split else _path_length(index - split, count - split))
