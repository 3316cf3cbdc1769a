"""Against a real SFTP server: whole, once, never half visible; and nothing for a server that is not the pinned one."""

import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
import traceback
from pathlib import Path

import asyncssh
import pytest

from anonymizers.errors import DestinationUnreachable, FenceRefused, HostKeyRefused, SendRefused
from delivery.sending import Credentials, Patience, Sent, open_transport
from tests.delivery.servers import HURRIED, LOGIN, PASSWORD, Cut, Silence, Wire, cut_points, folder_scanner

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "sudare_partner_20261031_0a1b2c3d.csv.gz.gpg"
CONTENT = random.Random(7).randbytes(400_000)
HANDSHAKE = [0, 1, 40, 1_000, 2_000, 2_600, 3_000, 3_500, 4_000, 4_500]
"""Bytes after which a connection has not got as far as the first byte of a file."""


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    return path


def opened(site, port=None, host_key=None, credentials=None, folder="/drop", patience=HURRIED):
    return open_transport(
        site.url_by(port or site.port, folder),
        site.credentials if credentials is None else credentials,
        site.host_key if host_key is None else host_key,
        patience,
    )


def nothing():
    """A last check that has nothing against it."""


def refusing():
    raise FenceRefused("somebody has said stop")


def whole_and_once(site) -> bool:
    return (
        site.visible() == [NAME]
        and site.hidden() == []
        and (site.drop / NAME).read_bytes() == CONTENT
        and site.renames(NAME) == 1
    )


def test_a_file_arrives_whole_and_once(sftp_server, source):
    with folder_scanner(sftp_server.drop) as scanner, opened(sftp_server) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert transport.send(source, NAME, nothing) == Sent.BEFORE
    with opened(sftp_server) as transport:
        assert transport.send(source, NAME, nothing) == Sent.BEFORE
    assert whole_and_once(sftp_server)
    assert scanner.seen == {(NAME, CONTENT)}


@pytest.mark.parametrize("size", [0, 1, 32_767, 32_768, 32_769, (3 << 20) - 1, 3 << 20, (3 << 20) + 32_769])
def test_a_file_of_any_size_arrives(sftp_server, tmp_path, size):
    source = tmp_path / "file"
    source.write_bytes(random.Random(size).randbytes(size))
    with opened(sftp_server) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert (sftp_server.drop / NAME).read_bytes() == source.read_bytes()


def test_the_last_check_sees_all_bytes_there_and_nothing_visible(sftp_server, source):
    def check():
        assert sftp_server.visible() == []
        assert (sftp_server.drop / f".{NAME}.part").read_bytes() == CONTENT

    with opened(sftp_server) as transport:
        transport.send(source, NAME, check)


def test_a_last_check_that_refuses_leaves_nothing(sftp_server, source):
    with opened(sftp_server) as transport, pytest.raises(FenceRefused, match="said stop"):
        transport.send(source, NAME, refusing)
    assert os.listdir(sftp_server.drop) == []


def test_what_the_last_check_raises_is_passed_on_even_if_the_server_is_gone(sftp_server, source):
    with Wire(sftp_server.port) as wire:

        def cut_and_refuse():
            wire.plans += [Cut(0)] * 100
            wire.cut_all()
            refusing()

        with opened(sftp_server, wire.port) as transport, pytest.raises(FenceRefused, match="said stop"):
            transport.send(source, NAME, cut_and_refuse)
    assert sftp_server.visible() == []
    with opened(sftp_server) as transport:
        assert transport.unfinished() == (NAME,)
        transport.discard(NAME)
        transport.discard(NAME)
        assert transport.unfinished() == ()
    assert os.listdir(sftp_server.drop) == []


@pytest.mark.parametrize("after", [*HANDSHAKE, *cut_points(seed=11, number=14, until=400_000)])
def test_wherever_the_wire_is_cut_the_file_arrives_whole_and_once(sftp_server, source, after):
    with Wire(sftp_server.port, [Cut(after)]) as wire, folder_scanner(sftp_server.drop) as scanner:
        with opened(sftp_server, wire.port) as transport:
            assert transport.send(source, NAME, nothing) == Sent.NOW
        assert wire.accepted == 2
    assert whole_and_once(sftp_server)
    assert scanner.seen == {(NAME, CONTENT)}


