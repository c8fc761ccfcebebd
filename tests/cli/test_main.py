"""The command itself: quick to answer, complete in its help, honest in its exit codes."""

import subprocess
import sys

import pytest

from docaxis import __version__
from docaxis.cli import main
from docaxis.core.errors import OurFault, TheirFault
from tests.cli.axis import docaxis

LEAVES = ["send", "inbox", "outbox", "show", "evidence", "advance", "refuse", "recall", "answer-recall", "verify"]


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


@pytest.mark.parametrize("command", LEAVES)
def test_each_command_teaches_by_example(command: str) -> None:
    """A tired clerk copies a line and changes it."""
    said = docaxis(command, "--help")
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
def test_a_wrong_command_line_is_answered_in_a_line_with_where_to_look(words: list[str], hint: str) -> None:
    """Two lines, not the whole usage; and exit code 2."""
    said = docaxis(*words)
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


def test_a_reader_who_goes_away_ends_the_command_quietly() -> None:
    """`docaxis inbox | head -1` is no error."""
    probe = "from docaxis.cli.main import main; raise SystemExit(main(['verify', '--help']))"
    with subprocess.Popen([sys.executable, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
