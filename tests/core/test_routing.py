"""Routing: every tier is reached by the same few rules, and no path ever leads in a circle."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.addresses import Book, Entry, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.routing import ANCESTORS_MAX, Hop, How, ancestors, next_hop

ME = PartyId("G22")


def entry(
    party: str,
    *,
    endpoint: bool = False,
    via: Iterable[str] = (),
    parent: str | None = None,
    status: Status = Status.OPEN,
    successors: Iterable[str] = (),
) -> Entry:
    """An entry with only what routing looks at; the parent follows from the code unless given."""
    above = parent if parent is not None else party.rpartition(".")[0] or None
    return Entry(
        id=PartyId(party),
        name_vi=party,
        name_en=party,
        kind="unit",
        parent=PartyId(above) if above else None,
        endpoints=(f"https://{party.lower()}.example:8443",) if endpoint else (),
        via=tuple(PartyId(each) for each in via),
        keys=(),
        certificates=(),
        aliases=(),
        status=status,
        successors=tuple(PartyId(each) for each in successors),
        not_before_ms=0,
        expires_ms=0,
        seq=1,
    )


def book(*entries: Entry) -> Book:
    """A book of these entries."""
    known = {each.id: each for each in entries}
    return Book(known.get, {}, 1, 0, {})


def hop(of: Book, dst: str, me: str = ME) -> Hop:
    """The next hop towards a code."""
    return next_hop(of, PartyId(me), PartyId(dst))


def test_a_party_with_an_endpoint_is_called_directly() -> None:
    """Agencies exchange without anybody in between."""
    found = hop(book(entry("G22", endpoint=True), entry("H49", endpoint=True)), "H49")
    assert found == Hop(PartyId("H49"), ("https://h49.example:8443",), How.DIRECT, PartyId("H49"))


def test_a_letter_to_oneself_stays_here() -> None:
    """A node never calls its own endpoint."""
    assert hop(book(entry("G22", endpoint=True)), "G22").how is How.LOCAL


def test_a_mailbox_hub_is_called_for_a_unit_without_an_endpoint() -> None:
    """The first hub in the entry's order that can be called is taken."""
    of = book(entry("H49", endpoint=True), entry("H49.16"), entry("H49.16.01", via=["H49.16", "H49"]), entry("G22"))
    assert hop(of, "H49.16.01")[:1] + hop(of, "H49.16.01")[2:] == ("H49", How.VIA, "H49.16.01")


def test_a_hub_keeps_what_is_for_its_own_mailboxes() -> None:
    """Whichever place it has among the hubs: it is at the goal already."""
    of = book(entry("H49", endpoint=True), entry("H49.16", endpoint=True), entry("H49.16.01", via=["H49.16", "H49"]))
    assert hop(of, "H49.16.01", me="H49.16").how is How.LOCAL
    assert hop(of, "H49.16.01", me="H49").how is How.LOCAL


def test_the_nearest_ancestor_answers_where_no_hub_is_named() -> None:
    """A commune whose district runs a node is reached there, not at the province."""
    of = book(entry("H49", endpoint=True), entry("H49.16", endpoint=True), entry("H49.16.01"))
    assert (hop(of, "H49.16.01").party, hop(of, "H49.16.01").how) == ("H49.16", How.ANCESTOR)


def test_an_ancestor_keeps_what_is_for_those_below_it() -> None:
    """Otherwise it would call itself."""
    of = book(entry("H49", endpoint=True), entry("H49.16.01", parent="H49"))
    assert hop(of, "H49.16.01", me="H49").how is How.LOCAL


@pytest.mark.parametrize("status", [Status.CLOSED, Status.SUSPENDED])
def test_who_is_not_open_is_no_hub_and_no_ancestor(status: Status) -> None:
    """A suspended district does not cut off its communes from the province."""
    of = book(
        entry("H49", endpoint=True),
        entry("H49.16", endpoint=True, status=status),
        entry("H49.16.01", via=["H49.16"]),
    )
    assert (hop(of, "H49.16.01").party, hop(of, "H49.16.01").how) == ("H49", How.ANCESTOR)


