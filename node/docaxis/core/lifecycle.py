"""Lifecycle of one document at one recipient: the table of states and codes, and how facts merge in any order.

Pure data and two small functions: `step` says what a party may state next, `merge` what a stated code does to
what is known. Who signs, stores or sends a statement is not decided here. `tools/draw` draws the table.
Codes after QCVN 102:2016/BTTTT as used on the axis; 00 and 91 are docaxis' own.
"""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from docaxis.core.errors import TheirFault
from docaxis.core.limits import RECALLS_MAX


class State(IntEnum):
    """States in the order of their rank: what is known never moves to a lower one."""

    SENT = 0
    HELD = 1
    EXPIRED = 2
    ARRIVED = 3
    REFUSED = 4
    RECEIVED = 5
    ASSIGNED = 6
    PROCESSING = 7
    COMPLETED = 8
    RECOVERED = 9


VIETNAMESE: Final = {
    State.SENT: "đã gửi",
    State.HELD: "đang chuyển tệp",
    State.EXPIRED: "hết hạn chuyển",
    State.ARRIVED: "đã đến",
    State.REFUSED: "từ chối tiếp nhận",
    State.RECEIVED: "đã tiếp nhận",
    State.ASSIGNED: "phân công xử lý",
    State.PROCESSING: "đang xử lý",
    State.COMPLETED: "hoàn thành",
    State.RECOVERED: "đã thu hồi",
}
FINAL: Final = frozenset({State.EXPIRED, State.REFUSED, State.RECOVERED})
"""States that a party's own act can no longer leave (completed can still be recalled)."""


class Code(StrEnum):
    """What a statement says. Two digits on the wire."""

    HELD = "00"
    ARRIVED = "01"
    REFUSED = "02"
    RECEIVED = "03"
    ASSIGNED = "04"
    PROCESSING = "05"
    COMPLETED = "06"
    RECALL = "13"
    AGREE = "15"
    DECLINE = "16"
    EXPIRED = "91"


CODE_VIETNAMESE: Final = {
    Code.HELD: "đang chuyển tệp",
    Code.ARRIVED: "đã đến",
    Code.REFUSED: "từ chối tiếp nhận",
    Code.RECEIVED: "đã tiếp nhận",
    Code.ASSIGNED: "phân công xử lý",
    Code.PROCESSING: "đang xử lý",
    Code.COMPLETED: "hoàn thành",
    Code.RECALL: "yêu cầu lấy lại",
    Code.AGREE: "đồng ý lấy lại",
    Code.DECLINE: "từ chối lấy lại",
    Code.EXPIRED: "hết hạn chuyển",
}
BY_SENDER: Final = frozenset({Code.RECALL, Code.EXPIRED})
"""Codes that only the document's sender may state; every other code belongs to the recipient."""
NEEDS_REASON: Final = frozenset({Code.REFUSED, Code.RECALL, Code.DECLINE})
BY_PEOPLE: Final = frozenset(
    {Code.REFUSED, Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED, Code.RECALL, Code.AGREE, Code.DECLINE}
)
"""Codes that people or their software state; the node itself states the others."""

TABLE: Final[dict[State, dict[Code, State]]] = {
    State.SENT: {
        Code.HELD: State.HELD,
        Code.ARRIVED: State.ARRIVED,
        Code.REFUSED: State.REFUSED,
        Code.EXPIRED: State.EXPIRED,
        Code.RECALL: State.SENT,
    },
    State.HELD: {
        Code.ARRIVED: State.ARRIVED,
        Code.REFUSED: State.REFUSED,
        Code.EXPIRED: State.EXPIRED,
        Code.RECALL: State.HELD,
    },
    State.ARRIVED: {
        Code.REFUSED: State.REFUSED,
        Code.RECEIVED: State.RECEIVED,
        Code.ASSIGNED: State.ASSIGNED,
        Code.PROCESSING: State.PROCESSING,
        Code.COMPLETED: State.COMPLETED,
        Code.RECALL: State.ARRIVED,
    },
    State.RECEIVED: {
        Code.ASSIGNED: State.ASSIGNED,
        Code.PROCESSING: State.PROCESSING,
        Code.COMPLETED: State.COMPLETED,
        Code.RECALL: State.RECEIVED,
    },
    State.ASSIGNED: {Code.PROCESSING: State.PROCESSING, Code.COMPLETED: State.COMPLETED, Code.RECALL: State.ASSIGNED},
    State.PROCESSING: {Code.COMPLETED: State.COMPLETED, Code.RECALL: State.PROCESSING},
    State.COMPLETED: {Code.RECALL: State.COMPLETED},
    State.EXPIRED: {},
    State.REFUSED: {},
    State.RECOVERED: {},
}
"""What may be stated next while no recall is waiting for its answer. A recall leaves the state as it is."""

