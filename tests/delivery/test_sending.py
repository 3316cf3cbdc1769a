"""What all places do alike, shown with a folder; and which addresses there are."""

import os
import random
import stat
import traceback
from pathlib import Path

import pytest

from anonymizers.errors import DestinationUnreachable, FenceRefused, HostKeyRefused, SendRefused, StorageFull
from delivery.sending import Credentials, Patience, Sent, open_transport
from delivery.sending.transport import Cut, Sending
from tests.delivery.servers import folder_scanner

NAME = "sudare_partner_20261031_0a1b2c3d.csv.gz.gpg"
CONTENT = random.Random(7).randbytes(300_000)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHw4n5Vf3TBWvIbP8zHFtPpJVTIMq1u0YyqcOPu1YmJb partner"
LOGIN = Credentials(login="sudare", password="secret", region="ap-northeast-1")


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def drop(tmp_path) -> Path:
    path = tmp_path / "outbox"
    path.mkdir()
    return path


def nothing():
    """A last check that has nothing against it."""


def refusing():
    raise FenceRefused("somebody has said stop")


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_file_is_left_whole_once_and_private(source, drop, form):
    with open_transport(form.format(drop)) as transport, folder_scanner(drop) as scanner:
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert transport.send(source, NAME, nothing) == Sent.BEFORE
    assert scanner.seen == {(NAME, CONTENT)}
    assert os.listdir(drop) == [NAME]
    assert stat.S_IMODE((drop / NAME).stat().st_mode) == 0o600


def test_the_last_check_sees_all_bytes_there_and_nothing_visible(source, drop):
    def check():
        assert os.listdir(drop) == [f".{NAME}.part"]
        assert (drop / f".{NAME}.part").read_bytes() == CONTENT

    open_transport(str(drop)).send(source, NAME, check)


def test_a_last_check_that_refuses_leaves_nothing(source, drop):
    with pytest.raises(FenceRefused, match="said stop"):
        open_transport(str(drop)).send(source, NAME, refusing)
    assert os.listdir(drop) == []


@pytest.mark.parametrize("begun", [b"", CONTENT[:100_000], CONTENT, b"x" * 100_000, CONTENT + b"x"])
def test_what_was_begun_is_gone_on_with_or_begun_again(source, drop, begun):
    (drop / f".{NAME}.part").write_bytes(begun)
    assert open_transport(str(drop)).send(source, NAME, nothing) == Sent.NOW
    assert (drop / NAME).read_bytes() == CONTENT


def test_another_file_of_that_name_is_not_touched(source, drop):
    (drop / NAME).write_bytes(b"another")
    with pytest.raises(SendRefused, match=f"another file named {NAME}"):
        open_transport(str(drop)).send(source, NAME, nothing)
    assert (drop / NAME).read_bytes() == b"another"


def test_what_was_begun_can_be_seen_and_removed(drop):
    (drop / f".{NAME}.part").write_bytes(b"half")
    transport = open_transport(str(drop))
    assert transport.unfinished() == (NAME,)
    transport.discard(NAME)
    transport.discard(NAME)
    assert os.listdir(drop) == []


@pytest.mark.parametrize("use", [lambda t, s: t.send(s, NAME, nothing), lambda t, s: t.list_files()])
def test_a_folder_that_is_not_there_is_refused(source, tmp_path, use):
    with pytest.raises(SendRefused, match="ENOENT"):
        use(open_transport(str(tmp_path / "none")), source)


def test_a_source_that_is_not_there_is_refused(tmp_path, drop):
    with pytest.raises(SendRefused, match="ENOENT"):
        open_transport(str(drop)).send(tmp_path / "none", NAME, nothing)


def test_no_space_is_called_so(source, drop, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device", "/secret/place")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        open_transport(str(drop)).send(source, NAME, nothing)
    assert not (drop / NAME).exists()


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../a", "_a", "名簿.csv", "a b", "a\n"])
def test_a_name_that_a_partner_may_not_take_is_a_mistake(source, drop, name):
    with pytest.raises(ValueError, match="ASCII"):
        open_transport(str(drop)).send(source, name, nothing)


def test_a_partners_files_are_listed_and_read(drop):
    folder = drop / "from_partner"
    (folder / "old").mkdir(parents=True)
    for name, content in {"b.csv": b"2", "a.csv": b"11", ".c.part": b"3", "old/d.csv": b"4"}.items():
        (folder / name).write_bytes(content)
    (folder / "link.csv").symlink_to(folder / "a.csv")
    with open_transport(str(drop)) as transport:
        names = transport.list_files("from_partner")
        assert names == ("from_partner/a.csv", "from_partner/b.csv")
        assert [transport.read(name, 2) for name in names] == [b"11", b"2"]
        with pytest.raises(SendRefused, match="more than 1 bytes"):
            transport.read("from_partner/a.csv", 1)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../../b", "", ".", "a//b", "a/", "a\0b"])
def test_what_is_not_below_the_partners_folder_is_not_read(drop, name):
    with pytest.raises(SendRefused, match="not below"):
        open_transport(str(drop)).read(name, 10)


@pytest.mark.parametrize("subdir", ["..", "a/../..", "/etc"])
def test_what_is_not_below_the_partners_folder_is_not_listed(drop, subdir):
    with pytest.raises(SendRefused, match="not below"):
        open_transport(str(drop)).list_files(subdir)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host/folder",
        "https://bucket/prefix",
        "file://host/folder",
        "sftp://host",
        "sftp:///folder",
        "sftp://host:port/folder",
        "sftp://host:0/folder",
        "sftp://host:99999/folder",
        "s3://",
        "s3://Bucket/prefix",
        "s3://b:80/prefix",
        "sftp://sudare:secret@host/folder",
        "s3://access:secret@bucket/prefix",
        "s3://bucket/prefix?secret",
    ],
)
def test_an_address_of_another_form_is_refused_and_not_repeated(url):
    with pytest.raises(SendRefused) as refused:
        open_transport(url, LOGIN, KEY)
    assert "secret" not in str(refused.value).replace("secret access key", "")


