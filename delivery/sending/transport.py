"""
What all places do alike: the order of the steps, and trying again.
"""

import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol, Self, TypeVar

from anonymizers.errors import DestinationUnreachable, SendRefused, SudareError
from transforms.places import unwritable_as

Answer = TypeVar("Answer")

UNFINISHED = re.compile(r"\.(.+)\.part")
"""Names of files that are not whole yet. Scanners leave names with a leading dot alone."""

BLOCK = 8 << 20
"""Bytes of a file in memory at a time."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


class Sent(StrEnum):
    """What became of a file: sent by this call, or there before with the same size."""

    NOW = "sent now"
    BEFORE = "sent before"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """
    How to log in. What is secret shows in no ``repr``.

    Args:
        login: User name; for S3 the access key id.

        password: For S3 the secret access key. With a private key, what that is encrypted with.

        private_key: Text of an OpenSSH or PEM private key, for SFTP.

        endpoint_url: Of a store that is not Amazon's; https, or http on this machine.

        region: Of the bucket.
    """

    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    endpoint_url: str = ""
    region: str = ""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """
    How often and how long to try. A wait doubles from try to try and is shortened by up to a half, by chance, so that
    many senders do not come back at once.
    """

    tries: int = 5
    first_seconds: float = 1.0
    most_seconds: float = 30.0
    timeout_seconds: float = 60.0
    """Of silence, after which a connection counts as cut."""
    slowest_bytes_per_second: float = 50_000.0
    """For S3, whose library notices silence only while it waits for an answer: a slower request counts as cut."""
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = secrets.SystemRandom().random
    """From 0 to 1."""

    def wait(self, failed: int) -> None:
        """Wait after so many failed tries."""
        longest = min(self.most_seconds, self.first_seconds * 2 ** (failed - 1))
        self.sleep(longest * (1 - self.draw() / 2))


class Transport(Protocol):
    """
    A place that files are sent to and small files are read from. Use it in a ``with``; it connects when it must.

    Every method raises `DestinationUnreachable` when no try got through, `SendRefused` when the place said no, and for
    SFTP `HostKeyRefused` before anything is sent. Their messages hold no credentials and nothing of a file.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def send(self, source: Path, name: str, before_visible: Callable[[], None]) -> Sent:
        """
        Send a file, once.

        Args:
            source: The file. It must not change meanwhile.

            name: Under which it appears: ASCII letters, digits, ``._-``. It must be made from the content, because a
                file of that name and size counts as this one.

            before_visible: Called when all bytes are there and nothing is visible, again before every try. What it
                raises is passed on, and what was uploaded is removed.

        Returns:
            Whether this call sent it. A recipient that moves files away makes the same file look unsent.

        Raises:
            SendRefused: also if a file of that name and another size is there.
        """

    def discard(self, name: str) -> None:
        """Remove what an unfinished sending of this name left; no error where there is none."""

    def unfinished(self) -> tuple[str, ...]:
        """The names whose sending was begun and not finished, sorted."""

    def list_files(self, subdir: str = "") -> tuple[str, ...]:
        """
        Names of the files in a folder below, as `read` takes them, sorted; none that is hidden, a folder or a link.
        """

    def read(self, name: str, at_most_bytes: int) -> bytes:
        """
        The bytes of a small file.

        Raises:
            SendRefused: also if it is not there or larger.
        """


class Cut(Exception):
    """A try that failed for a cause that may pass. The message says which, in our words."""


class Place(Protocol):
    """
    What differs between places. Methods raise `Cut`, `SendRefused` or `HostKeyRefused`; names were checked.
    """

    title: str

    def close(self) -> None: ...

    def size(self, name: str) -> int | None:
        """Of a visible file; None if there is none."""

    def upload(self, source: Path, name: str, size: int) -> Callable[[], None]:
        """Bring all bytes there, invisibly, going on from what is there. Returns what makes them visible."""

    def discard(self, name: str) -> None: ...

    def unfinished(self) -> list[str]: ...

    def list_files(self, subdir: str) -> list[str]: ...

    def read(self, name: str, at_most_bytes: int) -> bytes:
        """At least one byte more than asked for, where the file is larger."""


@dataclass
class Sending:
    """What all places do alike: the order of the steps, and trying again."""

    place: Place
    patience: Patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.place.close()

    def send(self, source: Path, name: str, before_visible: Callable[[], None]) -> Sent:
        _require_name(name)
        with unwritable_as(SendRefused, f"the file to send, {name}"):
            size = source.stat().st_size
        shown = []  # what was made visible while its answer was lost, this call has sent
        return self._trying(lambda: self._send_once(source, name, size, before_visible, shown))

    def discard(self, name: str) -> None:
        _require_name(name)
        self._trying(lambda: self.place.discard(name))

    def unfinished(self) -> tuple[str, ...]:
        return tuple(sorted(set(self._trying(self.place.unfinished))))

    def list_files(self, subdir: str = "") -> tuple[str, ...]:
        if subdir:
            _require_below(subdir)
        return tuple(sorted(self._trying(lambda: self.place.list_files(subdir))))

    def read(self, name: str, at_most_bytes: int) -> bytes:
        _require_below(name)
        content = self._trying(lambda: self.place.read(name, at_most_bytes))
        if len(content) > at_most_bytes:
            raise SendRefused(f"{self.place.title}: a file to be read has more than {at_most_bytes} bytes; ask for it")
        return content

    def _send_once(
        self, source: Path, name: str, size: int, before_visible: Callable[[], None], shown: list[bool]
    ) -> Sent:
        there = self.place.size(name)
        if there is not None and there != size:
            raise SendRefused(f"{self.place.title}: another file named {name} is there; see which one is right")
        if there is not None:
            return Sent.NOW if shown else Sent.BEFORE
        show = self.place.upload(source, name, size)
        self._ask(before_visible, name)
        shown.append(True)
        show()
        return Sent.NOW

    def _ask(self, before_visible: Callable[[], None], name: str) -> None:
        allowed = False
        try:
            before_visible()
            allowed = True
        finally:
            if not allowed:
                # What the caller raised is what matters; `unfinished` shows what could not be removed.
                with suppress(SudareError):
                    self.discard(name)

    def _trying(self, once: Callable[[], Answer]) -> Answer:
        for failed in range(1, self.patience.tries + 1):
            try:
                return once()
            except Cut as cut:
                why = str(cut)
            self.place.close()
            if failed < self.patience.tries:
                self.patience.wait(failed)
        raise DestinationUnreachable(
            f"{self.place.title}: {why}, {self.patience.tries} times; look at the network and at the partner's notices"
        )


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError("a file is sent under ASCII letters, digits and ._-, beginning with a letter or digit")


def _require_below(name: str) -> None:
    """A partner's folder is not the way to other folders."""
    if not all(part.strip(".") for part in name.split("/")) or "\0" in name:
        raise SendRefused("a file or folder to be read is not below the partner's")


def matches(there: BinaryIO, source: BinaryIO, size: int) -> bool:
    """Whether the next bytes of both are the same; of the source, they have been read then."""
    while size > 0:
        block = source.read(min(size, BLOCK))
        if not block or there.read(len(block)) != block:
            return False
        size -= len(block)
    return True


def require_whole(arrived: int | None, size: int) -> None:
    if arrived != size:
        raise Cut(f"{arrived or 0} of {size} bytes arrived")
