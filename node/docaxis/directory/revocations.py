"""Revocations: signed words against keys, checked against the directory in hand, and kept within bounds.

The rules are `docaxis.core.trust`'s; here they meet the officers and entries of a verified directory, and the curve.
Nothing is fetched, and nothing written: values in, values out, so that a thread may do it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.trust import (
    REVOCATIONS_BYTES_MAX,
    REVOCATIONS_MAX,
    Revocation,
    SignedRevocation,
    check_revocation,
    decode_revocation,
    encode_revocations,
    merge_revocations,
    trimmed,
)
from docaxis.directory import layout
from docaxis.directory.entries import certificate_key_id
from docaxis.directory.renewal import Accepted
from docaxis.seal.sign import verify

KEYS_MAX: Final = 16 * REVOCATIONS_MAX
"""Keys that a node remembers as revoked; a bound for those who revoke without end."""
AGENCY_WORDS_MAX: Final = REVOCATIONS_MAX // 4
"""Words about one agency's keys that are handed on, so that none can crowd out the others. All are honoured."""
_HEADER_BYTES: Final = 5
"""The most that the encoding of a file's array adds to its items."""


class Word(NamedTuple):
    """A revocation that holds, its bytes with the signatures that count, and how many bytes it adds to a file."""

    revocation: Revocation
    signed: SignedRevocation
    size_bytes: int


class Judged(NamedTuple):
    """A file of revocations, word by word: what holds and is not known yet, how many are known, and what the others
    fail by."""

    good: tuple[Word, ...]
    known: int
    faults: tuple[TheirFault, ...]


class Revoked(NamedTuple):
    """Revoked keys with the earliest time stated for each, for ever; and for as many as may be handed on, a word that
    the directory in hand bears out."""

    times: Mapping[KeyId, int]
    words: Mapping[KeyId, Word]

    def judge(self, signed: Iterable[SignedRevocation], accepted: Accepted) -> Judged:
        """Checks words; costs up to some milliseconds for each that is not known."""
        good, known, faults = [], 0, []
        for each in signed:
            try:
                revocation = decode_revocation(each.body)
                if _at_least(self.words, revocation):
                    known += 1
                else:
                    short = checked(each, accepted)
                    good.append(Word(revocation, short, len(encode_revocations([short]))))
            except TheirFault as fault:
                faults.append(fault)
        return Judged(tuple(good), known, tuple(faults))

    def with_words(self, good: Sequence[Word]) -> "Revoked":
        """The same with more; in whatever order words come, the same keys are revoked since the same times."""
        times = merge_revocations(self.times, [word.revocation for word in good])
        if len(times) > KEYS_MAX:
            times = dict(list(times.items())[:KEYS_MAX])
        shelf = _Shelf(self.words)
        for word in good:
            shelf.add(word)
        return Revoked(times, shelf.words)

    def obsolete(self, accepted: Accepted) -> frozenset[Word]:
        """Words that these officers do not bear out any more: to anybody else they prove nothing."""
        judged = NOTHING_REVOKED.judge([word.signed for word in self.words.values()], accepted)
        sound = {word.revocation for word in judged.good}
        return frozenset(word for word in self.words.values() if word.revocation not in sound)

    def without(self, obsolete: frozenset[Word]) -> "Revoked":
        """The same keys, without these words."""
        return Revoked(self.times, {key: word for key, word in self.words.items() if word not in obsolete})

    def file(self) -> bytes:
        """The file that is handed on."""
        return encode_revocations([word.signed for word in self.words.values()])


NOTHING_REVOKED: Final = Revoked({}, {})


def _at_least(words: Mapping[KeyId, Word], revocation: Revocation) -> bool:
    """Whether the words say as much already."""
    word = words.get(revocation.key)
    return word is not None and word.revocation.from_ms <= revocation.from_ms


class _Shelf:
    """Words that are handed on: the file stays readable, and each agency leaves room to the others."""

    def __init__(self, words: Mapping[KeyId, Word]) -> None:
        self.words = dict(words)
        self._bytes = _HEADER_BYTES + sum(word.size_bytes for word in words.values())
        self._of_agency = Counter(_agency(word) for word in words.values())

    def add(self, word: Word) -> None:
        """Takes it, unless it says no more than what is there, or there is no room."""
        if _at_least(self.words, word.revocation):
            return
        before = self.words.pop(word.revocation.key, None)
        if before is not None:
            self._count(before, -1)
        if self._has_room(word):
            self.words[word.revocation.key] = word
            self._count(word, 1)

    def _has_room(self, word: Word) -> bool:
        return (
            len(self.words) < REVOCATIONS_MAX
            and self._of_agency[_agency(word)] < AGENCY_WORDS_MAX
            and self._bytes + word.size_bytes <= REVOCATIONS_BYTES_MAX
        )

    def _count(self, word: Word, sign: int) -> None:
        self._bytes += sign * word.size_bytes
        self._of_agency[_agency(word)] += sign


def _agency(word: Word) -> PartyId:
    return layout.agency_of(word.revocation.party)


def checked(signed: SignedRevocation, accepted: Accepted) -> SignedRevocation:
    """The word with the signatures that count, where enough officers of this directory signed it.

    Raises `TheirFault` ``codec.*``, ``id.malformed``, ``directory.threshold`` or ``directory.wrong-path``.
    """
    root = accepted.authorities["root"]
    agency = accepted.authorities.get(layout.agency_of(decode_revocation(signed.body).party))

    def owned(revocation: Revocation) -> bool:
        entry = accepted.entries.entry(revocation.party)
        keys = {key.id for key in entry.keys} | {certificate_key_id(der) for der in entry.certificates} if entry else ()
        return revocation.key in keys

    short = trimmed(signed, [root, agency] if agency else [root], verify)
    check_revocation(short, root, agency, owned, verify)
    return short
