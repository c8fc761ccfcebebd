"""Problem documents: what goes out, and what of a foreign one is believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.errors import REGISTRY, OurFault, TheirFault
from docaxis.transport.problems import problem_of, read_problem, status_of


@pytest.mark.parametrize("code", sorted(REGISTRY))
def test_every_code_has_a_status_that_says_refused(code: str) -> None:
    """A refusal that looked like a success would be a lost document."""
    assert 400 <= status_of(code) < 600
    problem = problem_of(TheirFault(code, "detail"))
    assert (problem.status == 503) == (problem.retry_after_s > 0)
    assert read_problem(problem.body) == (code, "detail")
    assert json.loads(problem.body)["title"] == REGISTRY[code].title_en


def test_a_fault_of_ours_is_told_without_its_detail() -> None:
    """Paths, addresses and reasons inside a node are for its operator."""
    problem = problem_of(OurFault("node.store", "/var/lib/docaxis/node.db is damaged"))
    assert (problem.status, b"var" in problem.body) == (503, False)


def test_a_detail_is_cut_to_a_bound() -> None:
    """It may quote what came in."""
    assert len(problem_of(TheirFault("codec.schema", "x" * 10_000)).body) < 600


@given(st.binary(max_size=200) | st.builds(lambda v: json.dumps(v).encode(), st.dictionaries(st.text(), st.text())))
def test_no_foreign_document_makes_the_reader_fail(body: bytes) -> None:
    """A peer's words are input like any other."""
    code, detail = read_problem(body)
    assert code == "" or code in REGISTRY
    assert detail == "" or detail.isprintable()


@given(st.text())
def test_a_foreign_detail_is_printable_and_short(detail: str) -> None:
    """It ends in a log that people read at a terminal."""
    body = json.dumps({"code": "party.unknown", "detail": detail}).encode()
    code, said = read_problem(body)
    assert code == "party.unknown"
    assert said == "" or said.isprintable()
    assert len(said) <= 300
