"""Timelines: what a document's evidence says, as plain rows, and as words for a clerk in English and Vietnamese.

Values and words only; whether the evidence holds is decided in `docaxis.core.evidence`. Times are shown as the clocks
of Vietnam show them (UTC+7, no summer time).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from docaxis.core.errors import REGISTRY, TheirFault
from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.lifecycle import CODE_VIETNAMESE, VIETNAMESE, Code, State

Language = Literal["both", "en", "vi"]
"""What a text is written in; ``both``: English first, Vietnamese beside it."""

RECIPIENTS_NAMED_MAX: Final = 8
"""The summary names the recipients in a state while they are no more than these; else it only counts them."""
_VIETNAM_OFFSET_MS: Final = 7 * 3_600_000
_DAY_MS: Final = 86_400_000


class Party(NamedTuple):
    """A party with its legal names as the directory's proof gives them."""

    id: PartyId
    name_vi: str
    name_en: str


class Row(NamedTuple):
    """One statement. `at_ms` is the time its author claims, `signed_ms` the time in the signed head; `notes` are keys
    of `NOTES`; `seq` counts within `epoch` of the author's log."""

    at_ms: int
    signed_ms: int
    recipient: PartyId
    by: Party
    code: Code
    epoch: int
    seq: int
    reason: str
    text: str
    actor: str
    key: KeyId
    id: bytes
    notes: tuple[str, ...]


class Fault(NamedTuple):
    """Why a transmission does not hold: the broken link, a code of the registry, and what was found there."""

    link: str
    code: str
    problem: str


class Transmission(NamedTuple):
    """One recipient: the state that follows from its rows, and the rows in the order in which they were kept. Where a
    party contradicts itself no state follows: `state` is None, and `fault` says why."""

    recipient: Party
    state: State | None
    rows: tuple[Row, ...]
    fault: Fault | None = None


class Timeline(NamedTuple):
    """A document's history as far as it was proved: who sent what when, what each recipient covered said, and who
    exported it when. `files` are names with sizes in bytes; `others` counts recipients whose history is not in this
    file."""

    doc: DocId
    sender: Party
    created_ms: int
    expires_ms: int
    key: KeyId
    meta: Mapping[str, str]
    files: tuple[tuple[str, int], ...]
    transmissions: tuple[Transmission, ...]
    others: int
    exporter: Party
    exported_ms: int

    @property
    def holds(self) -> bool:
        """Whether every transmission holds; what is said of the others stands in any case."""
        return all(each.fault is None for each in self.transmissions)


NOTES: Final[dict[str, tuple[str, str]]] = {
    "late": ("late or repeated; the state stays as it was", "đến muộn hoặc lặp lại; trạng thái giữ nguyên"),
    "epoch": (
        "this party's log began anew (restored from a backup)",
        "nhật ký của bên này bắt đầu lại (khôi phục từ bản sao lưu)",
    ),
    "successor": ("stated by the successor", "đơn vị kế thừa phát biểu thay"),
    "clock": (
        "the stated time and the time of signing differ by more than an hour",
        "giờ ghi trong phát biểu khác giờ ký quá một giờ",
    ),
    "unproved": ("its signature is not proved", "chữ ký chưa được chứng minh"),
}
"""What may be remarkable about a row, in English and Vietnamese; only ``unproved`` is wrong besides."""

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "holds": ("EVIDENCE HOLDS", "HỒ SƠ HỢP LỆ"),
    "broken": ("EVIDENCE DOES NOT HOLD", "HỒ SƠ KHÔNG HỢP LỆ"),
    "partly": ("EVIDENCE DOES NOT HOLD FOR", "HỒ SƠ KHÔNG HỢP LỆ ĐỐI VỚI"),
    "rest": ("EVIDENCE HOLDS FOR", "HỒ SƠ HỢP LỆ ĐỐI VỚI"),
    "fault": ("does not hold", "không hợp lệ"),
    "link": ("Broken link", "Chỗ bị đứt"),
    "doc": ("Document", "Mã văn bản"),
    "number": ("Number", "Số, ký hiệu"),
    "subject": ("Subject", "Trích yếu"),
    "file": ("File", "Tệp"),
    "from": ("From", "Bên gửi"),
    "sent": ("Sent", "Đã gửi"),
    "key": ("key", "khóa"),
    "to": ("Recipients", "Nơi nhận"),
    "nothing": ("no statement yet", "chưa có phát biểu nào"),
    "others": ("Recipients not in this file", "Nơi nhận không có trong hồ sơ này"),
    "exported": ("Exported", "Lập hồ sơ"),
    "times": ("Times of Vietnam", "Giờ Việt Nam"),
}


def moment(at_ms: int) -> str:
    """A time as Vietnam's clocks show it, such as ``2026-11-22 09:14:03``; the arithmetic holds for any year."""
    days, rest = divmod(at_ms + _VIETNAM_OFFSET_MS, _DAY_MS)
    seconds = rest // 1000
    year, month, day = _civil(days)
    return f"{year:04}-{month:02}-{day:02} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar whose years begin in March."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def code_words(code: Code, language: Language) -> str:
    """What a code says."""
    return _in((code.name.lower(), CODE_VIETNAMESE[code]), language)


def state_words(state: State, language: Language) -> str:
    """The name of a state."""
    return _in((state.name.lower(), VIETNAMESE[state]), language)


