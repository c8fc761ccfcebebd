"""The worthless seal: it must behave as a seal does, and never pass for a real one."""

from typing import Any

import pytest

from docaxis.core.ports import Seal
from docaxis.seal.paper import PaperSeal, paper_public
from docaxis.seal.sign import NodeSeal


def test_it_signs_and_verifies_as_a_seal_does() -> None:
    """The simulator's machines must see forged and altered statements fail."""
    seal: Seal = PaperSeal("H49", simulation=True)
    signature = seal.sign(b"word")
    assert seal.verify("paper", paper_public("H49"), b"word", signature)
    assert not seal.verify("paper", paper_public("H49"), b"words", signature)
    assert not seal.verify("paper", paper_public("H50"), b"word", signature)
    assert not seal.verify("ed25519", paper_public("H49"), b"word", signature)
    assert not seal.verify("paper", b"short", b"word", signature)


def test_the_same_name_gives_the_same_signature() -> None:
    """The same seed must give the same trace."""
    one, two = (PaperSeal("H49", simulation=True) for _ in range(2))
    assert (one.key_id, one.sign(b"x")) == (two.key_id, two.sign(b"x"))


def test_nobody_constructs_it_by_accident() -> None:
    """A node that signed with it would sign nothing."""
    careless: Any = PaperSeal
    with pytest.raises(TypeError):
        careless("H49")
    for word in (False, 1, "yes"):
        with pytest.raises(AssertionError):
            careless("H49", simulation=word)


def test_real_nodes_refuse_its_signatures() -> None:
    """Its algorithm is in no suite."""
    paper = PaperSeal("H49", simulation=True)
    assert not NodeSeal(bytes(32)).verify("paper", paper.public_key, b"word", paper.sign(b"word"))
