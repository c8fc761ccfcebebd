"""Statements: read back as written, and each rule of a field refused with its code."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec, limits
from docaxis.core import statement as statements
from docaxis.core.errors import TheirFault
from docaxis.core.lifecycle import RECALL_ANSWERS, Code
from docaxis.core.statement import Statement
from tests.core.story import FIRST, SECOND, SENDER, a_statement

HASH = st.binary(min_size=32, max_size=32)
NUMBER = st.integers(0, 2**63 - 1)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)


@st.composite
def any_statement(draw: st.DrawFn) -> Statement:
    """A statement that keeps every rule."""
    code = draw(st.sampled_from(Code))
    return Statement(
        by=draw(st.sampled_from([SENDER, FIRST])),
        doc=draw(HASH),  # type: ignore[arg-type]
        sender=SENDER,
        recipient=draw(st.sampled_from([FIRST, SECOND])),
        code=code,
        epoch=draw(NUMBER.map(lambda n: max(1, n))),
        seq=draw(NUMBER.map(lambda n: max(1, n))),
        prev=draw(HASH),
        answers=draw(HASH) if code in RECALL_ANSWERS else None,  # type: ignore[arg-type]
        at_ms=draw(NUMBER),
        reason=draw(st.sampled_from(["", "envelope.expired"])),
        text=draw(WORDS),
        actor=draw(WORDS),
        dir=draw(NUMBER),
    )


@given(any_statement())
def test_a_statement_reads_back_as_it_was_written(said: Statement) -> None:
    """Every field, every code."""
    assert statements.decode(statements.encode(said)) == said


@given(st.binary(max_size=300))
def test_noise_is_refused_with_a_code(raw: bytes) -> None:
    """Nothing but a refusal is raised, whatever comes."""
    with pytest.raises(TheirFault):
        statements.decode(raw)


VALUE = codec.decode(statements.encode(a_statement()), limits.STATEMENT_BYTES_MAX)
BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "statement/2"}, "codec.schema"),
    ({"by": "h49"}, "id.malformed"),
    ({"doc": bytes(31)}, "codec.schema"),
    ({"from": ""}, "id.malformed"),
    ({"to": "H49..1"}, "id.malformed"),
    ({"code": "1"}, "codec.schema"),
    ({"code": "07"}, "codec.schema"),
    ({"code": 1}, "codec.schema"),
    ({"code": ["01"]}, "codec.schema"),
    ({"code": None}, "codec.schema"),
    ({"epoch": 0}, "codec.schema"),
    ({"seq": 0}, "codec.schema"),
    ({"seq": True}, "codec.schema"),
    ({"prev": None}, "codec.schema"),
    ({"re": bytes(32)}, "codec.schema"),
    ({"code": "15"}, "codec.schema"),
    ({"code": "16", "re": bytes(5)}, "codec.schema"),
    ({"code": "13", "re": bytes(32)}, "codec.schema"),
    ({"at": -1}, "codec.schema"),
    ({"reason": "x" * 65}, "codec.schema"),
    ({"text": "x" * (limits.REASON_CHARS_MAX + 1)}, "codec.schema"),
    ({"text": "\x1b[2J"}, "codec.schema"),
    ({"actor": "x" * 201}, "codec.schema"),
    ({"dir": -1}, "codec.schema"),
    ({"more": None}, "codec.schema"),
    ({"text": "x" * limits.STATEMENT_BYTES_MAX}, "codec.too-long"),
]


@pytest.mark.parametrize(("changes", "code"), BAD)
def test_each_rule_of_a_field_has_its_refusal(changes: dict[str, Any], code: str) -> None:
    """Specification: statement.md."""
    with pytest.raises(TheirFault) as caught:
        statements.decode(codec.encode({**VALUE, **changes}))
    assert caught.value.code == code


@pytest.mark.parametrize("field", sorted(VALUE))
def test_no_field_may_be_absent(field: str) -> None:
    """One form: absent and empty are not the same thing."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        statements.decode(codec.encode({name: VALUE[name] for name in VALUE if name != field}))


def test_the_longest_words_fit_into_the_longest_statement() -> None:
    """What the desk lets a clerk write must be readable for the peer: four bytes a character at worst."""
    wide = "\U0001f4dc"
    said = a_statement(
        by="A" * 8 + ".BBBBBBBB" * 3,
        text=wide * limits.REASON_CHARS_MAX,
        actor=wide * statements.ACTOR_CHARS_MAX,
        reason=wide * statements.REASON_CODE_CHARS_MAX,
        at_ms=2**63 - 1,
    )
    assert statements.decode(statements.encode(said)) == said
