"""The page about transport says what the code does: statuses, limits, settings, types and paths."""

import re
from pathlib import Path

import pytest

from docaxis.core import limits
from docaxis.core.errors import REGISTRY
from docaxis.seal import certificates
from docaxis.transport import base
from docaxis.transport.problems import status_of

SPEC = Path(__file__).resolve().parents[2] / "node/docs/spec"
PAGE = (SPEC / "transport.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table after a line of the page."""
    found = re.search(r"(?:^\|.*\n)+", PAGE.split(f"{heading}\n", 1)[1], re.MULTILINE)
    assert found is not None
    return [
        [cell.strip().strip("`") for cell in line.strip("|\n").split("|")] for line in found.group().splitlines()[2:]
    ]


def test_every_code_has_the_status_of_the_page() -> None:
    """A stranger's node reacts to statuses and codes as they are written there."""
    rows = table("## Refusals")
    assert {code: int(status) for code, status, _ in rows} == {code: status_of(code) for code, _, _ in rows}


def test_every_code_on_the_page_is_in_the_registry() -> None:
    """No page promises a code that nobody sends."""
    rooms = "|".join({code.split(".")[0] for code in REGISTRY})
    assert set(re.findall(rf"`((?:{rooms})\.[a-z-]+)`", PAGE)) <= set(REGISTRY)


def test_every_limit_has_the_value_of_the_page() -> None:
    """Numbers in prose go stale; these cannot."""
    for name, value, _ in table("## Limits"):
        found = getattr(limits, name, None) or getattr(base, name)
        assert int(value.replace(",", "")) == found, name
    assert f"at most {certificates.CERTIFICATE_BYTES_MAX:,} bytes of DER" in PAGE
    assert f"at most {base.DIRECTORY_NAME_CHARS_MAX} characters" in PAGE


@pytest.mark.parametrize(
    ("heading", "settings"),
    [("Of a listener:", base.SERVER_DEFAULTS), ("Of a caller:", base.CLIENT_DEFAULTS)],
)
def test_every_setting_has_the_value_of_the_page(
    heading: str, settings: base.ServerSettings | base.ClientSettings
) -> None:
    """What operators read is what nodes do."""
    for name, value, _ in table(heading):
        assert float(value) == getattr(settings, name), name


@pytest.mark.parametrize("word", [base.MEDIA_BATCH, base.MEDIA_REPLY, base.MEDIA_PROBLEM, base.IN, base.CONTENT])
def test_types_and_paths_are_those_of_the_code(word: str) -> None:
    """Two implementations meet at these strings."""
    assert f"`{word}" in PAGE or f" {word}" in PAGE


def test_the_names_in_the_example_are_made_by_the_rule() -> None:
    """The rule is one line, and the example must follow it."""
    for party, name in re.findall(r"`(H49\.16)` bears `([a-z0-9.]+)`", PAGE):
        assert certificates.tls_name(party) == name


def test_every_link_leads_to_a_page() -> None:
    """Pages refer to each other by name."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", PAGE):
        assert (SPEC / target).exists(), target