def test_a_wire_that_is_cut_again_and_again_makes_way_all_the_same(sftp_server, source):
    with Wire(sftp_server.port, [Cut(150_000)] * 3) as wire, opened(sftp_server, wire.port) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    starts = sftp_server.first_offsets()
    assert starts == sorted(set(starts))
    assert starts[0] == 0 < starts[-1]
    assert whole_and_once(sftp_server)


def test_a_night_that_gives_up_leaves_nothing_visible_and_the_next_goes_on(sftp_server, source):
    with Wire(sftp_server.port, [Cut(100_000)] * 4) as wire, opened(sftp_server, wire.port) as transport:
        with pytest.raises(DestinationUnreachable, match="the SFTP server 127.0.0.1: .*, 4 times"):
            transport.send(source, NAME, nothing)
        assert sftp_server.visible() == []
        assert sftp_server.hidden() == [f".{NAME}.part"]
        logins = len(sftp_server.first_offsets())
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert sftp_server.first_offsets()[logins] > 0
    assert whole_and_once(sftp_server)


def test_an_answer_that_is_lost_does_not_send_twice(sftp_server, source):
    calls = []
    with Wire(sftp_server.port) as wire:
        sftp_server.on_rename = wire.cut_all
        with opened(sftp_server, wire.port) as transport:
            assert transport.send(source, NAME, lambda: calls.append(1)) == Sent.NOW
    assert whole_and_once(sftp_server)
    assert len(calls) == 1


def test_after_a_cut_the_last_check_is_asked_again(sftp_server, source):
    calls = []
    with Wire(sftp_server.port) as wire:

        def check():
            calls.append(1)
            if len(calls) == 1:
                wire.cut_all()

        with opened(sftp_server, wire.port) as transport:
            assert transport.send(source, NAME, check) == Sent.NOW
    assert len(calls) == 2
    assert whole_and_once(sftp_server)


@pytest.mark.parametrize("operation", ["write", "rename", "stat"])
def test_permission_denied_is_said_at_once_and_nothing_is_visible(sftp_server, source, operation):
    sftp_server.denied.add(operation)
    with opened(sftp_server) as transport, pytest.raises(SendRefused, match="denies permission"):
        transport.send(source, NAME, nothing)
    assert sftp_server.visible() == []
    assert len(sftp_server.connections) == 1


@pytest.mark.parametrize("operation", ["write", "block at 0", "block at 65536", "block at 367232", "rename"])
def test_a_failure_without_a_reason_is_no_cut_and_no_write_goes_unnoticed(sftp_server, source, operation):
    sftp_server.failing.add(operation)
    with opened(sftp_server) as transport, pytest.raises(SendRefused, match="without a reason"):
        transport.send(source, NAME, nothing)
    assert sftp_server.visible() == []
    assert len(sftp_server.connections) == 1


def test_a_folder_that_is_not_there_is_said_at_once(sftp_server, source):
    with opened(sftp_server, folder="/none") as transport, pytest.raises(SendRefused, match="not there"):
        transport.send(source, NAME, nothing)
    assert len(sftp_server.connections) == 1


def test_another_file_of_that_name_is_not_touched(sftp_server, source):
    (sftp_server.drop / NAME).write_bytes(b"another")
    with opened(sftp_server) as transport, pytest.raises(SendRefused, match=f"another file named {NAME}"):
        transport.send(source, NAME, nothing)
    assert (sftp_server.drop / NAME).read_bytes() == b"another"
    assert sftp_server.hidden() == []


def test_a_file_that_appears_meanwhile_is_not_replaced(sftp_server, source):
    def somebody_else():
        (sftp_server.drop / NAME).write_bytes(b"another")

    with opened(sftp_server) as transport, pytest.raises(SendRefused, match="without a reason"):
        transport.send(source, NAME, somebody_else)
    assert (sftp_server.drop / NAME).read_bytes() == b"another"


