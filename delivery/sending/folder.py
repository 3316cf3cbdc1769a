"""A folder of this machine, such as the outbox."""

import os
import posixpath
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from anonymizers.errors import SendRefused
from delivery.sending.transport import BLOCK, UNFINISHED, matches, require_whole
from transforms.places import unwritable_as


@dataclass
class Folder:
    """A folder of this machine, such as the outbox; it never passes by itself that it cannot be written."""

    folder: Path
    title: str = "the folder"

    def close(self) -> None:
        """Nothing is open."""

    def size(self, name: str) -> int | None:
        with self._refusals():
            path = self.folder / name
            return path.stat().st_size if path.is_file() else None

    def upload(self, source: Path, name: str, size: int) -> Callable[[], None]:
        part = self._part(name)
        with self._refusals():
            begun = part.stat().st_size if part.is_file() else 0
            with source.open("rb") as reading, part.open("ab") as writing:
                with part.open("rb") as there:
                    fits = begun <= size and matches(there, reading, begun)
                begun = begun if fits else 0
                reading.seek(begun)
                writing.truncate(begun)
                part.chmod(0o600)
                while block := reading.read(BLOCK):
                    writing.write(block)
                writing.flush()
                os.fsync(writing.fileno())
            require_whole(part.stat().st_size, size)
        return lambda: self._show(name)

    def discard(self, name: str) -> None:
        with self._refusals():
            self._part(name).unlink(missing_ok=True)

    def unfinished(self) -> list[str]:
        with self._refusals():
            return [found[1] for path in self.folder.iterdir() if (found := UNFINISHED.fullmatch(path.name))]

    def list_files(self, subdir: str) -> list[str]:
        with self._refusals():
            return [
                posixpath.join(subdir, path.name)
                for path in (self.folder / subdir).iterdir()
                if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
            ]

    def read(self, name: str, at_most_bytes: int) -> bytes:
        with self._refusals(), (self.folder / name).open("rb") as file:
            return file.read(at_most_bytes + 1)

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.part"

    def _show(self, name: str) -> None:
        with self._refusals():
            self._part(name).rename(self.folder / name)

    def _refusals(self) -> AbstractContextManager[None]:
        return unwritable_as(SendRefused, self.title)