RECALL_ANSWERS: Final = {Code.AGREE, Code.DECLINE}
"""What the recipient may state while a recall is waiting: 15 leads to recovered, 16 back to the state before."""

_REACHES: Final = {
    Code.HELD: State.HELD,
    Code.ARRIVED: State.ARRIVED,
    Code.REFUSED: State.REFUSED,
    Code.RECEIVED: State.RECEIVED,
    Code.ASSIGNED: State.ASSIGNED,
    Code.PROCESSING: State.PROCESSING,
    Code.COMPLETED: State.COMPLETED,
    Code.EXPIRED: State.EXPIRED,
}


class Standing(NamedTuple):
    """What is known of one document at one recipient; a join-semilattice, so that order of arrival never matters.

    `progress` is the highest state stated; `recalls` and `declined` are the ids of the sender's recalls and of
    those among them that were declined, sorted; `agreed` says that one was agreed to.
    """

    progress: State = State.SENT
    recalls: tuple[bytes, ...] = ()
    declined: tuple[bytes, ...] = ()
    agreed: bool = False

    @property
    def state(self) -> State:
        """The state people see."""
        return State.RECOVERED if self.agreed else self.progress

    @property
    def waiting_recall(self) -> bytes | None:
        """Id of a recall that nobody has answered yet, or None."""
        if self.agreed:
            return None
        return next((recall for recall in self.recalls if recall not in self.declined), None)


def merge(standing: Standing, code: Code, statement: bytes, answers: bytes | None) -> Standing:
    """What is known after a statement: `statement` is its id, `answers` the id of the recall it answers, if any.

    Commutative, associative and idempotent over statements.
    """
    if code in _REACHES:
        return standing._replace(progress=max(standing.progress, _REACHES[code]))
    if code is Code.AGREE:
        return standing._replace(agreed=True)
    if code is Code.RECALL:
        return standing._replace(recalls=_with(standing.recalls, statement))
    assert code is Code.DECLINE
    return standing._replace(declined=_with(standing.declined, answers or b""))


def _with(ids: tuple[bytes, ...], more: bytes) -> tuple[bytes, ...]:
    """The ids with one more, bounded: keeping the smallest is a join too, and no flood of recalls fills a record."""
    return ids if more in ids else tuple(sorted((*ids, more)))[:RECALLS_MAX]


def allowed(standing: Standing, by_sender: bool) -> list[Code]:
    """The codes that this side may state next."""
    if standing.agreed:
        return []
    if standing.waiting_recall is not None:
        return [] if by_sender else sorted(RECALL_ANSWERS)
    return [code for code in TABLE[standing.progress] if (code in BY_SENDER) == by_sender]


def require(standing: Standing, code: Code, by_sender: bool) -> None:
    """Raises `TheirFault` ``lifecycle.not-allowed`` unless this side may state `code` now."""
    possible = allowed(standing, by_sender)
    if code not in possible:
        now = standing.state.name.lower() + (", recall waiting" if standing.waiting_recall else "")
        choices = ", ".join(f"{each.value} {each.name.lower()}" for each in possible) or "nothing"
        raise TheirFault(
            "lifecycle.not-allowed", f"{code.value} {code.name.lower()} in state {now}; possible: {choices}"
        )