@pytest.mark.parametrize(
    ("begun", "start"),
    [
        (CONTENT[:100_000], 100_000),
        (CONTENT[:1], 1),
        (b"", 0),
        (b"x" * 100_000, 0),
        (CONTENT[:99_999] + b"x", 0),
        (b"\0" * 50_000 + CONTENT[50_000:100_000], 0),
        (CONTENT + b"x", 0),
    ],
)
def test_what_was_begun_is_gone_on_with_if_it_is_of_this_file(sftp_server, source, begun, start):
    (sftp_server.drop / f".{NAME}.part").write_bytes(begun)
    with opened(sftp_server) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert sftp_server.first_offsets() == [start]
    assert whole_and_once(sftp_server)


def test_what_is_all_there_is_only_renamed(sftp_server, source):
    (sftp_server.drop / f".{NAME}.part").write_bytes(CONTENT)
    with opened(sftp_server) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert sftp_server.first_offsets() == []
    assert whole_and_once(sftp_server)


def test_where_nobody_may_read_what_was_begun_is_begun_again(sftp_server, source):
    (sftp_server.drop / f".{NAME}.part").write_bytes(CONTENT[:100_000])
    sftp_server.denied.add("read")
    with opened(sftp_server) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert sftp_server.first_offsets() == [0]
    assert whole_and_once(sftp_server)


def test_a_process_that_is_killed_leaves_nothing_visible_and_the_next_goes_on(sftp_server, tmp_path):
    source = tmp_path / NAME
    source.write_bytes(CONTENT * 10)
    part = sftp_server.drop / f".{NAME}.part"
    script = f"""
        from pathlib import Path
        from delivery.sending import Credentials, open_transport
        login = Credentials(login={LOGIN!r}, password={PASSWORD!r})
        with open_transport(PLACE, login, {sftp_server.host_key!r}) as transport:
            transport.send(Path({str(source)!r}), {NAME!r}, lambda: None)
    """
    with Wire(sftp_server.port, bytes_per_second=2e6) as wire:
        code = textwrap.dedent(script).replace("PLACE", repr(sftp_server.url_by(wire.port)))
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
        until = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > 1_000_000):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert sftp_server.visible() == []
    with opened(sftp_server) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    first, second = sftp_server.first_offsets()
    assert first == 0
    assert second > 1_000_000
    assert (sftp_server.drop / NAME).read_bytes() == CONTENT * 10
    assert os.listdir(sftp_server.drop) == [NAME]
    assert sftp_server.renames(NAME) == 1


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_server_with_another_host_key_gets_nothing(sftp_server, source, kind):
    other = asyncssh.generate_private_key(kind).export_public_key().decode()
    with opened(sftp_server, host_key=other) as transport, pytest.raises(HostKeyRefused, match="another host key"):
        transport.send(source, NAME, nothing)
    assert sftp_server.events == []
    assert os.listdir(sftp_server.drop) == []
    assert len(sftp_server.connections) == 1


def test_a_wrong_password_is_tried_once(sftp_server, source):
    wrong = Credentials(login=LOGIN, password="wrong-word")
    with opened(sftp_server, credentials=wrong) as transport, pytest.raises(SendRefused, match="refused the login"):
        transport.send(source, NAME, nothing)
    assert sftp_server.events == [("password",)]
    assert len(sftp_server.connections) == 1


def test_a_private_key_opens_as_well_and_another_does_not(sftp_server, source):
    own = Credentials(login=LOGIN, private_key=sftp_server.private_key)
    with opened(sftp_server, credentials=own) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    wrong = Credentials(login=LOGIN, private_key=other)
    with opened(sftp_server, credentials=wrong) as transport, pytest.raises(SendRefused, match="refused the login"):
        transport.send(source, NAME, nothing)


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem"])
@pytest.mark.parametrize("password", ["", "its password"])
def test_a_private_key_is_read_with_its_password(sftp_server, kind, form, password):
    key = asyncssh.generate_private_key(kind)
    text = key.export_private_key(form, passphrase=password or None, rounds=16, ignore_few_rounds=True).decode()
    opened(sftp_server, credentials=Credentials(login=LOGIN, private_key=text, password=password))
    if password:
        for wrong in ("", "another"):
            with pytest.raises(SendRefused, match="cannot be read"):
                opened(sftp_server, credentials=Credentials(login=LOGIN, private_key=text, password=wrong))