@pytest.mark.parametrize(
    ("url", "credentials"),
    [
        ("sftp://host/folder", Credentials()),
        ("sftp://host/folder", Credentials(login="sudare")),
        ("sftp://host/folder", Credentials(password="secret")),
        ("sftp://host/folder", Credentials(login="sudare", private_key="no key: secret")),
        ("s3://bucket/prefix", Credentials(login="access", password="secret")),
        ("s3://bucket/prefix", Credentials(login="access", region="ap-northeast-1")),
        ("s3://bucket/prefix", Credentials(password="secret", region="ap-northeast-1")),
    ],
)
def test_a_login_that_is_not_whole_is_refused_and_not_repeated(url, credentials):
    with pytest.raises(SendRefused) as refused:
        open_transport(url, credentials, KEY)
    told = "".join(traceback.format_exception(refused.value))
    assert "secret" not in told.replace("secret access key", "").replace(__file__, "")


@pytest.mark.parametrize(
    "host_key",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        KEY.replace("ssh-ed25519", "ssh-rsa"),
        KEY.split()[1],
        "SHA256:uNiVztksCsDhcc0u9e8BrJQXVUpKZIDTMczCvj3tD2s",
    ],
)
def test_without_a_pinned_host_key_there_is_no_sftp(host_key):
    with pytest.raises(HostKeyRefused, match="no host key is pinned"):
        open_transport("sftp://host/folder", LOGIN, host_key)


def endpoint(url: str) -> Credentials:
    return Credentials(login="access", password="secret", region="ap-northeast-1", endpoint_url=url)


@pytest.mark.parametrize(
    "url", ["https://s3.partner.example", "http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000", ""]
)
def test_an_endpoint_is_encrypted_or_on_this_machine(url):
    open_transport("s3://bucket/prefix", endpoint(url))


@pytest.mark.parametrize(
    "url",
    [
        "http://s3.partner.example",
        "http://10.0.0.1:9000",
        "http://127.0.0.1.partner.example",
        "http://0.0.0.0:9000",
        "https://access:secret@s3.partner.example",
        "http://access:secret@localhost",
        "s3.partner.example",
        "https://",
        "ftp://localhost",
    ],
)
def test_another_endpoint_is_refused(url):
    with pytest.raises(SendRefused, match="endpoint"):
        open_transport("s3://bucket/prefix", endpoint(url))


def test_credentials_show_nothing_secret():
    shown = repr(Credentials(login="name-x", password="word-x", private_key="key-x", region="ap-northeast-1"))
    assert "-x" not in shown
    assert "ap-northeast-1" in shown


class _Failing:
    """A place that is cut the first so many times."""

    title = "the place"

    def __init__(self, cuts: int):
        self.cuts, self.closed = cuts, 0

    def close(self):
        self.closed += 1

    def unfinished(self):
        if self.cuts:
            self.cuts -= 1
            raise Cut("refused the connection or cut it")
        return [NAME, NAME]


@pytest.mark.parametrize(("drawn", "waits"), [(0.0, [1, 2, 4, 5, 5]), (1.0, [0.5, 1, 2, 2.5, 2.5])])
def test_waits_double_up_to_a_bound_and_are_shortened_by_chance(drawn, waits):
    slept = []
    patience = Patience(tries=6, most_seconds=5, sleep=slept.append, draw=lambda: drawn)
    with pytest.raises(DestinationUnreachable, match=r"^the place: refused the connection or cut it, 6 times; "):
        Sending(_Failing(9), patience).unfinished()
    assert slept == waits


def test_after_a_cut_the_place_is_opened_anew_and_the_next_try_counts():
    place, slept = _Failing(2), []
    assert Sending(place, Patience(sleep=slept.append)).unfinished() == (NAME,)
    assert place.closed == len(slept) == 2


def test_chance_is_between_a_half_and_the_whole():
    slept = []
    for _ in range(200):
        Patience(sleep=slept.append).wait(1)
    assert 0.5 <= min(slept) < 0.6
    assert 0.9 < max(slept) <= 1.0