def test_without_any_endpoint_above_there_is_no_route() -> None:
    """The sender learns it at once, with its own code."""
    with pytest.raises(TheirFault) as caught:
        hop(book(entry("H49"), entry("H49.16")), "H49.16")
    assert caught.value.code == "party.no-route"


def test_mail_to_a_closed_code_goes_to_its_successor() -> None:
    """July 2025: what was addressed before the merger still arrives; the hop says who answers for it."""
    of = book(entry("H30", status=Status.CLOSED, successors=["H49"]), entry("H49", endpoint=True))
    found = hop(of, "H30")
    assert (found.party, found.recipient, found.how) == ("H49", "H49", How.DIRECT)


@pytest.mark.parametrize(("dst", "code"), [("H99", "party.unknown"), ("H31", "party.closed"), ("h49", "id.malformed")])
def test_what_cannot_be_resolved_is_refused_with_its_own_code(dst: str, code: str) -> None:
    """No hop is guessed."""
    with pytest.raises(TheirFault) as caught:
        hop(book(entry("H31", status=Status.CLOSED)), dst)
    assert caught.value.code == code


def test_parents_in_a_circle_end() -> None:
    """A directory gone wrong costs a look-up, not a node."""
    of = book(entry("H49.1", parent="H49.2"), entry("H49.2", parent="H49.1"))
    above = list(ancestors(of, entry("H49.1", parent="H49.2")))
    assert [each.id for each in above] == ["H49.2"]


def test_no_more_ancestors_are_asked_than_codes_have_groups() -> None:
    """A chain of parents as long as the directory is not followed."""
    chain = [entry(f"H49.{n}", parent=f"H49.{n + 1}") for n in range(30)]
    assert len(list(ancestors(book(*chain), chain[0]))) == ANCESTORS_MAX


@st.composite
def country(draw: st.DrawFn) -> list[Entry]:
    """Agencies and units three tiers deep, each with or without endpoint and hubs among its ancestors."""
    codes = ["H1", "H2"]
    for parent in [*codes]:
        for number in range(draw(st.integers(0, 2))):
            below = f"{parent}.{number}"
            codes += [below, *(f"{below}.{each}" for each in range(draw(st.integers(0, 2))))]
    entries = []
    for code in codes:
        groups = code.split(".")
        above = [".".join(groups[:depth]) for depth in range(len(groups) - 1, 0, -1)]
        via = draw(st.permutations(draw(st.lists(st.sampled_from(above), unique=True)))) if above else []
        entries.append(
            entry(
                code,
                endpoint=draw(st.booleans()),
                via=via,
                status=draw(st.sampled_from([Status.OPEN, Status.OPEN, Status.OPEN, Status.SUSPENDED])),
            )
        )
    return entries


@given(country(), st.data())
def test_a_path_has_at_most_one_hub_and_ends_at_the_recipient_or_where_its_mailbox_is(
    entries: list[Entry], data: st.DataObject
) -> None:
    """Depth falls with every hop, so one directory version holds no circle, whatever hubs it names."""
    of = book(*entries)
    codes = [each.id for each in entries]
    at, dst = data.draw(st.sampled_from(codes)), data.draw(st.sampled_from(codes))
    path = list(walk(of, at, dst))
    if path:
        assert len(path) <= 2
        assert path[-1].how is How.LOCAL
        assert dst == path[-1].party or dst.startswith(f"{path[-1].party}.")
    for each in path[:-1]:
        assert each.endpoints
        assert len(each.party.split(".")) <= len(dst.split("."))


def walk(of: Book, at: PartyId, dst: PartyId) -> Iterator[Hop]:
    """Every hop from `at` on, at most five; none where there is no route from the start."""
    for count in range(5):
        try:
            found = next_hop(of, at, dst)
        except TheirFault:
            if count:
                raise
            return
        yield found
        if found.how is How.LOCAL:
            return
        at = found.party