def test_nobody_there_is_worth_another_try(sftp_server, source):
    with Wire(sftp_server.port) as wire:
        gone = wire.port
    with opened(sftp_server, gone) as transport, pytest.raises(DestinationUnreachable, match="refused the connection"):
        transport.send(source, NAME, nothing)


@pytest.mark.parametrize("after", [0, 1_000, 3_000, 100_000])
def test_silence_is_not_waited_for_without_end(sftp_server, source, after):
    hurried = Patience(tries=2, first_seconds=0.001, timeout_seconds=0.5)
    with Wire(sftp_server.port, [Silence(after)] * 2) as wire, opened(sftp_server, wire.port, patience=hurried) as one:
        begun = time.monotonic()
        with pytest.raises(DestinationUnreachable):
            one.send(source, NAME, nothing)
        assert time.monotonic() - begun < 10
        assert one.send(source, NAME, nothing) == Sent.NOW
    assert whole_and_once(sftp_server)


def test_a_partners_files_are_listed_and_read(sftp_server):
    folder = sftp_server.drop / "from_partner"
    (folder / "old").mkdir(parents=True)
    files = {"b.csv": b"2", "a.csv": CONTENT[:100_000], "empty.csv": b"", ".c.part": b"3", "old/d.csv": b"4"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "link.csv").symlink_to(folder / "a.csv")
    with opened(sftp_server) as transport:
        names = transport.list_files("from_partner")
        assert names == ("from_partner/a.csv", "from_partner/b.csv", "from_partner/empty.csv")
        assert [transport.read(name, 100_000) for name in names] == [CONTENT[:100_000], b"2", b""]
        assert transport.list_files() == ()
        for name, why in {"from_partner/a.csv": "more than 99999", "from_partner/none.csv": "not there"}.items():
            with pytest.raises(SendRefused, match=why):
                transport.read(name, 99_999)
        with pytest.raises(SendRefused, match="not there"):
            transport.list_files("none")


@pytest.mark.parametrize("after", cut_points(seed=13, number=5, until=100_000))
def test_reading_goes_on_after_a_cut(sftp_server, after):
    (sftp_server.drop / "a.csv").write_bytes(CONTENT[:100_000])
    with Wire(sftp_server.port, [Cut(after)]) as wire, opened(sftp_server, wire.port) as transport:
        assert transport.list_files() == ("a.csv",)
        assert transport.read("a.csv", 100_000) == CONTENT[:100_000]
        assert wire.accepted == 2


def test_no_log_and_no_error_holds_a_secret(sftp_server, source, caplog):
    ours = logging.getLogger("delivery.sending.sftp")
    ours.addHandler(caplog.handler)
    caplog.set_level(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    told = []
    try:
        with opened(sftp_server) as transport:
            transport.send(source, NAME, nothing)
            told.append(repr(transport))
        for credentials in (
            Credentials(login=LOGIN, password="wrong-word"),
            Credentials(login=LOGIN, private_key=sftp_server.private_key, password="wrong-word"),
            Credentials(login=LOGIN, private_key=sftp_server.private_key),
        ):
            sftp_server.denied.add("write")
            with pytest.raises(SendRefused) as refused:
                opened(sftp_server, credentials=credentials).send(source, "another.gpg", nothing)
            told += traceback.format_exception(refused.value)
    finally:
        ours.removeHandler(caplog.handler)
        ours.setLevel(logging.NOTSET)
    everything = "".join(told) + caplog.text
    assert "Connected" in caplog.text
    for secret in (PASSWORD, "wrong-word", sftp_server.private_key.splitlines()[2]):
        assert secret not in everything
