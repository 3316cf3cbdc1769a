"""
Sending a finished file to where its recipient takes it: an SFTP server, an S3 bucket, a folder.

A recipient scans its folder all the time, and a half-written file is taken for a whole one. So a file is uploaded
where no scanner looks, compared in size, and becomes visible in one step, right before which the caller is asked a
last time. A cut connection costs time and no more: the next try, or the next night, goes on from what is there.

The nouns come first, then what all places do alike, then one class a place.
"""

import base64
import binascii
import errno
import hashlib
import io
import ipaddress
import logging
import os
import posixpath
import re
import secrets
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

import paramiko

from anonymizers.errors import DestinationUnreachable, HostKeyRefused, SendRefused, SudareError
from transforms.staging import unwritable_as

_Answer = TypeVar("_Answer")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_UNFINISHED = re.compile(r"\.(.+)\.part")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOST_KEY_ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""Per type of key the signatures that are asked for. SHA-1 is none of them."""

_WINDOW = 3 << 20
"""Bytes that are under way to an SFTP server before its answers are waited for."""

_SFTP_BLOCK = 1 << 15
"""The largest write that every server takes (draft-ietf-secsh-filexfer-02, 3)."""

_PART_BYTES = 8 << 20
_MOST_PARTS = 10_000
"""Of one upload to S3, whose parts have 5 MiB or more."""

_PASSING = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException")
_DAMAGED = ("BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "NoSuchUpload")
"""S3 codes under 500 that another try mends: what arrived was not what was sent, or an upload has been cleaned away."""

_LOG = logging.getLogger(f"{__name__}.ssh")
# paramiko logs a traceback for every cut; what is worth saying is in our errors.
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


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


def open_transport(
    url: str, credentials: Credentials = Credentials(), host_key: str = "", patience: Patience = Patience()
) -> Transport:
    """
    The transport for an address; nothing is connected to yet.

    Args:
        url: ``sftp://host:port/folder``, ``s3://bucket/prefix``, ``file:///folder`` or a path. The folder must be there.

        credentials: For SFTP and S3.

        host_key: For SFTP, the server's public key as in ``ssh-ed25519 AAAA…``. There is no list of known hosts.

        patience: Of its tries.

    Raises:
        SendRefused: the address or the credentials are not of these forms.
        HostKeyRefused: no host key is pinned.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SendRefused("the address holds more than server and folder; give login and password apart from it")
    if parts.scheme == "sftp":
        return _Sending(_sftp(parts, credentials, host_key, patience), patience)
    if parts.scheme == "s3":
        return _Sending(_s3(parts, credentials, patience), patience)
    if parts.scheme in ("", "file") and not parts.netloc and parts.path:
        return _Sending(_Folder(Path(unquote(parts.path) if parts.scheme else url)), patience)
    raise SendRefused("the address is none of sftp://host:port/folder, s3://bucket/prefix, file:///folder")


class _Cut(Exception):
    """A try that failed for a cause that may pass. The message says which, in our words."""