def render(timeline: Timeline, language: Language = "both") -> str:
    """The timeline as lines of text for a clerk: the verdict, a summary of all recipients, then each one's history."""
    lines = [*_verdict(timeline, language), *_about(timeline, language), *_summary(timeline, language)]
    for transmission in timeline.transmissions:
        lines += ["", *_transmission_lines(transmission, language)]
    return "\n".join(lines) + "\n"


def render_broken(link: str, fault: TheirFault, language: Language = "both") -> str:
    """The verdict on evidence that does not hold: the exact broken link, what it means, and what was found there."""
    found = Fault(link, fault.code, fault.detail.removeprefix(f"{link}: "))
    return "\n".join([_in(_WORDS["broken"], language), *_fault_lines(found, language)]) + "\n"


def _fault_lines(fault: Fault, language: Language) -> list[str]:
    known = REGISTRY[fault.code]
    lines = [_labelled("link", fault.link, language)] if fault.link else []
    lines += [f"{_in((known.title_en, known.title_vi), language)} ({fault.code})", _one_line(fault.problem)]
    return [line for line in lines if line]


def _verdict(timeline: Timeline, language: Language) -> Iterator[str]:
    """Whether all of it holds; else for whom it does not, and for whom it does."""
    if timeline.holds:
        yield _in(_WORDS["holds"], language)
        return
    for word, holds in (("partly", False), ("rest", True)):
        some = [each for each in timeline.transmissions if (each.fault is None) is holds]
        if some:
            yield f"{_in(_WORDS[word], language)} {len(some)}/{len(timeline.transmissions)}{_named(some)}"


def _about(timeline: Timeline, language: Language) -> Iterator[str]:
    """What the document is, from whom, and who exported its history; what is not known is left out."""
    meta = timeline.meta
    about = [
        ("doc", timeline.doc.hex()),
        ("number", "/".join(meta[part] for part in ("number", "notation") if part in meta)),
        ("subject", meta.get("subject", "")),
        *(("file", f"{_one_line(name)} ({size} B)") for name, size in timeline.files),
        ("from", _party(timeline.sender, language)),
        ("sent", f"{moment(timeline.created_ms)}  ({_in(_WORDS['key'], language)} {timeline.key.hex()})"),
        ("exported", f"{moment(timeline.exported_ms)}  {_party(timeline.exporter, language)}"),
        ("times", "UTC+7"),
    ]
    return (_labelled(word, text, language) for word, text in about if text)


def _summary(timeline: Timeline, language: Language) -> Iterator[str]:
    """How many recipients are in which state, the furthest first, and who they are where they are few."""
    yield _labelled("to", str(len(timeline.transmissions)), language)
    for state in sorted({each.state for each in timeline.transmissions if each.state is not None}, reverse=True):
        there = [each for each in timeline.transmissions if each.state is state]
        yield f"{len(there):6}  {state_words(state, language)}{_named(there)}"
    if faulty := [each for each in timeline.transmissions if each.fault is not None]:
        yield f"{len(faulty):6}  {_in(_WORDS['fault'], language)}{_named(faulty)}"
    if timeline.others:
        yield _labelled("others", str(timeline.others), language)


def _named(some: Sequence[Transmission]) -> str:
    return f": {', '.join(each.recipient.id for each in some)}" if len(some) <= RECIPIENTS_NAMED_MAX else ""


def _transmission_lines(transmission: Transmission, language: Language) -> list[str]:
    state, fault = transmission.state, transmission.fault
    shown = _in(_WORDS["fault"], language) if state is None else state_words(state, language)
    lines = [f"{_party(transmission.recipient, language)}: {shown}"]
    lines += [f"  {line}" for line in _fault_lines(fault, language)] if fault else []
    for row in transmission.rows:
        lines += _row_lines(row, language)
    return lines if transmission.rows else [*lines, f"  {_in(_WORDS['nothing'], language)}"]


def _row_lines(row: Row, language: Language) -> list[str]:
    said = f"{row.code.value} {code_words(row.code, language)}"
    by = f"{row.by.id}{f', {_one_line(row.actor)}' if row.actor else ''}"
    # the word for a key is the same in every row: one language is enough where lines are long
    key = _in(_WORDS["key"], "en" if language == "both" else language)
    lines = [f"  {moment(row.at_ms)}  {said}  {by}  ({key} {row.key.hex()})"]
    words = _one_line(" — ".join(part for part in (row.reason, row.text) if part))
    lines += [f"      {words}"] if words else []
    return lines + [f"      * {_in(NOTES[note], language)}" for note in row.notes]


def _party(party: Party, language: Language) -> str:
    return f"{party.id} {_in((party.name_en, party.name_vi), language)}".rstrip()


def _labelled(word: str, text: str, language: Language) -> str:
    return f"{_in(_WORDS[word], language)}: {_one_line(text)}"


def _in(pair: tuple[str, str], language: Language) -> str:
    """An English and a Vietnamese text, in the language asked for; each once, and neither where it is empty."""
    if language == "both":
        return " · ".join(dict.fromkeys(text for text in map(_one_line, pair) if text))
    return _one_line(pair[language == "vi"])


def _one_line(words: str) -> str:
    """Words of a party cannot pretend to be lines of ours, nor turn the reading direction of a terminal."""
    visible = ("".join(c if c.isprintable() else " " for c in line).strip() for line in words.splitlines())
    return " / ".join(line for line in visible if line)
