"""`docaxis advance`, `refuse`, `recall` and `answer-recall`: what people say about a document, signed by their node.

Each command is one statement. Whether it is possible now is the node's to say; here it is only put in words.
"""

import argparse
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import connect, main, output
from docaxis.client import Client, Stated
from docaxis.core.lifecycle import CODE_VIETNAMESE, Code

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

ADVANCES: Final = {code.name.lower(): code for code in (Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED)}
_BY_ITSELF: Final = "is what a node says by itself"
_OTHERWISE: Final = {
    "sent": _BY_ITSELF,
    "held": _BY_ITSELF,
    "arrived": _BY_ITSELF,
    "expired": _BY_ITSELF,
    "refused": "is said with `docaxis refuse`",
    "recovered": "follows from `docaxis answer-recall --agree`",
}
"""States that are no steps, and how they come about."""
_ADVANCE_EXAMPLES: Final = """\
examples:
  docaxis advance 3fa9c1d2 --to received
  docaxis advance 3fa9c1d2 --to assigned --note "Phòng Văn thư" --actor "Nguyễn Văn An"

Steps may be skipped, never taken back: received, assigned, processing, completed.
"""
_REFUSE_EXAMPLES: Final = """\
example:
  docaxis refuse 3fa9c1d2 --reason "Không thuộc thẩm quyền"
"""
_RECALL_EXAMPLES: Final = """\
examples:
  docaxis recall 3fa9c1d2 --reason "Gửi nhầm phụ lục"
  docaxis recall 3fa9c1d2 --recipient H49 --reason "Gửi nhầm nơi nhận"

Only the sender recalls; each recipient agrees or declines, with its signature.
"""
_ANSWER_EXAMPLES: Final = """\
examples:
  docaxis answer-recall 3fa9c1d2 --agree
  docaxis answer-recall 3fa9c1d2 --decline --reason "Đã ban hành văn bản trả lời"

After an agreement the content is destroyed here; the trace of document and recall is kept.
"""


def add_parser(subparsers: "Subparsers") -> None:
    """Adds the four commands."""
    advance = _add(subparsers, "advance", "Say how far a document has come.", _ADVANCE_EXAMPLES)
    advance.add_argument("--to", required=True, type=_step, metavar="STATE", help=", ".join(ADVANCES))
    advance.add_argument("--note", default="", dest="text", metavar="TEXT", help="words that go with it")
    refuse = _add(subparsers, "refuse", "Refuse a document that has arrived.", _REFUSE_EXAMPLES)
    _add_reason(refuse, required=True)
    refuse.set_defaults(code=Code.REFUSED)
    recall = _add(subparsers, "recall", "Ask for a document back.", _RECALL_EXAMPLES)
    recall.add_argument("--recipient", default="", metavar="CODE", help="only from this one (else from all)")
    _add_reason(recall, required=True)
    recall.set_defaults(code=Code.RECALL)
    _add_answer(subparsers)


def _add(subparsers: "Subparsers", name: str, description: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=description, description=description, epilog=examples
    )
    parser.add_argument("doc", metavar="DOC", help="the document's id, or eight or more of its first digits")
    parser.add_argument("--actor", default="", metavar="NAME", help="the person in whose name it is said")
    help_key = "idempotency key: saying it again under the same key says nothing twice"
    parser.add_argument("--key", default="", help=help_key)
    connect.node_option(parser)
    output.json_option(parser)
    parser.set_defaults(handler=run, recipient="")
    return parser


def _add_reason(parser: argparse.ArgumentParser, *, required: bool) -> None:
    help_text = "why, in words; the other side reads it"
    parser.add_argument("--reason", required=required, default="", dest="text", metavar="TEXT", help=help_text)


def _add_answer(subparsers: "Subparsers") -> None:
    parser = _add(subparsers, "answer-recall", "Answer a recall.", _ANSWER_EXAMPLES)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--agree", action="store_const", dest="code", const=Code.AGREE, help="give it back")
    choice.add_argument("--decline", action="store_const", dest="code", const=Code.DECLINE, help="keep it")
    _add_reason(parser, required=False)


def _step(text: str) -> Code:
    if text.lower() in ADVANCES:
        return ADVANCES[text.lower()]
    if text.lower() in _OTHERWISE:
        raise argparse.ArgumentTypeError(f"{text} {_OTHERWISE[text.lower()]}; steps are {', '.join(ADVANCES)}")
    hint = output.nearest(text.lower(), list(ADVANCES))
    raise argparse.ArgumentTypeError(f"no step is called {text!r}{hint}; steps are {', '.join(ADVANCES)}")


def run(arguments: argparse.Namespace) -> int:
    """Says it, and shows for whom."""
    stated = connect.with_node(arguments, lambda node: _state(node, arguments))
    if arguments.json:
        said = [{"recipient": recipient, "statement": statement} for recipient, statement in stated.statements]
        output.print_json({"doc": stated.doc, "code": stated.code.value, "statements": said})
    else:
        whom = ", ".join(recipient for recipient, _ in stated.statements)
        name = f"{stated.code.value} {stated.code.name.lower()} · {CODE_VIETNAMESE[stated.code]}"
        print(f"{stated.doc[: output.ID_DIGITS]}  {name}  ({whom}): signed and on its way · đã ký và đang chuyển")
    return main.OK


async def _state(node: Client, arguments: argparse.Namespace) -> Stated:
    code = arguments.code if hasattr(arguments, "code") else arguments.to
    return await node.state(
        arguments.doc,
        code,
        recipient=arguments.recipient,
        text=arguments.text,
        actor=arguments.actor,
        key=arguments.key,
    )
