"""The wire: batches and answers read back as written, bounded, and refused with a code whatever comes."""

from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec, limits, wire
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.signed import Signed, sign_together
from docaxis.core.wire import Batch, Item, Outcome, Reply, Result
from tests.core.story import FIRST, SENDER, START_MS, seal_of

PARTIES = st.sampled_from([SENDER, FIRST, PartyId("H49.16.01")])
NUMBER = st.integers(0, 2**63 - 1)
SIGNED = st.lists(
    st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5).map(
        lambda bodies: sign_together(seal_of(SENDER), SENDER, bodies, START_MS)
    ),
    max_size=3,
).map(lambda groups: [each for group in groups for each in group])


def item_of(signed: Signed, kind: str = wire.STATEMENT, inline: tuple[bytes, ...] = ()) -> Item:
    """An object on its way."""
    return Item(kind, signed.id, signed, inline)


ITEMS = SIGNED.map(lambda group: tuple(item_of(each) for each in group))
BATCHES = st.builds(Batch, PARTIES, PARTIES, NUMBER.map(lambda n: max(1, n)), NUMBER, NUMBER, ITEMS)
RESULTS = st.builds(
    Result,
    st.sampled_from(Outcome),
    st.sampled_from(["", "envelope.expired"]),
    st.integers(0, limits.DAY_MS),
    st.none() | st.sampled_from(sign_together(seal_of(FIRST), FIRST, [b"one", b"two", b"three"], START_MS)),
)
REPLIES = st.builds(
    Reply,
    PARTIES,
    NUMBER.map(lambda n: max(1, n)),
    NUMBER,
    NUMBER,
    NUMBER,
    st.integers(0, limits.DAY_MS),
    st.lists(RESULTS, max_size=6).map(tuple),
)
ONE = sign_together(seal_of(SENDER), SENDER, [b"body"], START_MS)[0]
BATCH = codec.decode(
    wire.encode_batch(Batch(SENDER, FIRST, 1, 0, 7, (item_of(ONE, wire.ENVELOPE, (b"chunk",)),))), limits.MIB
)
REPLY = codec.decode(wire.encode_reply(Reply(FIRST, 1, 0, 7, 10, 0, (Result(Outcome.KEPT, "", 0, ONE),))), limits.MIB)


@given(BATCHES)
def test_a_batch_reads_back_as_it_was_written(batch: Batch) -> None:
    """Heads that items share are written once, and come back on each item."""
    raw = wire.encode_batch(batch)
    assert wire.decode_batch(raw) == batch
    assert len(codec.decode(raw, len(raw))["heads"]) == len({item.signed.head for item in batch.items})


@given(REPLIES)
def test_an_answer_reads_back_as_it_was_written(reply: Reply) -> None:
    """Results in the order of the items."""
    assert wire.decode_reply(wire.encode_reply(reply)) == reply


def test_inline_chunks_travel_with_their_envelope() -> None:
    """Small content needs no second request."""
    item = item_of(ONE, wire.ENVELOPE, (b"first chunk", b"second"))
    batch = Batch(SENDER, FIRST, 1, 0, 7, (item,))
    assert wire.decode_batch(wire.encode_batch(batch)).items[0].inline == (b"first chunk", b"second")


def test_the_id_of_a_batch_comes_from_its_items_in_order() -> None:
    """Derived from content, so that the same request has the same address."""
    first, second = (item_of(each) for each in sign_together(seal_of(SENDER), SENDER, [b"a", b"b"], START_MS))
    assert wire.batch_id([first, second]) == sha256(first.id + second.id).digest()
    assert wire.batch_id([first, second]) != wire.batch_id([second, first])


@given(st.binary(max_size=300))
def test_noise_is_refused_with_a_code(raw: bytes) -> None:
    """Nothing but a refusal is raised, whatever comes."""
    for read in (wire.decode_batch, wire.decode_reply):
        with pytest.raises(TheirFault):
            read(raw)


LEAVES = st.none() | st.booleans() | st.integers(-5, 300) | st.binary(max_size=40) | st.text(max_size=10)
NOISE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


@given(st.sampled_from(sorted(BATCH)), NOISE, st.data())
def test_any_value_in_any_field_is_read_or_refused_but_never_breaks_the_reader(
    field: str, noise: object, data: st.DataObject
) -> None:
    """Canonical nonsense: lists where text is expected, maps where numbers are."""
    value = {**BATCH, field: noise}
    if field == "items" and data.draw(st.booleans()):
        item = list(BATCH["items"][0])
        item[data.draw(st.integers(0, 5))] = noise
        value["items"] = [item]
    with suppress(TheirFault):
        wire.decode_batch(codec.encode(value))


