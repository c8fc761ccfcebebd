"""From a node's folder to a client of the node that runs there.

Finding only: the folder is made by `docaxis node init` and its settings are read by `docaxis.runtime.config`. Nothing
here starts a node.
"""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from docaxis.client import Client
from docaxis.core.errors import OurFault
from docaxis.runtime import config

NODE_VARIABLE = "DOCAXIS_NODE"
TOKEN_FILE = "api.token"
PORT_FILE = "api.port"

T = TypeVar("T")


def node_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--node` to a command that speaks to a running node."""
    help_text = f"the node's folder (else the environment variable {NODE_VARIABLE}, else this folder)"
    parser.add_argument("--node", metavar="DIR", type=Path, help=help_text)


def folder_of(arguments: argparse.Namespace) -> Path:
    """The node's folder; raises `OurFault` ``node.not-found`` where there is none."""
    given = arguments.node or os.environ.get(NODE_VARIABLE) or "."
    folder = Path(given).expanduser()
    if not (folder / config.FILE_NAME).is_file():
        where = "this folder" if str(folder) == "." else str(folder)
        raise OurFault("node.not-found", f"{where} holds no node")
    return folder


def client_of(folder: Path) -> Client:
    """A client of the node in `folder`; raises `OurFault`."""
    api = config.load(folder, os.environ).settings.api
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(api.host, api.host)
    port = api.port or _port_in_use(folder)
    return Client(f"http://{f'[{host}]' if ':' in host else host}:{port}", _secret(folder / TOKEN_FILE))


def with_node(arguments: argparse.Namespace, work: Callable[[Client], Awaitable[T]]) -> T:
    """Runs `work` with a client of the node that the arguments name."""

    async def inside() -> T:
        async with client_of(folder_of(arguments)) as node:
            return await work(node)

    return asyncio.run(inside())


def _port_in_use(folder: Path) -> int:
    try:
        return int((folder / PORT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        raise OurFault("node.unreachable", f"the node in {folder} is not running") from None


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise OurFault("node.keys", f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OurFault("node.keys", f"{path} holds no token") from None
