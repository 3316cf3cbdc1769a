"""
Real servers on this machine for what is sent: SFTP, S3 over HTTP, and a wire between that can be cut.

`serve_sftp` and `serve_s3` are context managers; the fixtures `sftp_server` and `s3_server` are of them, and any
conftest may import both. `Wire` stands before either and cuts, slows or answers in its place.
"""

import asyncio
import contextlib
import logging
import os
import random
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import fsspec
import pytest

from delivery.sending import Credentials, Patience

REGION = "ap-northeast-1"
LOGIN, PASSWORD = "sudare", "correct horse battery"
HURRIED = Patience(tries=4, first_seconds=0.001, most_seconds=0.01, timeout_seconds=5.0, slowest_bytes_per_second=1e6)
"""For tests: waits that nobody notices."""


# -- SFTP ------------------------------------------------------------------------------------------------------------


@dataclass
class SftpSite:
    """A partner's SFTP server. Its folder `drop` is where files go; `root` is all that a login sees."""

    root: Path
    port: int
    host_key: str
    private_key: str
    """Another way to log in than the password."""
    events: list[tuple] = field(default_factory=list)
    """What was asked of the server, in order: ("password",), ("login",), ("write", name, offset), ("remove", name),
    ("rename", old, new)."""
    denied: set[str] = field(default_factory=set)
    """Names of operations that are answered with permission denied."""
    failing: set[str] = field(default_factory=set)
    """Names of operations that are answered with a failure without a reason."""
    on_rename: Callable[[], None] = lambda: None
    """Called when a rename is done and not answered yet."""
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    @property
    def drop(self) -> Path:
        return self.root / "drop"

    @property
    def url(self) -> str:
        return self.url_by(self.port)

    @property
    def credentials(self) -> Credentials:
        return Credentials(login=LOGIN, password=PASSWORD)

    def url_by(self, port: int, folder: str = "/drop") -> str:
        """By another port, such as a wire's."""
        return f"sftp://127.0.0.1:{port}{folder}"

    def visible(self) -> list[str]:
        """What a scanner of the partner sees."""
        return sorted(name for name in os.listdir(self.drop) if not name.startswith("."))

    def hidden(self) -> list[str]:
        return sorted(name for name in os.listdir(self.drop) if name.startswith("."))

    def renames(self, name: str) -> int:
        return sum(event[0] == "rename" and event[2].endswith(f"/{name}") for event in self.events)

    def first_offsets(self) -> list[int]:
        """Per login, where its first write began."""
        starts, fresh = [], False
        for event in self.events:
            if event[0] == "login":
                fresh = True
            elif event[0] == "write" and fresh:
                starts.append(event[2])
                fresh = False
        return starts


class _Door(asyncssh.SSHServer):
    def __init__(self, site: SftpSite) -> None:
        self.site = site

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.site.connections.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self.site.events.append(("password",))
        return (username, password) == (LOGIN, PASSWORD)

    def auth_completed(self) -> None:
        self.site.events.append(("login",))


class _Files(asyncssh.SFTPServer):
    """The library's, with a journal and refusals on demand."""

    def __init__(self, channel: asyncssh.SSHServerChannel, site: SftpSite) -> None:
        super().__init__(channel, chroot=os.fsencode(site.root))
        self.site = site
        self.names: dict[int, str] = {}

    def _let_pass(self, operation: str) -> None:
        if operation in self.site.denied:
            raise asyncssh.SFTPPermissionDenied("no")
        if operation in self.site.failing:
            raise asyncssh.SFTPFailure("no")

    def open(self, path, pflags, attrs):
        self._let_pass("write" if pflags & asyncssh.FXF_WRITE else "read")
        file = super().open(path, pflags, attrs)
        self.names[id(file)] = os.fsdecode(path)
        return file

    def write(self, file_obj, offset, data):
        self._let_pass(f"block at {offset}")
        self.site.events.append(("write", self.names[id(file_obj)], offset))
        return super().write(file_obj, offset, data)

    def stat(self, path):
        self._let_pass("stat")
        return super().stat(path)

    def rename(self, oldpath, newpath):
        self._let_pass("rename")
        super().rename(oldpath, newpath)
        self.site.events.append(("rename", os.fsdecode(oldpath), os.fsdecode(newpath)))
        self.site.on_rename()

    def remove(self, path):
        self._let_pass("remove")
        self.site.events.append(("remove", os.fsdecode(path)))
        return super().remove(path)