def changed_item(place: int, value: object) -> dict[str, Any]:
    """The batch with one part of its item replaced."""
    item = list(BATCH["items"][0])
    item[place] = value
    return {"items": [item]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "batch/2"}, "codec.schema"),
        ({"from": "x"}, "id.malformed"),
        ({"to": None}, "id.malformed"),
        ({"epoch": 0}, "codec.schema"),
        ({"since": -1}, "codec.schema"),
        ({"dir": "7"}, "codec.schema"),
        ({"heads": [[b"", b""]] * (limits.BATCH_ITEMS_MAX + 1)}, "codec.schema"),
        ({"heads": [[bytes(limits.HEAD_BYTES_MAX + 1), b""]]}, "codec.schema"),
        ({"items": BATCH["items"] * (limits.BATCH_ITEMS_MAX + 1)}, "codec.schema"),
        ({"items": [[]]}, "codec.schema"),
        ({"more": 1}, "codec.schema"),
        (changed_item(0, "parcel"), "codec.schema"),
        (changed_item(0, ["envelope"]), "codec.schema"),
        (changed_item(0, {}), "codec.schema"),
        (changed_item(1, "text"), "codec.schema"),
        (changed_item(1, bytes(limits.ENVELOPE_BYTES_MAX + 1)), "codec.schema"),
        (changed_item(2, 1), "codec.schema"),
        (changed_item(2, -1), "codec.schema"),
        (changed_item(2, False), "codec.schema"),
        (changed_item(3, limits.TREE_LEAVES_MAX), "codec.schema"),
        (changed_item(4, [b"short"]), "codec.schema"),
        (changed_item(4, [bytes(32)] * 17), "codec.schema"),
        (changed_item(5, [b""]), "codec.schema"),
        (changed_item(5, ["text"]), "codec.schema"),
        (changed_item(5, [b"x"] * (limits.FILES_MAX + 1)), "codec.schema"),
        (changed_item(5, [bytes(limits.INLINE_BYTES_MAX), b"x"]), "codec.schema"),
    ],
)
def test_each_rule_of_a_batch_has_its_refusal(changes: dict[str, Any], code: str) -> None:
    """Specification: delivery.md."""
    with pytest.raises(TheirFault) as caught:
        wire.decode_batch(codec.encode({**BATCH, **changes}))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "reply/2"},
        {"epoch": 0},
        {"credit": -1},
        {"wait": limits.DAY_MS + 1},
        {"results": [["kept", "", 0]]},
        {"results": [["lost", "", 0, None]]},
        {"results": [[["kept"], "", 0, None]]},
        {"results": [["kept", "x" * 65, 0, None]]},
        {"results": [["kept", "", limits.DAY_MS + 1, None]]},
        {"results": [["kept", "", 0, [b"", 5, 0, []]]]},
        {"results": [["kept", "", 0, [b"", 0, 0]]]},
        {"results": [["kept", "", 0, [bytes(limits.STATEMENT_BYTES_MAX + 1), 0, 0, []]]]},
        {"results": [["kept", "", 0, None]] * (limits.BATCH_ITEMS_MAX + 1)},
    ],
)
def test_each_rule_of_an_answer_has_its_refusal(changes: dict[str, Any]) -> None:
    """Specification: delivery.md."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        wire.decode_reply(codec.encode({**REPLY, **changes}))


def test_a_statement_may_not_be_as_long_as_an_envelope() -> None:
    """Each kind has its own limit."""
    body = bytes(limits.STATEMENT_BYTES_MAX + 1)
    long = sign_together(seal_of(SENDER), SENDER, [body], START_MS)[0]
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        wire.decode_batch(wire.encode_batch(Batch(SENDER, FIRST, 1, 0, 7, (item_of(long),))))


def test_length_is_looked_at_first() -> None:
    """Nothing of an over-long request is read."""
    with pytest.raises(TheirFault, match=r"codec\.too-long"):
        wire.decode_batch(bytes(limits.BATCH_BYTES_MAX + 1))
    with pytest.raises(TheirFault, match=r"codec\.too-long"):
        wire.decode_reply(bytes(limits.ANSWER_BYTES_MAX + 1))


def test_a_full_batch_of_the_smallest_statements_stays_within_the_items_a_reader_accepts() -> None:
    """The two limits must not contradict each other: 256 items, each with its own head and the longest path."""
    path = tuple(bytes([number]) * 32 for number in range(limits.PATH_HASHES_MAX))
    group = [sign_together(seal_of(SENDER), SENDER, [bytes([n])], START_MS)[0] for n in range(limits.BATCH_ITEMS_MAX)]
    batch = Batch(SENDER, FIRST, 1, 0, 7, tuple(item_of(each._replace(path=path)) for each in group))
    assert wire.decode_batch(wire.encode_batch(batch)) == batch
