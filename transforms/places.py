"""
Places by URL: a directory of this machine, or a prefix of an object store that all workers share.

A directory is a `pathlib.Path`. A store is universal_pathlib's path of the same interface, over fsspec; it has no
rename and no links, but one upload is atomic there. Credentials, region and endpoint of a store come from the places
that its library looks in (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_DEFAULT_REGION``,
``AWS_ENDPOINT_URL_S3``, a role of the machine); none is ever part of a URL or a message.
"""

import errno
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec
from botocore.exceptions import BotoCoreError, NoCredentialsError, ParamValidationError, PartialCredentialsError
from upath import UPath

from anonymizers.errors import (
    SettingRefused,
    StagingUnreachable,
    StagingUnwritable,
    StorageFull,
    StorageUnreachable,
    SudareError,
    Terminal,
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_ONE_PUT = 5 << 30
"""Bytes that S3 takes in one request: what is smaller is never left half uploaded by a task that dies."""

_PASSING = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException")
"""Codes of S3 that pass by themselves, whatever their HTTP status."""

_MISUSED = (NoCredentialsError, PartialCredentialsError, ParamValidationError)
"""What the library refuses before it has asked the store."""

PART = ".part"
"""Ending of what is still being written in a directory."""

_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        # What another worker wrote a moment ago is there.
        "use_listings_cache": False,
        "config_kwargs": {
            "connect_timeout": 10,
            "read_timeout": 60,
            "retries": {"mode": "standard", "total_max_attempts": 3},
        },
    }
}


def place(url: str | Path) -> Path:
    """
    The place of a URL.

    Args:
        url: A directory, ``file://…``, or ``s3://bucket/prefix``.

    Raises:
        SettingRefused: there is no driver for its protocol, or it holds a login.
    """
    if isinstance(url, Path | UPath):
        return url
    parts = urlsplit(url)
    if not is_store(url):
        return Path(parts.path if parts.scheme == "file" else url)
    if parts.scheme not in _OPTIONS:
        raise SettingRefused(f"{parts.scheme}://: a place is a directory or s3://bucket/prefix")
    if parts.username or parts.password or parts.query:
        raise SettingRefused(f"{parts.scheme}://: a place holds no login; see AWS_ACCESS_KEY_ID and its like")
    return UPath(url.rstrip("/"), **_OPTIONS[parts.scheme])


def is_store(url: str | Path) -> bool:
    """Whether it is an object store's, and no directory."""
    return not isinstance(url, Path) and "://" in str(url) and not str(url).startswith("file://")


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a directory and those above it. A store has none, and a bucket is not ours to make."""
    if not is_store(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=mode)


def folders(place: Path) -> list[Path]:
    """The folders in a place, in order; none where it is not there."""
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that a reader sees all of it or what was there before; no half of it under its name."""
    if is_store(path):
        path.fs.pipe_file(path.path, bytes(data), chunksize=_ONE_PUT)
        return
    make_folder(path.parent)
    # A name of its own: a task that was given up and the one in its place may write at once.
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}{PART}")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def bring(path: Path, folder: Path) -> Path:
    """The file on this machine: itself, or of a store a copy in a folder."""
    if not is_store(path):
        return path
    copy = folder / path.name
    path.fs.get_file(path.path, str(copy))
    return copy


def put(source: Path, path: Path) -> None:
    """Store a file, in a store: it is seen when it is there whole."""
    path.fs.put_file(str(source), path.path)


def fresh_filesystem(folder: Path) -> Any:
    """A store's connection that nobody else holds, so that it may be closed."""
    return type(folder.fs)(**folder.storage_options, skip_instance_cache=True)


def remove_tree(folder: Path) -> None:
    """Delete a folder with everything in it; no error where there is none."""
    filesystem, path = filesystem_of(folder)
    try:
        filesystem.rm(path, recursive=True)
    except FileNotFoundError:
        return


def filesystem_of(folder: Path) -> tuple[Any, str]:
    """fsspec's view of a place."""
    return (folder.fs, folder.path) if is_store(folder) else (fsspec.filesystem("file"), str(folder))


@contextmanager
def unwritable_as(error: type[Terminal], what: str) -> Iterator[None]:
    """
    Turn the refusals of the operating system and of an object store into ours.

    Raises:
        StorageFull: no space, no quota.
        StagingUnreachable, StorageUnreachable: the store cannot be reached, fails, or asks for fewer requests.
        error: anything else that was answered, such as a missing right or bucket.
    """
    try:
        yield
        return
    except (OSError, BotoCoreError, *_broken_off()) as refused:
        ours = _named(refused, error, what)
    raise ours from None


def _broken_off() -> tuple[type[Exception], ...]:
    """What the store's library tries again, and gives up; half a second to import, so only where it is in use."""
    return getattr(sys.modules.get("s3fs.core"), "S3_RETRYABLE_ERRORS", ())


def _named(refused: Exception, error: type[Terminal], what: str) -> SudareError:
    if (told := _answer(refused)) is not None:
        status, code = told
        shown = f"{status} {code}" if re.fullmatch(r"[A-Za-z0-9]{1,60}", code) else str(status)
        if status >= 500 or status in (408, 429) or code in _PASSING:
            return _unreachable(error)(f"{what}: the object store answered {shown}")
        return error(f"{what}: the object store answered {shown}; see bucket, region, keys and rights")
    number = getattr(refused, "errno", None) or _told_in_words(refused)
    if isinstance(refused, _MISUSED):
        return error(f"{what}: {type(refused).__name__}; give the object store's keys and region")
    if not number and (not isinstance(refused, OSError) or isinstance(refused, (ConnectionError, TimeoutError))):
        return _unreachable(error)(f"{what}: the object store cannot be reached ({type(refused).__name__})")
    code = errno.errorcode.get(number, "OSError")
    if number in _FULL:
        return StorageFull(f"{what}: {code}, no space left; free some and run the night again")
    return error(f"{what}: {code}; check that it exists and that this user may write there")


def _unreachable(error: type[Terminal]) -> type[SudareError]:
    return StagingUnreachable if error is StagingUnwritable else StorageUnreachable


def _answer(refused: Exception) -> tuple[int, str] | None:
    """HTTP status and code, if a store answered."""
    response = getattr(refused, "response", None) or getattr(refused.__cause__, "response", None)
    if not isinstance(response, dict):
        return None
    return response["ResponseMetadata"].get("HTTPStatusCode", 0), response["Error"].get("Code", "")


def _told_in_words(refused: Exception) -> int:
    """Libraries written in Rust put the number into the message only."""
    found = re.search(r"\(os error ([0-9]+)\)", str(refused))
    return int(found.group(1)) if found else 0