class _Place(Protocol):
    """
    What differs between places. Methods raise `_Cut`, `SendRefused` or `HostKeyRefused`; names were checked.
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
class _Sending:
    """What all places do alike: the order of the steps, and trying again."""

    place: _Place
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

    def _trying(self, once: Callable[[], _Answer]) -> _Answer:
        for failed in range(1, self.patience.tries + 1):
            try:
                return once()
            except _Cut as cut:
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


def _matches(there: BinaryIO, source: BinaryIO, size: int) -> bool:
    """Whether the next bytes of both are the same; of the source, they have been read then."""
    while size > 0:
        block = source.read(min(size, _PART_BYTES))
        if not block or there.read(len(block)) != block:
            return False
        size -= len(block)
    return True


def _require_whole(arrived: int | None, size: int) -> None:
    if arrived != size:
        raise _Cut(f"{arrived or 0} of {size} bytes arrived")


# -- a folder of this machine ----------------------------------------------------------------------------------------


@dataclass
class _Folder:
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
                    fits = begun <= size and _matches(there, reading, begun)
                begun = begun if fits else 0
                reading.seek(begun)
                writing.truncate(begun)
                part.chmod(0o600)
                while block := reading.read(_PART_BYTES):
                    writing.write(block)
                writing.flush()
                os.fsync(writing.fileno())
            _require_whole(part.stat().st_size, size)
        return lambda: self._show(name)

    def discard(self, name: str) -> None:
        with self._refusals():
            self._part(name).unlink(missing_ok=True)

    def unfinished(self) -> list[str]:
        with self._refusals():
            return [found[1] for path in self.folder.iterdir() if (found := _UNFINISHED.fullmatch(path.name))]

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


# -- an SFTP server --------------------------------------------------------------------------------------------------


def _sftp(parts: SplitResult, credentials: Credentials, host_key: str, patience: Patience) -> "_SftpServer":
    try:
        port = parts.port or 22
    except ValueError:
        port = 0
    if not parts.hostname or not port or not parts.path.startswith("/"):
        raise SendRefused("the address is not of the form sftp://host:port/folder")
    if not credentials.login or not (credentials.password or credentials.private_key):
        raise SendRefused(
            f"no login for the SFTP server {parts.hostname}: give a name, and a password or a private key"
        )
    return _SftpServer(
        host=parts.hostname,
        port=port,
        folder=unquote(parts.path),
        credentials=credentials,
        private_key=_private_key(credentials) if credentials.private_key else None,
        pinned=_pinned(host_key, parts.hostname),
        timeout=patience.timeout_seconds,
    )


def _pinned(host_key: str, host: str) -> tuple[str, bytes]:
    """Type and blob of a public key line."""
    kind, text = [*host_key.split(), "", ""][:2]
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error:
        blob = b""
    # The blob begins with its own type, which a line that was put together from two keys contradicts.
    if kind not in _HOST_KEY_ALGORITHMS or blob[4 : 4 + len(kind)] != kind.encode():
        raise HostKeyRefused(
            f"no host key is pinned for the SFTP server {host}; give its public key as in ssh-ed25519 AAAA…, "
            "as the partner tells it by another way than the network"
        )
    return kind, blob


def _private_key(credentials: Credentials) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(credentials.private_key), credentials.password or None)
    raise SendRefused(
        "the private key for SFTP cannot be read; give an OpenSSH or PEM key, and its password if it has one"
    )


@dataclass(kw_only=True)
class _SftpServer:
    """A folder of an SFTP server, in one session that is begun anew after a cut."""

    host: str
    port: int
    folder: str
    credentials: Credentials
    private_key: paramiko.PKey | None = field(repr=False)
    pinned: tuple[str, bytes]
    timeout: float
    session: paramiko.Transport | None = None
    client: paramiko.SFTPClient | None = None

    @property
    def title(self) -> str:
        return f"the SFTP server {self.host}"

    def close(self) -> None:
        if self.session is not None:
            self.session.close()
        self.session = self.client = None

    def size(self, name: str) -> int | None:
        with self._answers() as client:
            return _size(client, self._path(name))

    def upload(self, source: Path, name: str, size: int) -> Callable[[], None]:
        part = self._path(f".{name}.part")
        with self._answers() as client, source.open("rb") as reading:
            begun = _begun(client, part, reading, size)
            reading.seek(begun)
            with client.open(part, "r+b" if begun else "wb") as writing:
                writing.seek(begun)
                _pour(reading, writing)
            _require_whole(client.stat(part).st_size, size)
        return lambda: self._show(part, self._path(name), size)

    def discard(self, name: str) -> None:
        with self._answers() as client, suppress(FileNotFoundError):
            client.remove(self._path(f".{name}.part"))

    def unfinished(self) -> list[str]:
        with self._answers() as client:
            return [found[1] for name in client.listdir(self.folder) if (found := _UNFINISHED.fullmatch(name))]

    def list_files(self, subdir: str) -> list[str]:
        with self._answers() as client:
            return [
                posixpath.join(subdir, one.filename)
                for one in client.listdir_attr(self._path(subdir))
                if stat.S_ISREG(one.st_mode or 0) and not one.filename.startswith(".") and "/" not in one.filename
            ]

    def read(self, name: str, at_most_bytes: int) -> bytes:
        with self._answers() as client, client.open(self._path(name), "rb") as file:
            if size := min(file.stat().st_size or 0, at_most_bytes + 1):
                file.prefetch(size)
            return file.read(size)

    def _path(self, name: str) -> str:
        return posixpath.join(self.folder, name)

    def _show(self, part: str, path: str, size: int) -> None:
        with self._answers() as client:
            try:
                # The plain rename, which replaces nothing.
                client.rename(part, path)
            except OSError:
                if _size(client, path) != size:
                    raise
                client.remove(part)

    @contextmanager
    def _answers(self) -> Iterator[paramiko.SFTPClient]:
        """The session, with what its library and the server refuse turned into ours."""
        try:
            yield self.client or self._connect()
            return
        except (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError) as refused:
            ours = self._named(refused)
        raise ours

    def _connect(self) -> paramiko.SFTPClient:
        connection = socket.create_connection((self.host, self.port), self.timeout)
        self.session = session = paramiko.Transport(connection)
        session.set_log_channel(_LOG.name)
        session.banner_timeout = session.handshake_timeout = session.auth_timeout = self.timeout
        session.channel_timeout = self.timeout
        session.get_security_options().key_types = _HOST_KEY_ALGORITHMS[self.pinned[0]]
        session.start_client(timeout=self.timeout)
        shown = session.get_remote_server_key()
        if (shown.get_name(), shown.asbytes()) != self.pinned:
            raise self._other_host_key()
        self._log_in(session)
        self.client = paramiko.SFTPClient.from_transport(session)
        self.client.get_channel().settimeout(self.timeout)
        return self.client

    def _log_in(self, session: paramiko.Transport) -> None:
        if self.private_key is not None:
            missing = session.auth_publickey(self.credentials.login, self.private_key)
        else:
            missing = session.auth_password(self.credentials.login, self.credentials.password)
        if missing:
            raise SendRefused(f"{self.title} asks for a second factor, which nobody can give at night; agree on a key")

    def _other_host_key(self) -> HostKeyRefused:
        return HostKeyRefused(
            f"{self.title} shows another host key than the pinned one; nothing was sent. Ask the partner by another way "
            "than the network whether it has changed"
        )

    def _named(self, refused: Exception) -> Exception:
        if isinstance(refused, paramiko.AuthenticationException):
            # paramiko says so too when the connection was cut while logging in.
            if any(word in str(refused).lower() for word in ("shut down", "timeout")):
                return _Cut("cut while logging in")
            return SendRefused(f"{self.title} refused the login; see name, password and key, and ask the partner")
        if isinstance(refused, paramiko.IncompatiblePeer):
            if "host key" in str(refused):
                return self._other_host_key()
            return SendRefused(f"{self.title} shares no safe algorithm with this side; ask the partner")
        if isinstance(refused, OSError) and refused.errno == errno.ENOENT:
            return SendRefused(f"{self.title}: a folder or file is not there; see the address, or ask the partner")
        if isinstance(refused, OSError) and refused.errno == errno.EACCES:
            return SendRefused(f"{self.title} denies permission in the folder; ask the partner for the right to write")
        if self._is_answer(refused):
            return SendRefused(
                f"{self.title} refused without a reason; its folder may be full or closed: ask the partner"
            )
        return _Cut("silent for too long" if isinstance(refused, TimeoutError) else "refused the connection or cut it")

    def _is_answer(self, refused: Exception) -> bool:
        """Whether a server that is still there said no; paramiko gives a cut and a general failure one type."""
        passing = (TimeoutError, ConnectionError, socket.gaierror)
        alive = self.session is not None and self.session.is_active()
        return isinstance(refused, OSError) and not isinstance(refused, passing) and alive


def _size(client: paramiko.SFTPClient, path: str) -> int | None:
    try:
        return client.stat(path).st_size
    except FileNotFoundError:
        return None


def _begun(client: paramiko.SFTPClient, part: str, source: BinaryIO, size: int) -> int:
    """How many bytes of a file are there already; 0 if what is there is of another one or cannot be read."""
    begun = _size(client, part) or 0
    if not 0 < begun <= size:
        return 0
    with suppress(PermissionError), client.open(part, "rb") as there:
        # Without a bound, all of it would be asked for and kept at once.
        there.prefetch(begun, max_concurrent_requests=64)
        if _matches(there, source, begun):
            return begun
    return 0


def _pour(source: BinaryIO, target: paramiko.SFTPFile) -> None:
    while window := source.read(_WINDOW):
        last = max(0, len(window) - _SFTP_BLOCK)
        target.set_pipelined(True)
        target.write(window[:last])
        # This one waits for the answers to all of them, or a write that was refused would go unnoticed.
        target.set_pipelined(False)
        target.write(window[last:])


# -- an S3 bucket ----------------------------------------------------------------------------------------------------


def _s3(parts: SplitResult, credentials: Credentials, patience: Patience) -> "_Bucket":
    if not _BUCKET.fullmatch(parts.netloc):
        raise SendRefused("the address is not of the form s3://bucket/prefix")
    if not credentials.login or not credentials.password or not credentials.region:
        # Or the library would look for other ones on this machine.
        raise SendRefused(f"no login for the bucket {parts.netloc}: give access key id, secret access key and region")
    _require_private(credentials.endpoint_url)
    return _Bucket(
        bucket=parts.netloc,
        prefix=unquote(parts.path).strip("/"),
        credentials=credentials,
        timeout=patience.timeout_seconds,
    )


def _require_private(endpoint: str) -> None:
    """The wire is encrypted, or there is none."""
    parts = urlsplit(endpoint)
    if not endpoint or (parts.scheme == "https" and parts.hostname and parts.username is None):
        return
    try:
        here = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        here = False
    if parts.scheme != "http" or parts.username is not None or not here:
        raise SendRefused("the endpoint of the object store is not https://host, or http:// of this machine")


@dataclass(kw_only=True)
class _Bucket:
    """
    A prefix of an S3 bucket. An object appears when its upload is completed, so uploads are multipart ones, whatever the
    size. Rights it needs: PutObject, GetObject and ListBucket; to go on from a cut also ListBucketMultipartUploads and
    ListMultipartUploadParts, to clean up AbortMultipartUpload.
    """

    bucket: str
    prefix: str
    credentials: Credentials
    timeout: float
    filesystem: Any = None

    @property
    def title(self) -> str:
        return f"the bucket {self.bucket}"

    def close(self) -> None:
        if self.filesystem is not None:
            self.filesystem.close_session(self.filesystem.loop, self.filesystem.s3)
        self.filesystem = None

    def size(self, name: str) -> int | None:
        with self._answers():
            return self._size(name)

    def upload(self, source: Path, name: str, size: int) -> Callable[[], None]:
        key = self._key(name)
        parts = []
        # Of one size for one file, so that another try cuts it in the same places.
        step = max(_PART_BYTES, -(-size // _MOST_PARTS))
        with self._answers(), source.open("rb") as file:
            upload, there = self._begun(key)
            for number in range(1, max(1, -(-size // step)) + 1):
                tag = self._bring(key, upload, number, file.read(step), there.get(number))
                parts.append({"PartNumber": number, "ETag": tag})
        return lambda: self._show(name, upload, parts, size)

    def discard(self, name: str) -> None:
        with self._answers():
            for upload in self._uploads(self._key(name)):
                with suppress(FileNotFoundError):
                    self._call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])

    def unfinished(self) -> list[str]:
        with self._answers():
            names = [upload["Key"].removeprefix(self._key("")) for upload in self._uploads()]
        return [name for name in names if "/" not in name]

    def list_files(self, subdir: str) -> list[str]:
        folder = self._key(f"{subdir}/" if subdir else "")
        tokens = {"ContinuationToken": "NextContinuationToken"}
        with self._answers():
            pages = list(self._pages("list_objects_v2", tokens, Prefix=folder, Delimiter="/"))
        names = (one["Key"].removeprefix(folder) for page in pages for one in page.get("Contents", ()))
        return [posixpath.join(subdir, name) for name in names if name and not name.startswith(".")]

    def read(self, name: str, at_most_bytes: int) -> bytes:
        size = self.size(name)
        if size is None:
            raise SendRefused(f"{self.title}: a file to be read is not there; ask the partner")
        if not size:
            return b""  # a range of nothing is an error
        with self._answers():
            end = min(size, at_most_bytes + 1)
            return self._connected().cat_file(f"{self.bucket}/{self._key(name)}", start=0, end=end)

    def _size(self, name: str) -> int | None:
        try:
            return self._call("head_object", Key=self._key(name))["ContentLength"]
        except FileNotFoundError:
            return None

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _begun(self, key: str) -> tuple[str, dict[int, tuple[str, int]]]:
        """The upload to go on with, new or not, and of each part that is there the entity tag and the size."""
        uploads = sorted(self._uploads(key), key=lambda upload: upload["Initiated"])
        tokens = {"PartNumberMarker": "NextPartNumberMarker"}
        with suppress(PermissionError, IndexError):
            upload = uploads[-1]["UploadId"]
            pages = self._pages("list_parts", tokens, Key=key, UploadId=upload)
            found = [part for page in pages for part in page.get("Parts", ())]
            return upload, {part["PartNumber"]: (part["ETag"].strip('"'), part["Size"]) for part in found}
        return self._call("create_multipart_upload", Key=key)["UploadId"], {}

    def _bring(self, key: str, upload: str, number: int, block: bytes, there: tuple[str, int] | None) -> str:
        """Upload a part that is not there yet; its entity tag. The store compares the digest, which is no secret."""
        digest = hashlib.md5(block, usedforsecurity=False)
        if there == (digest.hexdigest(), len(block)):
            return there[0]
        checked = base64.b64encode(digest.digest()).decode()
        answer = self._call("upload_part", Key=key, UploadId=upload, PartNumber=number, Body=block, ContentMD5=checked)
        return answer["ETag"]

    def _show(self, name: str, upload: str, parts: list[dict], size: int) -> None:
        key, told = self._key(name), {"Parts": parts}
        with self._answers():
            self._call("complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload=told)
        if self.size(name) != size:
            raise SendRefused(f"{self.title}: {name} has another size than was sent; have the partner remove it")

    def _uploads(self, key: str | None = None) -> list[dict]:
        """Unfinished uploads of one key, or of all below the prefix; none where it is forbidden to look."""
        prefix = self._key("") if key is None else key
        tokens = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}
        try:
            pages = list(self._pages("list_multipart_uploads", tokens, Prefix=prefix))
        except PermissionError:
            return []
        found = (upload for page in pages for upload in page.get("Uploads", ()))
        return [upload for upload in found if key is None or upload["Key"] == key]

    def _pages(self, method: str, tokens: dict[str, str], **arguments: Any) -> Iterator[dict]:
        while True:
            page = self._call(method, **arguments)
            yield page
            if not page.get("IsTruncated"):
                return
            arguments |= {ours: page[theirs] for ours, theirs in tokens.items()}

    def _call(self, method: str, **arguments: Any) -> dict:
        return self._connected().call_s3(method, Bucket=self.bucket, **arguments)

    def _connected(self) -> Any:
        # Here, because importing it takes a second, and most tasks of a night send nothing.
        from s3fs import S3FileSystem

        if self.filesystem is None:
            self.filesystem = S3FileSystem(
                key=self.credentials.login,
                secret=self.credentials.password,
                endpoint_url=self.credentials.endpoint_url or None,
                client_kwargs={"region_name": self.credentials.region},
                config_kwargs={
                    "connect_timeout": self.timeout,
                    "read_timeout": self.timeout,
                    # Trying again is done in one place, above.
                    "retries": {"total_max_attempts": 1},
                    # The digest that each part is sent with is checked by every store; newer ones by some.
                    "request_checksum_calculation": "when_required",
                    "ignore_configured_endpoint_urls": True,
                },
                use_listings_cache=False,
                skip_instance_cache=True,
            )
            self.filesystem.retries = 1
        return self.filesystem

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """What the store and its libraries refuse, turned into ours."""
        from botocore.exceptions import BotoCoreError
        from s3fs.core import S3_RETRYABLE_ERRORS

        try:
            yield
            return
        except (OSError, BotoCoreError, *S3_RETRYABLE_ERRORS) as refused:
            ours = self._named(refused)
        raise ours

    def _named(self, refused: Exception) -> Exception:
        from botocore.exceptions import ConnectionError as NotConnected
        from botocore.exceptions import SSLError
        from s3fs.core import S3_RETRYABLE_ERRORS

        answer = getattr(refused.__cause__, "response", None)
        if answer is not None:
            return self._answered(answer["ResponseMetadata"].get("HTTPStatusCode", 0), answer["Error"].get("Code", ""))
        if isinstance(refused, SSLError):
            return SendRefused(f"{self.title}: the certificate of its server does not hold; see the endpoint")
        if isinstance(refused, TimeoutError):
            return _Cut("silent for too long")
        if isinstance(refused, (NotConnected, ConnectionError, *S3_RETRYABLE_ERRORS)):
            return _Cut("refused the connection or cut it")
        return SendRefused(f"{self.title} cannot be used ({type(refused).__name__}); see endpoint, region and bucket")

    def _answered(self, status: int, code: str) -> Exception:
        told = f"{status} {code}" if re.fullmatch(r"[A-Za-z0-9]{1,60}", code) else str(status)
        if status >= 500 or status in (408, 429) or code in _PASSING or code in _DAMAGED:
            return _Cut(f"answered {told}")
        if status == 404:
            return SendRefused(f"{self.title}: bucket or object is not there ({told}); see the address")
        if status in (401, 403):
            return SendRefused(
                f"{self.title} refused the login or a right ({told}); see keys and clock, ask the partner"
            )
        return SendRefused(f"{self.title} refused ({told}); see region and endpoint, or ask the partner")
