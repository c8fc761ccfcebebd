"""Errors: one family, two branches (ours, theirs), each with a stable code that software may rely on.

The registry below is the only list of codes; the API's problem documents and the specification are checked
against it. No message may hold a secret, and nothing here decides what happens after an error.
"""

from typing import Final, NamedTuple


class Known(NamedTuple):
    """What a reader is told about a code: HTTP status of the local API, English and Vietnamese title, remedy."""

    status: int
    title_en: str
    title_vi: str
    remedy: str


REGISTRY: Final[dict[str, Known]] = {
    # input that cannot be read
    "codec.too-long": Known(413, "Too long", "Quá dài", "Send less in one message; the limit is in the detail."),
    "codec.malformed": Known(400, "Not readable", "Không đọc được", "Send canonical MessagePack as specified."),
    "codec.not-canonical": Known(400, "Not canonical", "Không đúng dạng chuẩn", "Use the one canonical encoding."),
    "codec.schema": Known(
        400, "Fields are wrong", "Sai trường dữ liệu", "Compare the object with its specification page."
    ),
    "id.malformed": Known(
        400,
        "Malformed identifier",
        "Mã định danh sai",
        "Check it: a party's code looks like H49.16, the id of a document or key is hexadecimal digits.",
    ),
    "request.malformed": Known(
        400, "Malformed request", "Yêu cầu sai dạng", "Compare the request with the API's description."
    ),
    "request.unauthorised": Known(
        401, "No valid token", "Chưa xác thực", "Send the bearer token of this node's local API."
    ),
    "request.key-reused": Known(
        409,
        "Idempotency key used for another request",
        "Khóa đã dùng cho yêu cầu khác",
        "Use a new key for a new request.",
    ),
    "request.not-found": Known(
        404, "No such page", "Không tìm thấy trang", "See the list of routes in the API's description."
    ),
    "request.method": Known(
        405, "Not with this method", "Sai phương thức", "Use a method that the Allow header names."
    ),
    "request.host": Known(
        421, "Not an address of this node", "Sai địa chỉ nút", "Call the address that the node's configuration names."
    ),
    "request.cursor": Known(400, "Cursor not valid", "Con trỏ không hợp lệ", "Start again without a cursor."),
    # who speaks
    "party.unknown": Known(
        404, "Not in the directory", "Không có trong danh bạ", "Check the code, or refresh the directory."
    ),
    "party.closed": Known(
        409, "Code closed, without successor", "Mã đã đóng", "Ask the directory's authority for a successor."
    ),
    "party.revoked": Known(403, "Key revoked", "Khóa đã bị thu hồi", "The party must publish a new key."),
    "party.no-route": Known(409, "No way to reach this party", "Không có đường gửi", "The party has no endpoint yet."),
    "party.mismatch": Known(
        403, "Speaks for another party", "Mạo danh đơn vị khác", "Send with your own node's certificate."
    ),
    "seal.bad-signature": Known(
        400, "Signature does not verify", "Chữ ký không hợp lệ", "Sign with the key in the directory."
    ),
    "seal.bad-path": Known(
        400, "Not under the signed root", "Không thuộc gốc đã ký", "Send the object with its own path."
    ),
    "seal.key-unknown": Known(
        400,
        "Signing key not in the directory",
        "Khóa ký không có trong danh bạ",
        "Publish the key first, or refresh the directory.",
    ),
    "seal.algorithm": Known(
        400, "Algorithm not known", "Thuật toán không hỗ trợ", "Use an algorithm of the specification."
    ),
    # envelopes and their content
    "envelope.wrong-recipient": Known(
        400, "Not addressed to this node", "Không gửi cho đơn vị này", "Send it to its recipients."
    ),
    "envelope.to-self": Known(
        400, "Addressed to its own sender", "Gửi cho chính mình", "Leave this node's own code out of the recipients."
    ),
    "envelope.expired": Known(410, "Deadline for delivery has passed", "Hết hạn chuyển", "Send a new document."),
    "envelope.secret": Known(
        403,
        "State secrets may not enter the axis",
        "Không gửi văn bản mật qua trục",
        "Use the channel for classified documents (Decision 28/2018, Art. 1.2).",
    ),
    "envelope.reference": Known(
        409,
        "The document referred to is unknown",
        "Không có văn bản được nhắc tới",
        "Check the id of the updated or replaced document.",
    ),
    "content.too-large": Known(
        413, "Content too large", "Tệp quá lớn", "Keep all files of one document under the limit."
    ),
    "content.missing": Known(409, "Content not here", "Thiếu tệp", "Upload every chunk before submitting."),
    "content.corrupt": Known(400, "Content does not match its digest", "Tệp không khớp mã băm", "Send the file again."),
    "content.unsupported": Known(
        400, "Content form not supported", "Dạng tệp chưa hỗ trợ", "Use the forms of this version."
    ),
    "file.unusable": Known(
        400, "File cannot be used", "Không dùng được tệp", "Check the path, and whether you may read or write there."
    ),
    "file.wrong": Known(400, "Not the file that is wanted", "Không đúng tệp", "Give what the detail asks for."),
    # the life of a document
    "document.unknown": Known(404, "No such document", "Không có văn bản này", "Check the id with inbox or outbox."),
    "document.ambiguous": Known(
        409, "More than one fits", "Có nhiều kết quả phù hợp", "Name the recipient, or give more digits of the id."
    ),
    "document.replaced": Known(409, "Replaced by a newer document", "Đã được thay thế", "Work on the newer document."),
    "lifecycle.not-allowed": Known(
        409, "Not possible in this state", "Không thể ở trạng thái này", "See which steps are possible with show."
    ),
    "lifecycle.reason-needed": Known(400, "A reason is needed", "Cần nêu lý do", "Give a reason in words."),
    "statement.fork": Known(
        409,
        "Two statements claim one place in the chain",
        "Hai phát biểu cùng vị trí",
        "Kept as evidence; ask the other party.",
    ),
    "statement.wrong-author": Known(
        403, "This party may not state this", "Không có quyền phát biểu", "Only the party concerned may."
    ),
    # limits and conditions of the node
    "node.busy": Known(503, "At a limit; try again later", "Quá tải, thử lại sau", "Wait as long as Retry-After says."),
    "node.disk-full": Known(
        507, "No room on the disk", "Hết dung lượng đĩa", "Free space; everything kept so far is safe."
    ),
    "node.stopping": Known(503, "The node is stopping", "Nút đang dừng", "Try again when it has restarted."),
    "node.store": Known(500, "The store failed", "Lỗi kho dữ liệu", "Run `docaxis node doctor`."),
    "node.internal": Known(
        500, "A mistake of this program", "Lỗi của phần mềm", "Report what the node's log says at this time."
    ),
    "node.unreachable": Known(
        502, "The node does not answer", "Không kết nối được nút", "Start it with `docaxis node run`."
    ),
    "node.config": Known(500, "The configuration is wrong", "Cấu hình sai", "Put right everything the detail names."),
    "node.not-found": Known(
        404,
        "No node here",
        "Không có nút ở đây",
        "Name the node's folder with --node DIR or DOCAXIS_NODE, or make one with `docaxis node init`.",
    ),
    "node.running": Known(
        409, "In use by a process that runs", "Nút đang chạy", "Use the node that runs, or stop it first."
    ),
    "node.exists": Known(
        409, "Something is here already", "Đã tồn tại", "Choose another folder, or remove it yourself."
    ),
    "node.keys": Known(
        500,
        "The keys cannot be opened",
        "Không mở được khóa",
        "Put right what the detail names; a file that is lost comes back from your own copy of it.",
    ),
    "node.passphrase": Known(
        500,
        "The passphrase does not open the key",
        "Mật khẩu không mở được khóa",
        "Give the right passphrase in DOCAXIS_PASSPHRASE, or at the terminal.",
    ),
    "store.too-new": Known(500, "Database of a newer program", "Cơ sở dữ liệu mới hơn", "Run the newer docaxis."),
    "peer.unreachable": Known(502, "Peer not reachable", "Không kết nối được", "The node tries again by itself."),
    "peer.timeout": Known(504, "Peer does not answer", "Quá thời gian chờ", "The node tries again by itself."),
    "peer.malformed": Known(502, "Peer answered nonsense", "Trả lời sai dạng", "Ask the peer's operator."),
    "peer.refused": Known(502, "Peer refused us", "Bị từ chối kết nối", "Check certificate and directory."),
    # directory
    "directory.too-old": Known(503, "Directory too old", "Danh bạ quá cũ", "Refresh the directory from any peer."),
    "directory.rollback": Known(
        400, "Directory older than the one in hand", "Danh bạ bị lùi phiên bản", "Refuse this source."
    ),
    "directory.expired": Known(400, "Directory has expired", "Danh bạ hết hạn", "Fetch from another source."),
    "directory.threshold": Known(
        400, "Too few valid signatures", "Chưa đủ chữ ký", "Collect more officers' signatures."
    ),
    "directory.mismatch": Known(
        400, "Parts do not belong together", "Các phần không khớp", "Fetch from another source."
    ),
    "directory.incomplete": Known(
        400,
        "A part of the draft is missing",
        "Thiếu một phần của bản thảo",
        "Carry the folder that bears the agency's code along with its draft.",
    ),
    "directory.not-officer": Known(
        403,
        "Not a key of this role",
        "Không phải khóa của vai trò này",
        "Sign with the key of an officer of the role; one who leaves it needs --published.",
    ),
    "directory.wrong-path": Known(400, "Speaks outside its own units", "Vượt quá phạm vi", "Sign only your own units."),
    "directory.malformed": Known(400, "Directory not readable", "Danh bạ không đọc được", "Fetch from another source."),
    "directory.not-found": Known(404, "Not in this repository", "Không có trong kho", "Check the name."),
    "directory.invalid": Known(400, "Entry breaks a rule", "Mục danh bạ sai quy tắc", "Correct what the detail names."),
    # evidence
    "evidence.malformed": Known(400, "Evidence not readable", "Hồ sơ không đọc được", "Export it again."),
    "evidence.broken": Known(400, "Evidence does not hold", "Hồ sơ không hợp lệ", "See which link is broken."),
    # the simulator, which is a command of the same program
    "scenario.wrong": Known(
        400,
        "The scenario cannot be run as it is",
        "Kịch bản sai",
        "Correct what the detail names; `docaxis simulate check` shows every mistake at once.",
    ),
    "simulation.impossible": Known(
        400, "The simulator cannot do this", "Không mô phỏng được", "The detail says what it can do instead."
    ),
}
"""Every code that can leave a node, with what people are told about it."""


class DocaxisError(Exception):
    """Root of the family, never raised itself. `code` is stable; `detail` is for people and holds no secret."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        assert code in REGISTRY, code
        self.code = code
        self.detail = detail

    @property
    def known(self) -> Known:
        """What the registry says of this code."""
        return REGISTRY[self.code]

    def __str__(self) -> str:
        return (
            f"{self.known.title_en} ({self.code}): {self.detail}"
            if self.detail
            else f"{self.known.title_en} ({self.code})"
        )


class OurFault(DocaxisError):
    """Something of this node is not as it must be: its configuration, its disk, its keys."""


class TheirFault(DocaxisError):
    """What came from outside is not acceptable; nothing of it was kept unless the detail says so."""
