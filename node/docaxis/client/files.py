"""Files on their way into and out of a node: read in chunks, hashed, checked, and never half written.

Blocking work on the disk, to be called in a thread; no requests and no rules about documents.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from docaxis.client.answers import FileInfo
from docaxis.core import codec, limits
from docaxis.core.envelope import make_file
from docaxis.core.errors import TheirFault

CHUNK_BYTES: Final = limits.CHUNK_BYTES
_MEDIA_KNOWN: Final = {".pdf": "application/pdf", ".xml": "application/xml", ".edxml": "application/xml"}
"""The types that matter most here do not depend on the machine's own tables."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file to send: its bytes, or the path they are in; empty name and media are taken from the path."""

    content: bytes | Path
    name: str = ""
    media: str = ""

    def named(self) -> tuple[str, str]:
        """Name and media type under which it is sent."""
        name = self.name or (self.content.name if isinstance(self.content, Path) else "document")
        media = self.media or _MEDIA_KNOWN.get(Path(name).suffix.lower()) or guess_type(name)[0]
        return name, media or "application/octet-stream"

    def size(self) -> int:
        """Its size in bytes; raises `TheirFault` ``file.unusable`` for what is no readable file."""
        if isinstance(self.content, bytes):
            return len(self.content)
        try:
            if not self.content.is_file():
                what = "is a folder" if self.content.is_dir() else "does not exist"
                raise TheirFault("file.unusable", f"{self.content} {what}; name a file")
            return self.content.stat().st_size
        except OSError as error:
            raise TheirFault("file.unusable", f"{self.content}: {error.strerror}") from None

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, `CHUNK_BYTES` at a time; raises `TheirFault` ``file.unusable``."""
        if isinstance(self.content, bytes):
            for start in range(0, len(self.content), CHUNK_BYTES):
                yield self.content[start : start + CHUNK_BYTES]
            return
        try:
            with self.content.open("rb") as source:
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise TheirFault("file.unusable", f"{self.content}: {error.strerror}") from None


def attachments(files: Sequence[Attachment | Path]) -> list[Attachment]:
    """The files to send, once their count and sizes are within the limits; nothing of them is read yet.

    Raises `TheirFault` ``content.too-large`` or ``file.unusable``.
    """
    found = [Attachment(file) if isinstance(file, Path) else file for file in files]
    if len(found) > limits.FILES_MAX:
        raise TheirFault("content.too-large", f"{len(found)} files, at most {limits.FILES_MAX} in one document")
    size = sum(file.size() for file in found)
    if size > limits.CONTENT_BYTES_MAX:
        most = f"{limits.CONTENT_BYTES_MAX // limits.MIB} MiB ({limits.CONTENT_BYTES_MAX:,} bytes)"
        raise TheirFault("content.too-large", f"{size:,} bytes; one document carries at most {most}")
    for file in found:
        _check_name(file)
    return found


def _check_name(file: Attachment) -> None:
    """Newlines, escapes and bytes that are no UTF-8 are allowed on disks, and in no document."""
    name, media = file.named()
    try:
        name.encode()
        codec.text(name, "file.name", limits.FILE_NAME_CHARS_MAX, 1)
        make_file(name, media, 0, 1, ())
    except (TheirFault, UnicodeEncodeError):
        raise TheirFault("file.unusable", f"{name!r} is no name that a document can carry; rename it") from None


class Landing:
    """A file coming out of a node: each chunk is checked, and it gets its name only when it is whole."""

    def __init__(self, target: Path, info: FileInfo) -> None:
        self._target = target
        self._info = info
        self._waiting = bytearray()
        self._landed = 0
        self._file = NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115 -- closed by finish or abandon

    def write(self, data: bytes) -> None:
        """Takes the next bytes; raises `TheirFault` ``content.corrupt``."""
        self._waiting += data
        while len(self._waiting) >= self._info.chunk:
            self._land(self._info.chunk)

    def finish(self) -> Path:
        """Gives the file its name once every byte is there; raises `TheirFault` ``content.corrupt``."""
        if self._waiting:
            self._land(len(self._waiting))
        if self._landed != len(self._info.chunks):
            raise self._corrupt()
        self._file.close()
        os.replace(self._file.name, self._target)
        return self._target

    def abandon(self) -> None:
        """Leaves nothing behind; harmless after `finish`."""
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def _land(self, length: int) -> None:
        chunk = bytes(self._waiting[:length])
        del self._waiting[:length]
        expected = self._info.chunks[self._landed] if self._landed < len(self._info.chunks) else ""
        if sha256(chunk).hexdigest() != expected:
            raise self._corrupt()
        self._landed += 1
        self._file.write(chunk)

    def _corrupt(self) -> TheirFault:
        return TheirFault("content.corrupt", f"{self._info.name}: what came is not what the sender signed")
