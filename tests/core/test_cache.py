"""The cache: what the machine may forget, and when."""

from docaxis.core import limits
from docaxis.core.cache import Cache
from docaxis.core.effects import PutRequest
from docaxis.core.ids import DocId, PartyId
from docaxis.core.intake import new_record
from docaxis.core.record import Loaded
from docaxis.core.wanted import Found, RecordKey, Wanted
from tests.core.story import an_envelope

TO = PartyId("H49")


def key(number: int) -> RecordKey:
    """The key of one of many records."""
    return DocId(number.to_bytes(32, "big")), TO


def record(number: int, tries: int = 0) -> Loaded:
    """One of many records; `tries` tells its versions apart."""
    made = new_record(key(number)[0], TO, an_envelope(), outgoing=False, now_ms=0)
    return Loaded(made._replace(tries=tries), b"", None)


def full_cache(turn: int) -> Cache:
    """One record more than the bound, all changed by event number `turn`."""
    cache = Cache()
    for number in range(limits.RECORDS_CACHED_MAX + 1):
        cache.put(record(number), turn)
    return cache


def test_what_is_known_wins_over_what_the_store_says() -> None:
    """A store answers as of its last commit; the machine is ahead of it."""
    cache = Cache()
    cache.put(record(1, tries=7), 1)
    cache.absorb(Found({key(1): record(1, tries=0)}, {}, frozenset(), {}, {}))
    found = cache.get(key(1))
    assert found is not None
    assert found.record.tries == 7


def test_only_what_is_not_known_is_asked_for_and_each_thing_once() -> None:
    """A question per item and per repetition is what makes stores slow."""
    cache = Cache()
    cache.put(record(1), 1)
    cache.put_object(b"known", 1)
    cache.put_request(PutRequest("known", b"", b"", 0), 1)
    wanted = Wanted((key(1), key(2), key(2)), ("known", "new"), (b"known", b"new", b"new"), (key(1)[0], key(1)[0]))
    assert cache.lacks(wanted) == Wanted((key(2),), ("new",), (b"new",), (key(1)[0],))


def test_what_is_not_durable_is_never_forgotten() -> None:
    """The store could not answer for it."""
    cache = full_cache(turn=5)
    cache.committed(4)
    assert cache.lacks(Wanted((key(0),))) == Wanted()


def test_what_is_durable_is_forgotten_beyond_the_bound_oldest_first() -> None:
    """Memory has a bound with a name."""
    cache = full_cache(turn=5)
    cache.committed(5)
    assert cache.lacks(Wanted((key(0), key(1)))) == Wanted((key(0),))
    assert cache.get(key(0)) is None
    assert cache.of_document(key(0)[0]) == []


def test_nothing_is_forgotten_between_the_question_and_the_use_of_the_answer() -> None:
    """A commit may return while the store is being asked; what was not asked for must still be known then."""
    cache = full_cache(turn=5)
    for number in range(limits.RECORDS_CACHED_MAX + 1):
        cache.put_object(number.to_bytes(4, "big"), 5)
        cache.put_request(PutRequest(str(number), b"", b"", 0), 5)
    assert cache.lacks(Wanted((key(0),), ("0",), (bytes(4),))) == Wanted()
    cache.committed(5)
    assert cache.get(key(0)) is not None
    assert cache.request("0") is not None
    assert cache.has_object(bytes(4))


def test_answers_and_objects_are_bounded_too() -> None:
    """They are remembered only until the store can answer for them."""
    cache = Cache()
    for number in range(limits.RECORDS_CACHED_MAX + 1):
        cache.put_object(number.to_bytes(4, "big"), number)
        cache.put_request(PutRequest(str(number), b"", b"", 0), number)
    cache.committed(limits.RECORDS_CACHED_MAX)
    cache.lacks(Wanted())
    assert not cache.has_object(bytes(4))
    assert cache.request("0") is None
    assert cache.has_object((1).to_bytes(4, "big"))


def test_all_records_of_a_document_are_found_together() -> None:
    """A recall without a name is for every recipient."""
    cache = Cache()
    other = record(1)._replace(record=record(1).record._replace(recipient=PartyId("H55")))
    cache.absorb(Found({}, {}, frozenset(), {key(1)[0]: (record(1), other)}, {}))
    assert {each.record.recipient for each in cache.of_document(key(1)[0])} == {"H49", "H55"}


def test_a_few_large_envelopes_weigh_as_much_as_many_small_ones() -> None:
    """A peer that sends envelopes with thousands of recipients would else fill the memory within the count."""
    cache = Cache()
    large = b"x" * limits.ENVELOPE_BYTES_MAX
    fit = limits.RECORDS_CACHED_BYTES_MAX // len(large)
    for number in range(2 * fit):
        cache.put(record(number)._replace(envelope=large), 1)
    every = Wanted(tuple(key(number) for number in range(2 * fit)))
    assert cache.lacks(every) == Wanted(), "nothing goes before it is durable"
    cache.committed(1)
    assert cache.lacks(every).records == every.records[:fit]
