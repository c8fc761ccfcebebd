"""Shards: many entries packed into one file, and look-ups in it without unpacking.

A shard is checked whole once (form, placement, names inside its agency), then kept as the bytes that were signed plus
four bytes per entry: an entry is decoded when somebody asks for it. No signatures and no files here.
Specification: ``node/docs/spec/directory.md`` §4.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from docaxis.core import codec
from docaxis.core.addresses import Entry
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId, party_id
from docaxis.directory import layout
from docaxis.directory.entries import decode_entry, encode_entry

ENTRIES_DECODED_MAX: Final = 4_096
_FIELDS: Final = frozenset({"type", "agency", "part", "parts", "entries", "aliases", "nodes"})


def part_of(party: str, parts: int) -> int:
    """Which of an agency's `parts` holds an entry: the first 32 bits of the SHA-256 of its id, modulo `parts`."""
    return int.from_bytes(sha256(party.encode()).digest()[:4], "big") % parts


def is_confined(alias: str, agency: PartyId) -> bool:
    """Whether an alias lies in an agency's own name space: its first or its last group is the agency's code."""
    return alias.startswith(f"{agency}.") or alias.endswith(f".{agency}")


def pack(agency: PartyId, entries: Iterable[Entry]) -> list[bytes]:
    """The shards of an agency: one, or as many (a power of two) as keep each near `layout.SHARD_BYTES_WISHED`.

    Entries are placed by hash, so that a changed entry changes one shard. Raises `TheirFault` ``codec.too-long``.
    """
    packed = sorted((entry, encode_entry(entry)) for entry in entries)
    parts = 1
    while parts <= layout.SHARDS_PER_AGENCY_MAX:
        shards = _pack_into(agency, packed, parts)
        if max(map(len, shards)) <= layout.SHARD_BYTES_WISHED:
            return shards
        parts *= 2
    raise TheirFault("codec.too-long", f"the entries of {agency} do not fit {layout.SHARDS_PER_AGENCY_MAX} shards")


def _pack_into(agency: PartyId, packed: Sequence[tuple[Entry, bytes]], parts: int) -> list[bytes]:
    places: list[list[tuple[Entry, bytes]]] = [[] for _ in range(parts)]
    for pair in packed:
        places[part_of(pair[0].id, parts)].append(pair)
    return [
        codec.encode(
            {
                "type": "shard/1",
                "agency": agency,
                "part": part,
                "parts": parts,
                "entries": {entry.id: raw for entry, raw in place},
                "aliases": {alias: entry.id for entry, _ in place for alias in entry.aliases},
                "nodes": [entry.id for entry, _ in place if entry.endpoints],
            }
        )
        for part, place in enumerate(places)
    ]


class _PackedMap:
    """A canonical map of text to text or bytes, searched where it lies: only the places of its keys are kept."""

    __slots__ = ("_places", "_raw")

    def __init__(self, raw: bytes, start: int, decoded: Mapping[str, Any]) -> None:
        self._raw = raw
        self._places = array("I")
        for key, value in decoded.items():
            self._places.append(start)
            start += len(codec.encode(key)) + len(codec.encode(value))

    def __len__(self) -> int:
        return len(self._places)

    def key(self, index: int) -> str:
        """The key at a place in order."""
        return _text_at(self._raw, self._places[index])[0]

    def find(self, key: str) -> Any:
        """The value of a key, or None."""
        low, high = 0, len(self._places)
        while low < high:
            middle = (low + high) // 2
            found, end = _text_at(self._raw, self._places[middle])
            if found == key:
                return _value_at(self._raw, end)
            low, high = (middle + 1, high) if found < key else (low, middle)
        return None


def _text_at(raw: bytes, at: int) -> tuple[str, int]:
    """The text of at most 255 bytes at a place, and where it ends."""
    head = raw[at]
    start, length = (at + 2, raw[at + 1]) if head == 0xD9 else (at + 1, head & 0x1F)
    return raw[start : start + length].decode(), start + length


def _value_at(raw: bytes, at: int) -> str | bytes:
    """The text or bytes (bin 8, bin 16, bin 32) at a place."""
    width = {0xC4: 1, 0xC5: 2, 0xC6: 4}.get(raw[at])
    if width is None:
        return _text_at(raw, at)[0]
    start = at + 1 + width
    return raw[start : start + int.from_bytes(raw[at + 1 : start], "big")]


