"""Errors: every code is stable, told in two languages, and known to the registry."""

import re

import pytest

from docaxis.core.errors import REGISTRY, DocaxisError, OurFault, TheirFault


@pytest.mark.parametrize("code", sorted(REGISTRY))
def test_each_code_has_its_form_a_status_two_titles_and_a_remedy(code: str) -> None:
    """What software relies on, and what people read."""
    known = REGISTRY[code]
    assert re.fullmatch(r"[a-z]+\.[a-z-]+", code)
    assert 400 <= known.status < 600
    assert known.title_en
    assert known.title_vi
    assert known.remedy.endswith(".")


def test_an_error_says_its_title_its_code_and_the_detail() -> None:
    """One line for people, with the word that software looks for."""
    assert str(TheirFault("codec.malformed", "cut short")) == "Not readable (codec.malformed): cut short"
    assert str(OurFault("node.keys")) == "The keys cannot be opened (node.keys)"


def test_a_code_that_nobody_registered_is_a_mistake_of_ours() -> None:
    """The registry is the only list."""
    with pytest.raises(AssertionError):
        TheirFault("no.such-code")


def test_both_branches_are_one_family() -> None:
    """Whose fault is the first question; one clause catches both."""
    assert issubclass(OurFault, DocaxisError)
    assert issubclass(TheirFault, DocaxisError)
    assert not issubclass(TheirFault, OurFault)