@contextmanager
def serve_sftp(root: Path) -> Iterator[SftpSite]:
    """An SFTP server on a port of its own that shows `root`, with an empty folder `drop` in it."""
    (root / "drop").mkdir(parents=True, exist_ok=True)
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    own_key = asyncssh.generate_private_key("ssh-ed25519")
    site = SftpSite(
        root=root,
        port=0,
        host_key=host_key.export_public_key().decode().strip(),
        private_key=own_key.export_private_key().decode(),
    )

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Door(site),
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(own_key.export_public_key().decode()),
            sftp_factory=lambda channel: _Files(channel, site),
        )

    async def stop(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()
        for connection in site.connections:
            connection.abort()
            await connection.wait_closed()
        # A turn of the loop, in which its transports close their sockets.
        await asyncio.sleep(0)

    with _loop() as run:
        acceptor = run(listen())
        site.port = acceptor.get_port()
        try:
            yield site
        finally:
            run(stop(acceptor))


@contextmanager
def _loop() -> Iterator[Callable]:
    """An event loop in a thread; what is yielded runs a coroutine in it and waits."""
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    # A cut connection is what these tests are about, and no news.
    loop.set_exception_handler(lambda *_: None)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


# -- S3 --------------------------------------------------------------------------------------------------------------


@dataclass
class S3Site:
    """A store with one empty bucket; files go below `drop`."""

    port: int
    bucket: str
    client: object
    """Boto's, to look at the bucket from the partner's side."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/drop"

    @property
    def credentials(self) -> Credentials:
        return self.credentials_by(self.port)

    def credentials_by(self, port: int) -> Credentials:
        """By another port, such as a wire's."""
        endpoint = f"http://127.0.0.1:{port}"
        return Credentials(login="access", password="secret", endpoint_url=endpoint, region=REGION)

    def visible(self) -> dict[str, bytes]:
        """Every object below `drop`, whole."""
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix="drop/").get("Contents", [])
        bodies = {one["Key"]: self.client.get_object(Bucket=self.bucket, Key=one["Key"])["Body"] for one in found}
        return {key.removeprefix("drop/"): body.read() for key, body in bodies.items()}

    def hidden(self) -> list[str]:
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)


