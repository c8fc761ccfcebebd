"""The command itself: quick to answer, complete in its help, honest in its exit codes."""

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from docaxis import __version__
from docaxis.cli import main, verify
from docaxis.core.errors import OurFault, TheirFault
from tests.cli.axis import COMMAND, Offices, Said, docaxis

VERBS = {
    "add",
    "agree",
    "answer",
    "ask",
    "check",
    "copy",
    "draft",
    "have",
    "honour",
    "list",
    "look",
    "make",
    "publish",
    "refuse",
    "replay",
    "run",
    "say",
    "send",
    "show",
    "write",
}
"""The words with which help lines begin."""
LEAVES = ["send", "inbox", "outbox", "show", "evidence", "advance", "refuse", "recall", "answer-recall", "verify"]


def parsed(words: list[str], capsys: pytest.CaptureFixture[str]) -> Said:
    """What the parser answers before any work begins; it needs no process of its own."""
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert isinstance(ended.value.code, int)
    return Said(ended.value.code, *capsys.readouterr())


def test_the_help_names_every_command_and_every_exit_code() -> None:
    """Somebody who knows nothing begins here."""
    said = docaxis("--help")
    assert said.code == main.OK
    for name in main.COMMANDS:
        assert f"    {name}" in said.out
    for code, meaning in main.EXIT_CODES.items():
        assert f"{code:<4}{meaning}" in said.out


def test_the_help_loads_nothing_that_it_does_not_need() -> None:
    """This is what makes it quick; a stopwatch would fail on a busy machine."""
    probe = "import sys; from docaxis.cli.main import build; build([]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"aiohttp", "asyncio", "cryptography", "msgpack", "rich", "sqlite3", "tuf", "uvloop"})


def every_help(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Each line of help and each description of a command, at every depth."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from (each.help or "" for each in action._choices_actions)
            for child in action.choices.values():
                yield from filter(None, [child.description])
                yield from every_help(child)


def test_every_command_is_told_what_to_do() -> None:
    """One mood throughout: Make, Run, List; never Makes, nor the name of a thing."""
    first = {text.split()[0].lower().rstrip(",") for name in main.COMMANDS for text in every_help(main.build([name]))}
    assert first <= VERBS


@pytest.mark.parametrize("command", ["demo", "node", "directory"])
def test_a_group_teaches_by_example_and_keeps_the_houses_sentences_to_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a module may not hold is for who writes it, not for who types a command."""
    said = parsed([command, "--help"], capsys)
    assert f"docaxis {command} " in said.out.partition("example")[2]
    assert "here" not in said.out.partition("options:")[0].lower()


@pytest.mark.parametrize("command", LEAVES)
def test_each_command_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A tired clerk copies a line and changes it."""
    said = parsed([command, "--help"], capsys)
    assert said.code == main.OK
    assert "example" in said.out
    assert f"docaxis {command}" in said.out.partition("example")[2]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["inbx"], "did you mean 'inbox'?"),
        (["anwser-recall"], "did you mean 'answer-recall'?"),
        (["qqqq"], "there is no command 'qqqq'"),
        ([], "COMMAND"),
        (["inbox", "--limit", "0"], "whole number from 1"),
        (["inbox", "--state", "arived"], "did you mean 'arrived'?"),
        (["advance", "00000000", "--to", "asigned"], "did you mean 'assigned'?"),
        (["advance", "00000000", "--to", "refused"], "received, assigned, processing, completed"),
        (["refuse", "00000000"], "--reason"),
        (["send", "--to", "H49", "--priority", "soon"], "very_urgent"),
        (["answer-recall", "00000000", "--agree", "--decline"], "not allowed with"),
    ],
)
def test_a_wrong_command_line_is_answered_in_a_line_with_where_to_look(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two lines, not the whole usage; and exit code 2."""
    said = parsed(words, capsys)
    assert said.code == main.USAGE
    assert hint in said.err
    assert "--help`" in said.err
    assert said.err.count("\n") == 2


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """One number, in one place."""
    with pytest.raises(SystemExit) as ended:
        main.main(["--version"])
    assert ended.value.code == main.OK
    assert capsys.readouterr().out == f"docaxis {__version__}\n"


def test_exit_codes_follow_whose_fault_it_is() -> None:
    """A script tells a node that is off from a letter that was refused."""
    assert main.exit_code(OurFault("node.unreachable")) == main.UNREACHABLE
    assert main.exit_code(OurFault("node.config")) == main.OURS
    assert main.exit_code(TheirFault("file.unusable")) == main.USAGE


def handled(monkeypatch: pytest.MonkeyPatch, handler: main.Handler) -> int:
    """What becomes of a command whose work is `handler`."""

    def add_parser(subparsers: Any) -> None:
        subparsers.add_parser("verify").set_defaults(handler=handler)

    monkeypatch.setattr(verify, "add_parser", add_parser)
    return main.main(["verify"])


def raising(error: BaseException) -> main.Handler:
    """Work that ends in this."""

    def handler(arguments: argparse.Namespace) -> int:
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (PermissionError(13, "Permission denied", "/x"), main.USAGE, "file.unusable"),
        (ZeroDivisionError("a slip"), main.OURS, "node.internal"),
        (KeyboardInterrupt(), main.INTERRUPTED, ""),
        (BrokenPipeError(), main.OK, ""),
    ],
)
def test_whatever_happens_ends_in_words_and_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, word: str
) -> None:
    """Nobody sees a traceback who did not ask for it."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # so that what a broken pipe does to it is undone
    assert handled(monkeypatch, raising(error)) == code
    assert word in capsys.readouterr().err


def test_who_looks_for_a_mistake_sees_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable."""
    monkeypatch.setenv(main.TRACE, "1")
    with pytest.raises(ZeroDivisionError):
        handled(monkeypatch, raising(ZeroDivisionError()))


def test_an_installed_extra_adds_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator is one; nothing here imports it before it is called."""
    plug = EntryPoint("simulate", "a_package_that_is_not_here:add_parser", main.PLUGS)
    monkeypatch.setattr(main, "_plugs", lambda: iter([plug]))
    assert "simulate" in main.build([]).format_help()
    with pytest.raises(ModuleNotFoundError):
        main.build(["simulate"])


def test_ctrl_c_ends_a_wait_at_once_and_the_letter_goes_on(offices: Offices) -> None:
    """130 as shells expect it; what was durable stays so."""
    node = str(offices.ground.nodes["G22"])
    words = ("send", "--to", "H54", "--subject", "interrupted", "--wait", "--node", node)
    with subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "interrupted" not in offices.at("G22", "outbox").out:
            continue
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == main.INTERRUPTED
    assert "Traceback" not in err
