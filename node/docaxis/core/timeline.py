"""Timelines: what a document's evidence says, as plain rows, and as words for a clerk in Vietnamese or English.

Values and words only; whether the evidence holds is decided in `docaxis.core.evidence`. Times are shown as the clocks
of Vietnam show them (UTC+7, no summer time).
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.lifecycle import CODE_VIETNAMESE, VIETNAMESE, Code, State

Language = Literal["vi", "en"]

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


class Transmission(NamedTuple):
    """One recipient: the state that follows from its rows, and the rows in the order in which they were kept."""

    recipient: Party
    state: State
    rows: tuple[Row, ...]


class Timeline(NamedTuple):
    """A document's history that was proved: who sent what when, what each recipient covered said, and who exported it
    when. `files` are names with sizes in bytes; `others` counts recipients whose history is not in this file."""

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


NOTES: Final[dict[str, tuple[str, str]]] = {
    "late": ("đến muộn hoặc lặp lại; trạng thái giữ nguyên", "late or repeated; the state stays as it was"),
    "epoch": (
        "nhật ký của bên này bắt đầu lại (khôi phục từ bản sao lưu)",
        "this party's log began anew (restored from a backup)",
    ),
    "successor": ("đơn vị kế thừa phát biểu thay", "stated by the successor"),
    "clock": (
        "giờ ghi trong phát biểu khác giờ ký quá một giờ",
        "the stated time and the time of signing differ by more than an hour",
    ),
}
"""What may be remarkable about a row without being wrong, in Vietnamese and English."""

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "vi": {
        "title": "HỒ SƠ HỢP LỆ",
        "doc": "Mã văn bản",
        "number": "Số, ký hiệu",
        "subject": "Trích yếu",
        "file": "Tệp",
        "bytes": "byte",
        "from": "Bên gửi",
        "sent": "đã gửi",
        "key": "khóa",
        "state": "trạng thái",
        "nothing": "chưa có phát biểu nào",
        "others": "nơi nhận khác không có trong hồ sơ này",
        "exported": "Hồ sơ do",
        "at": "lập lúc",
        "zone": "Giờ Việt Nam (UTC+7).",
    },
    "en": {
        "title": "THE EVIDENCE HOLDS",
        "doc": "Document",
        "number": "Number",
        "subject": "Subject",
        "file": "File",
        "bytes": "bytes",
        "from": "From",
        "sent": "sent",
        "key": "key",
        "state": "state",
        "nothing": "no statement yet",
        "others": "other recipients are not covered by this file",
        "exported": "Exported by",
        "at": "at",
        "zone": "Times of Vietnam (UTC+7).",
    },
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
    return CODE_VIETNAMESE[code] if language == "vi" else code.name.lower()


def state_words(state: State, language: Language) -> str:
    """The name of a state."""
    return VIETNAMESE[state] if language == "vi" else state.name.lower()


def render(timeline: Timeline, language: Language) -> str:
    """The timeline as lines of text for a clerk."""
    lines = [*_opening(timeline, language)]
    for transmission in timeline.transmissions:
        lines += ["", *_transmission_lines(transmission, language)]
    words = _WORDS[language]
    closing = f"{words['exported']} {_party(timeline.exporter, language)} {words['at']} {moment(timeline.exported_ms)}"
    others = [f"({timeline.others} {words['others']})"] if timeline.others else []
    return "\n".join([*lines, "", *others, f"{closing}. {words['zone']}"]) + "\n"


def _opening(timeline: Timeline, language: Language) -> list[str]:
    words, meta = _WORDS[language], timeline.meta
    number = "/".join(meta[part] for part in ("number", "notation") if part in meta)
    about = [
        (words["doc"], timeline.doc.hex()),
        (words["number"], number),
        (words["subject"], _one_line(meta.get("subject", ""))),
        *((words["file"], f"{_one_line(name)} ({size} {words['bytes']})") for name, size in timeline.files),
        (words["from"], _party(timeline.sender, language)),
    ]
    sent = f"{moment(timeline.created_ms)}  {words['sent']}  ({words['key']} {timeline.key.hex()})"
    return [words["title"], *(f"{label}: {value}" for label, value in about if value), sent]


def _transmission_lines(transmission: Transmission, language: Language) -> list[str]:
    words = _WORDS[language]
    state = state_words(transmission.state, language)
    lines = [f"{_party(transmission.recipient, language)}: {words['state']} {state}"]
    for row in transmission.rows:
        lines += _row_lines(row, language)
    return lines if transmission.rows else [*lines, f"  {words['nothing']}"]


def _row_lines(row: Row, language: Language) -> list[str]:
    said = f"{row.code.value} {code_words(row.code, language)}"
    by = f"{row.by.id}{f', {_one_line(row.actor)}' if row.actor else ''}"
    lines = [f"  {moment(row.at_ms)}  {said}  {by}  ({_WORDS[language]['key']} {row.key.hex()})"]
    words = _one_line(" — ".join(part for part in (row.reason, row.text) if part))
    lines += [f"      {words}"] if words else []
    return lines + [f"      * {NOTES[note][0 if language == 'vi' else 1]}" for note in row.notes]


def _party(party: Party, language: Language) -> str:
    name = party.name_vi if language == "vi" else party.name_en
    return f"{party.id} {name}" if name else party.id


def _one_line(words: str) -> str:
    """Words of a party cannot pretend to be lines of ours, nor turn the reading direction of a terminal."""
    visible = ("".join(c if c.isprintable() else " " for c in line).strip() for line in words.splitlines())
    return " / ".join(line for line in visible if line)
