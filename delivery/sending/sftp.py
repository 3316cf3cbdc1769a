"""
A folder of an SFTP server, whose host key is pinned: no list of known hosts, no agent, no keys of whoever runs this.
"""

import base64
import binascii
import errno
import io
import logging
import posixpath
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, unquote

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from anonymizers.errors import HostKeyRefused, SendRefused
from delivery.sending.transport import UNFINISHED, Credentials, Cut, Patience, matches, require_whole

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

_READ_BLOCK = 1 << 17
"""What a read asks for. A server to which this is too much answers with less."""

_LOG = logging.getLogger(__name__)
# paramiko logs a traceback for every cut; what is worth saying is in our errors.
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


def server_at(parts: SplitResult, credentials: Credentials, host_key: str, patience: Patience) -> "SftpServer":
    """The server and folder of a split address; refused if the address, the login or the pinned key is of no use."""
    try:
        port = 22 if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not parts.hostname or not port or not parts.path.startswith("/"):
        raise SendRefused("the address is not of the form sftp://host:port/folder")
    if not credentials.login or not (credentials.password or credentials.private_key):
        raise SendRefused(
            f"no login for the SFTP server {parts.hostname}: give a name, and a password or a private key"
        )
    return SftpServer(
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
    """Read by `cryptography`, which knows every form; paramiko knows two and takes some keys of those for broken."""
    password = credentials.password.encode() or None
    for load in (load_ssh_private_key, load_pem_private_key):
        with suppress(ValueError, TypeError, UnsupportedAlgorithm):
            loaded = load(credentials.private_key.encode(), password)
            plain = loaded.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
            for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
                with suppress(paramiko.SSHException):
                    return kind.from_private_key(io.StringIO(plain))
    raise SendRefused(
        "the private key for SFTP cannot be read; give an OpenSSH or PEM key, and its password if it has one"
    )


@dataclass(kw_only=True)
class SftpServer:
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
            require_whole(client.stat(part).st_size, size)
        return lambda: self._show(part, self._path(name), size)

    def discard(self, name: str) -> None:
        with self._answers() as client, suppress(FileNotFoundError):
            client.remove(self._path(f".{name}.part"))

    def unfinished(self) -> list[str]:
        with self._answers() as client:
            return [found[1] for name in client.listdir(self.folder) if (found := UNFINISHED.fullmatch(name))]

    def list_files(self, subdir: str) -> list[str]:
        with self._answers() as client:
            return [
                posixpath.join(subdir, one.filename)
                for one in client.listdir_attr(self._path(subdir))
                if stat.S_ISREG(one.st_mode or 0) and not one.filename.startswith(".") and "/" not in one.filename
            ]

    def read(self, name: str, at_most_bytes: int) -> bytes:
        with self._answers() as client, _reading(client, self._path(name)) as file:
            return file.read(at_most_bytes + 1)

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
            f"{self.title} shows another host key than the pinned one; nothing was sent. Ask the partner by another "
            "way than the network whether it has changed"
        )

    def _named(self, refused: Exception) -> Exception:
        if isinstance(refused, paramiko.AuthenticationException):
            # paramiko says so too when the connection was cut while logging in.
            if any(word in str(refused).lower() for word in ("shut down", "timeout")):
                return Cut("cut while logging in")
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
        return Cut("silent for too long" if isinstance(refused, TimeoutError) else "refused the connection or cut it")

    def _is_answer(self, refused: Exception) -> bool:
        """Whether a server that is still there said no; paramiko gives a cut and a general failure one type."""
        if self.client is None or isinstance(refused, (TimeoutError, ConnectionError, socket.gaierror)):
            return False
        channel = self.client.get_channel()
        return isinstance(refused, OSError) and channel.get_transport().is_active() and not channel.closed


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
    with suppress(PermissionError), _reading(client, part) as there:
        if matches(there, source, begun):
            return begun
    return 0


def _reading(client: paramiko.SFTPClient, path: str) -> paramiko.SFTPFile:
    file = client.open(path, "rb")
    # Not read ahead: that is a thread of paramiko's, which ends with a traceback when the wire is cut.
    file.MAX_REQUEST_SIZE = _READ_BLOCK
    return file


def _pour(source: BinaryIO, target: paramiko.SFTPFile) -> None:
    while window := source.read(_WINDOW):
        last = max(0, len(window) - _SFTP_BLOCK)
        target.set_pipelined(True)
        target.write(window[:last])
        # This one waits for the answers to all of them, or a write that was refused would go unnoticed.
        target.set_pipelined(False)
        target.write(window[last:])
