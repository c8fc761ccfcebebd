"""The `docaxis` command: its parser, and the way to the module that does the work.

No logic lives here, and no module of a command is imported before that command is called, so that the help appears at
once and `docaxis node run` loads only what a node needs. A command's module offers `add_parser(subparsers)`, which sets
`handler`, a function of the parsed arguments that returns the exit code; errors of the family end up here.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from docaxis.core.errors import DocaxisError, OurFault, TheirFault

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    Subparsers = argparse._SubParsersAction[Any]

OK: Final = 0
NEGATIVE: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
REFUSED: Final = 4
OURS: Final = 5
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    OK: "done",
    NEGATIVE: "done, and the answer is no: evidence that does not hold, a check that failed, a wait that ended early",
    USAGE: "the command or what it was given is not usable",
    UNREACHABLE: "the node does not answer",
    REFUSED: "the node refused; nothing was changed",
    OURS: "this machine or node is not as it must be (configuration, keys, disk)",
    INTERRUPTED: "interrupted from the keyboard",
}
"""What each exit code means."""

TRACE: Final = "DOCAXIS_TRACE"
"""Environment variable that shows where a mistake of this program happened."""

PLUGS: Final = "docaxis.commands"
"""Entry point group by which an installed extra adds a command: the name is the command, the object `add_parser`."""


class Command(NamedTuple):
    """Where a command lives, and the line that the help shows."""

    module: str
    help: str


COMMANDS: Final[Mapping[str, Command]] = {
    "demo": Command("demo", "replay the opening of the axis with 95 real nodes"),
    "node": Command("node", "make, run, examine, back up and restore the node of an agency"),
    "directory": Command(
        "directory", "make and keep the signed directory: officers' keys, entries, publishing, checking"
    ),
    "send": Command("send", "send documents to one, several or all agencies"),
    "inbox": Command("documents", "list documents that came to this node"),
    "outbox": Command("documents", "list documents that this node sent, and where they are"),
    "show": Command("documents", "show one document: who said what when, and what is possible next"),
    "evidence": Command("documents", "write everything that was signed about a document into one file"),
    "advance": Command("steps", "say that a document was received, assigned, is being processed, is completed"),
    "refuse": Command("steps", "refuse a document, with a reason"),
    "recall": Command("steps", "ask for a document back, with a reason"),
    "answer-recall": Command("steps", "agree or decline to give a document back"),
    "verify": Command("verify", "check an evidence file offline, with nothing but the directory's root keys"),
}
"""Every command of this package, in the order in which the help shows them."""

EPILOG: Final = """\
first steps:
  docaxis demo                                    see 95 agencies exchange a decision
  docaxis node init ~/h49 --id H49                make a node, then: docaxis node run ~/h49
  export DOCAXIS_NODE=~/h49                       the node that the commands below speak to
  docaxis send decision.pdf --to G22 --subject "Về việc nghỉ Tết"
  docaxis inbox
  docaxis show 3fa9c1d2                           eight digits of an id are enough

`docaxis COMMAND --help` teaches each command by example.

exit codes:
"""


class Parser(argparse.ArgumentParser):
    """A parser that keeps examples as written and answers a wrong command line with one line and where to look."""

    def __init__(self, *words: Any, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(*words, **options)

    def error(self, message: str) -> NoReturn:
        """Ends the program with `USAGE`."""
        self.exit(USAGE, f"{self.prog}: {message}\nSee `{self.prog} --help`.\n")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves room for one line per command."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=120)


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; nobody sees a traceback who did not ask for it with `TRACE`."""
    try:
        return _called(words)
    except KeyboardInterrupt:  # at any time, and what a command loads takes some
        return INTERRUPTED


def _called(words: Sequence[str] | None) -> int:
    words = sys.argv[1:] if words is None else list(words)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Vietnamese letters is no reason to fail
    arguments = build(words).parse_args(words)
    try:
        code = int(arguments.handler(arguments))
        sys.stdout.flush()
        return code
    except DocaxisError as error:
        return _explain(error, arguments)
    except BrokenPipeError:
        # whoever read our output has gone; without this, closing stdout would complain once more
        sys.stdout = None
        return OK
    except OSError as error:
        return _explain(TheirFault("file.unusable", str(error)), arguments)
    except Exception as error:
        if os.environ.get(TRACE):
            raise
        return _explain(OurFault("node.internal", f"{error!r}; set {TRACE}=1 to see where"), arguments)


def build(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser: complete for the command that `words` name, one line of help for every other command."""
    parser = Parser(prog="docaxis", description="Exchange of official documents without a centre.", epilog=_epilog())
    parser.add_argument("--version", action=_Version)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    called = next((word for word in words if not word.startswith("-")), None)
    # Reading what is installed costs a running node megabytes: a command of this package does without.
    plugs = {} if called in COMMANDS else {plug.name: plug for plug in _plugs()}
    if called is not None and called not in {*COMMANDS, *plugs}:
        from docaxis.cli import output

        parser.error(f"there is no command {called!r}{output.nearest(called, [*COMMANDS, *plugs])}")
    loaded = COMMANDS[called].module if called and called in COMMANDS else None
    for name, command in COMMANDS.items():
        if command.module == loaded:
            _load_once(subparsers, name, command.module)
        else:
            subparsers.add_parser(name, help=command.help)
    for name, plug in plugs.items():
        if name == called:
            plug.load()(subparsers)
        else:
            subparsers.add_parser(name, help=f"see `docaxis {name} --help`")
    return parser


def _load_once(subparsers: "Subparsers", name: str, module: str) -> None:
    if name not in subparsers.choices:  # a module adds all its commands at the first of them
        import_module(f"docaxis.cli.{module}").add_parser(subparsers)


def _plugs() -> "Iterator[EntryPoint]":
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        yield from distribution("docaxis").entry_points.select(group=PLUGS)
    except PackageNotFoundError:
        return  # running from a bare source tree: there is nothing installed that could plug in


def _epilog() -> str:
    return EPILOG + "\n".join(f"  {code:<4}{meaning}" for code, meaning in EXIT_CODES.items())


def _explain(error: DocaxisError, arguments: argparse.Namespace) -> int:
    from docaxis.cli import output

    output.print_error(error, as_json=getattr(arguments, "json", False))
    return exit_code(error)


def exit_code(error: DocaxisError) -> int:
    """The exit code of an error: whether the node did not answer, the node refused, or it ended here."""
    if error.code == "node.unreachable":
        return UNREACHABLE
    if getattr(error, "answered", False):
        return REFUSED
    return OURS if isinstance(error, OurFault) else USAGE


Handler = Callable[[argparse.Namespace], int]
"""What `add_parser` sets as `handler`."""


class _Version(argparse.Action):
    """Prints the version; read late, since most calls do not ask for it."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: object) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and end")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from docaxis import __version__

        print(f"docaxis {__version__}")
        parser.exit(OK)


if __name__ == "__main__":
    sys.exit(main())