@contextmanager
def serve_s3() -> Iterator[S3Site]:
    """An S3 API over HTTP on a port of its own. It keeps everything in memory."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    bucket = f"partner-{port}"
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id="access",
        aws_secret_access_key="secret",
    )
    try:
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield S3Site(port, bucket, client)
    finally:
        client.close()
        reset = urllib.request.Request(f"http://127.0.0.1:{port}/moto-api/reset", method="POST")
        urllib.request.urlopen(reset).close()
        server.stop()
        server._server.server_close()


# -- a wire ----------------------------------------------------------------------------------------------------------


@dataclass
class Wire:
    """
    Carries connections to a port of this machine, and misbehaves as told. Plans are followed one after another, however
    many connections they last for; when they are used up, everything is carried through.
    """

    target: int
    plans: list["Cut | Answer | Silence"] = field(default_factory=list)
    bytes_per_second: float = float("inf")
    carried: int = 0
    """Bytes from the sender, over all connections."""
    accepted: int = 0
    """Connections."""
    broken: int = 0
    """Plans that were followed to their end."""
    budget: "Budget | None" = None
    open_ends: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> "Wire":
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut_all()
        for end in self.open_ends:
            end.close()

    def cut_all(self) -> None:
        for end in list(self.open_ends):
            _reset(end)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self.open_ends.append(near)
            if self.budget is None or self.budget.spent or self.budget.endless:
                plan = self.plans.pop(0) if self.plans else Cut(None)
                self.budget = Budget(plan, 0 if isinstance(plan, Answer) else plan.after)
            threading.Thread(target=self._serve, args=(near, self.budget), daemon=True).start()

    def _serve(self, near: socket.socket, budget: "Budget") -> None:
        plan = budget.plan
        if isinstance(plan, Answer):
            self.broken += 1
            return plan.give(near)
        far = socket.create_connection(("127.0.0.1", self.target))
        self.open_ends.append(far)
        back = threading.Thread(target=self._carry, args=(far, near, budget, False), daemon=True)
        back.start()
        self._carry(near, far, budget, True)
        back.join()
        if not isinstance(plan, Silence):
            near.close()
            far.close()
        return None

    def _carry(self, giving: socket.socket, taking: socket.socket, budget: "Budget", counted: bool) -> None:
        with contextlib.suppress(OSError):
            while block := giving.recv(16_384):
                block = block[: budget.take(len(block))]
                taking.sendall(block)
                if counted:
                    self.carried += len(block)
                    time.sleep(len(block) / self.bytes_per_second)
                if budget.spent:
                    self.broken += budget.end(giving, taking)
                    return
            taking.shutdown(socket.SHUT_WR)


@dataclass
class Cut:
    """Carry so many bytes, of both directions together, and cut; None is never."""

    after: int | None


@dataclass
class Silence:
    """Carry so many bytes and then none, and do not say so."""

    after: int


@dataclass
class Answer:
    """Answer an HTTP request with an error of S3 and close."""

    status: int
    code: str

    def give(self, near: socket.socket) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{self.code}</Code><Message>no</Message></Error>".encode()
        head = f"HTTP/1.1 {self.status} No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        with contextlib.suppress(OSError), near:
            near.recv(65_536)
            near.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
            near.shutdown(socket.SHUT_WR)
            while near.recv(65_536):
                pass


class Budget:
    """How many bytes may still be carried under a plan."""

    def __init__(self, plan: Cut | Silence | Answer, left: int | None) -> None:
        self.plan, self.left, self.ended, self.lock = plan, left, False, threading.Lock()

    def take(self, wanted: int) -> int:
        with self.lock:
            if self.left is None:
                return wanted
            given = min(wanted, self.left)
            self.left -= given
            return given

    @property
    def endless(self) -> bool:
        return self.left is None

    @property
    def spent(self) -> bool:
        return self.left == 0

    def end(self, *ends: socket.socket) -> bool:
        """Whether this is the first end of this plan."""
        if isinstance(self.plan, Cut):
            for end in ends:
                _reset(end)
        with self.lock:
            first, self.ended = not self.ended, True
        return first


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not a good-bye, but a reset: as when a router goes.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)


@dataclass
class Scanner:
    """A partner's: looks all the time and remembers every content that it has seen under a visible name."""

    look: Callable[[], dict[str, bytes]]
    seen: set[tuple[str, bytes]] = field(default_factory=set)

    def __enter__(self) -> "Scanner":
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._scan, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.seen |= set(self.look().items())

    def _scan(self) -> None:
        while not self.over.wait(0.002):
            self.seen |= set(self.look().items())


def folder_scanner(folder: Path) -> Scanner:
    def look() -> dict[str, bytes]:
        with contextlib.suppress(FileNotFoundError):
            return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}
        return {}

    return Scanner(look)


def cut_points(seed: int, number: int, until: int) -> list[int]:
    """Where connections are cut: at random over everything that is carried, the beginnings among them."""
    draw = random.Random(seed)
    return sorted(draw.sample(range(until), number))


@pytest.fixture
def sftp_server(tmp_path) -> Iterator[SftpSite]:
    """A partner's SFTP server."""
    with serve_sftp(tmp_path / "partner") as site:
        yield site


@pytest.fixture
def s3_server() -> Iterator[S3Site]:
    """A partner's S3 store."""
    with serve_s3() as site:
        yield site


@pytest.fixture
def store(s3_server, monkeypatch) -> S3Site:
    """An object store, with its keys where a worker has them."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "access",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_S3": s3_server.endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    return s3_server