class Shard:
    """One part of an agency's entries, checked on birth; `sha256_hex` is what metadata calls it by."""

    __slots__ = ("_aliases", "_entries", "agency", "nodes", "part", "parts", "raw", "sha256_hex")

    def __init__(self, raw: bytes) -> None:
        """Raises `TheirFault` ``codec.*``, ``id.malformed``, ``directory.wrong-path`` or ``directory.malformed``."""
        value = codec.fields(codec.decode(raw, layout.SHARD_BYTES_MAX), _FIELDS, "shard")
        if value["type"] != "shard/1" or type(value["entries"]) is not dict or type(value["aliases"]) is not dict:
            raise codec.wrong("shard", "shard/1 with maps of entries and aliases")
        self.raw = raw
        self.sha256_hex = sha256(raw).hexdigest()
        self.agency = layout.agency_code(codec.text(value["agency"], "shard.agency", 8, 1))
        self.parts = codec.integer(value["parts"], "shard.parts", 1, layout.SHARDS_PER_AGENCY_MAX)
        self.part = codec.integer(value["part"], "shard.part", 0, self.parts - 1)
        self.nodes = codec.array(value["nodes"], "shard.nodes", len(value["entries"]), party_id)
        self._check_names(value["entries"], value["aliases"])
        self._index(value)

    def _check_names(self, entries: dict[str, Any], aliases: dict[str, Any]) -> None:
        inside = f"{self.agency}."
        for party, raw in entries.items():
            if not (party_id(party) == self.agency or party.startswith(inside)):
                raise TheirFault("directory.wrong-path", f"a shard of {self.agency} speaks for {party}")
            if type(raw) is not bytes or part_of(party, self.parts) != self.part:
                raise TheirFault("directory.malformed", f"{party} does not belong into part {self.part}")
        for alias, party in aliases.items():
            if len(alias.encode()) > 255 or type(party) is not str or party not in entries:
                raise TheirFault("directory.malformed", f"alias {alias[:40]!r} of {self.agency} leads nowhere")
            if not is_confined(alias, self.agency):
                raise TheirFault("directory.wrong-path", f"a shard of {self.agency} claims the name {alias}")
        if not entries.keys() >= set(self.nodes):
            raise TheirFault("directory.malformed", f"a shard of {self.agency} lists nodes it has no entry for")

    def _index(self, value: dict[str, Any]) -> None:
        start = 1 + sum(len(codec.encode(each)) for each in ("agency", self.agency, "aliases"))
        self._aliases = _PackedMap(self.raw, start + _map_head(value["aliases"]), value["aliases"])
        start += len(codec.encode(value["aliases"])) + len(codec.encode("entries"))
        self._entries = _PackedMap(self.raw, start + _map_head(value["entries"]), value["entries"])

    def count(self) -> int:
        """Number of entries; a part may have none."""
        return len(self._entries)

    @property
    def path(self) -> str:
        """Its TUF target path."""
        return layout.shard_path(self.agency, self.part)

    def parties(self) -> Iterator[PartyId]:
        """Every id, in order."""
        for index in range(len(self._entries)):
            yield PartyId(self._entries.key(index))

    def entry(self, party: str) -> Entry | None:
        """The entry of an id; None where there is none, or where its bytes are not what the format says.

        An agency that signs nonsense makes its own entry unusable, and nobody else's.
        """
        raw = self._entries.find(party)
        if raw is None:
            return None
        try:
            entry = decode_entry(raw)
        except TheirFault:
            return None
        return entry if entry.id == party else None

    def claim(self, alias: str) -> PartyId | None:
        """The id whose entry is said to bear an alias; that entry has the last word."""
        party = self._aliases.find(alias)
        return None if party is None else PartyId(party)

    def claims(self) -> Iterator[str]:
        """Every alias, in order."""
        for index in range(len(self._aliases)):
            yield self._aliases.key(index)


def _map_head(value: dict[str, Any]) -> int:
    """Bytes of the head of a map of that many keys."""
    return 1 if len(value) < 16 else 3 if len(value) < 65536 else 5


class Index:
    """All shards of one snapshot: `entry` finds entries, decoded on demand; `aliases` are the other spellings.

    Immutable, so that look-ups may go on while a successor is built in another thread. It has no length, on purpose:
    an index without aliases, or without entries, is not nothing.
    """

    def __init__(self, shards: Iterable[Shard]) -> None:
        """Raises `TheirFault` ``directory.malformed`` unless each agency's parts are complete."""
        self._agencies: dict[str, tuple[Shard, ...]] = {}
        grouped: dict[str, list[Shard]] = {}
        for shard in shards:
            grouped.setdefault(shard.agency, []).append(shard)
        for agency, parts in sorted(grouped.items()):
            parts.sort(key=lambda shard: shard.part)
            if [shard.part for shard in parts] != list(range(len(parts))) or {s.parts for s in parts} != {len(parts)}:
                raise TheirFault("directory.malformed", f"the shards of {agency} are not complete")
            self._agencies[agency] = tuple(parts)
        self.nodes = tuple(node for parts in self._agencies.values() for shard in parts for node in shard.nodes)
        self.entry = lru_cache(maxsize=ENTRIES_DECODED_MAX)(self._entry)
        self.aliases: Mapping[str, PartyId] = _Aliases(self)

    def _entry(self, party: PartyId) -> Entry | None:
        """The entry of an id, or None; no I/O."""
        shard = self.shard_of(party)
        return None if shard is None else shard.entry(party)

    def shard_of(self, party: PartyId) -> Shard | None:
        """The shard in which an id stands, if it does; None where its agency is unknown."""
        parts = self._agencies.get(layout.agency_of(party))
        return parts[part_of(party, len(parts))] if parts else None

    def shards(self) -> Iterator[Shard]:
        """Every shard, by agency and part."""
        for parts in self._agencies.values():
            yield from parts

    def shards_of(self, agency: str) -> tuple[Shard, ...]:
        """The parts of one agency, in order; empty where it is unknown."""
        return self._agencies.get(agency, ())

    def parties(self) -> Iterator[PartyId]:
        """Every id of the directory, by agency."""
        for shard in self.shards():
            yield from shard.parties()

    def count(self) -> int:
        """Number of entries."""
        return sum(shard.count() for shard in self.shards())


class _Aliases(Mapping[str, PartyId]):
    """Other spellings of ids, each with the id of the entry that bears it."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def __getitem__(self, text: str) -> PartyId:
        first, _, rest = text.partition(".")
        last = rest.rpartition(".")[2]
        for agency in (last, first):
            for shard in self._index.shards_of(agency):
                party = shard.claim(text)
                entry = self._index.entry(party) if party is not None else None
                if entry is not None and text in entry.aliases:
                    return entry.id
        raise KeyError(text)

    def __iter__(self) -> Iterator[str]:
        for shard in self._index.shards():
            yield from shard.claims()

    def __len__(self) -> int:
        return sum(1 for _ in self)
