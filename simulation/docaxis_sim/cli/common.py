"""What the simulator's commands share: options, reading a scenario with overrides, errors in the family's words.

Nothing here prints a result.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis.core.errors import TheirFault

if TYPE_CHECKING:
    from docaxis_sim.capacity.model import Scenario
    from docaxis_sim.capacity.runner import Runner

    Subparsers = argparse._SubParsersAction[Any]

ENGINES: Final = ("auto", "reference", "vector", "machines")


def add(commands: "Subparsers", name: str, handler: main.Handler, text: str, examples: str) -> argparse.ArgumentParser:
    """A sub-command with its examples and `--json`."""
    description = text[0].upper() + text[1:] + "."
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=description, epilog=examples)
    output.json_option(parser)
    parser.set_defaults(handler=handler)
    return parser


def scenario_argument(parser: argparse.ArgumentParser) -> None:
    """The scenario, and other values for its fields."""
    parser.add_argument("scenario", metavar="SCENARIO", help="a TOML file, or the name of a scenario that comes along")
    set_option(parser)


def set_option(parser: argparse.ArgumentParser) -> None:
    """Other values for fields."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", type=assignment, dest="assigned",
        help="another value for a field, such as load=2 or nodes.commune.uplink=4Mbit/s; may be repeated",
    )  # fmt: skip


def experiment_options(parser: argparse.ArgumentParser) -> None:
    """How often, with which chance, by which engine, and where it runs."""
    parser.add_argument(
        "--replications", type=output.positive, metavar="N",
        help="exactly so many, instead of the scenario's number and of more until a figure is precise",
    )  # fmt: skip
    parser.add_argument("--seed", type=whole_number, metavar="N", help="instead of the scenario's seed")
    parser.add_argument(
        "--engine", choices=ENGINES, default="", help="who carries it; default: what the scenario says, mostly auto"
    )
    parser.add_argument("--jobs", type=output.positive, default=1, metavar="N", help="replications side by side")
    parser.add_argument(
        "--cluster", default="", metavar="ADDRESS", help="run them on the machines of a Dask scheduler (tcp://…:8786)"
    )


def assignment(text: str) -> tuple[str, str]:
    """FIELD=VALUE, for argparse."""
    field, equals, value = text.partition("=")
    if not equals or not field.strip():
        raise argparse.ArgumentTypeError(f"expected FIELD=VALUE, found {text!r}")
    return field.strip(), value.strip()


def whole_number(text: str) -> int:
    """A whole number from 0, for argparse."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, found {text!r}")
    return int(text)


def place(text: str) -> Path:
    """A file or a folder, for argparse."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected the name of a file or a folder, found nothing")
    return Path(text)


def writable(*, folder: Path | None = None, file: Path | None = None) -> None:
    """Makes a folder and tries it, opens a file for writing, before there is anything to lose; raises `TheirFault`."""
    for path, tried in ((folder, _try_folder), (file, _try_file)):
        try:
            if path is not None:
                tried(path)
        except OSError as error:
            reason = "is there, and is no folder" if isinstance(error, FileExistsError) else error.strerror or error
            raise TheirFault("file.unusable", f"nothing can be written to {path}: {reason}") from error


def _try_folder(path: Path) -> None:
    import tempfile

    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        pass


def _try_file(path: Path) -> None:
    is_new = not (path.exists() or path.is_symlink())
    path.open("a").close()
    if is_new:
        path.unlink()  # what fails later leaves nothing that looks like an answer


def overrides(arguments: argparse.Namespace) -> dict[str, object]:
    """What the command line says otherwise than the file."""
    changed: dict[str, object] = dict(arguments.assigned)
    replications, seed = getattr(arguments, "replications", None), getattr(arguments, "seed", None)
    if replications is not None:
        changed["experiment.replications"] = changed["experiment.replications_max"] = replications
    if seed is not None:
        changed["experiment.seed"] = seed
    return changed


def read(arguments: argparse.Namespace, name: str = "", more: dict[str, object] | None = None) -> "Scenario":
    """The scenario that is meant, with everything set from outside. Raises `BadScenario`."""
    from docaxis_sim.capacity.scenario import load

    return load(name or arguments.scenario, overrides(arguments) | (more or {}))


def runner(arguments: argparse.Namespace) -> "Runner":
    """Who carries replications out."""
    from docaxis_sim.capacity.runner import Runner

    return Runner(arguments.jobs, arguments.cluster)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """What a page shows, for programs."""
    import json

    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def command_line(words: Sequence[str]) -> str:
    """The command as people would type it again."""
    import shlex

    return shlex.join([Path(words[0]).name, *words[1:]])


@contextmanager
def explained() -> Iterator[None]:
    """Turns what the simulator's rooms raise about their input into the family's errors."""
    from docaxis_sim.capacity.cluster import NoCluster
    from docaxis_sim.capacity.plan import CannotCarry
    from docaxis_sim.capacity.runner import Failed

    try:
        yield
    except (CannotCarry, NoCluster, Failed) as error:
        raise TheirFault("simulation.impossible", str(error)) from error
    except ValueError as error:
        if type(error) is ValueError or not type(error).__module__.startswith("docaxis_sim."):
            raise  # a mistake of ours; what a scenario can be blamed for has a class of its own
        raise TheirFault("scenario.wrong", str(error).replace("\n", "\n  ")) from error
