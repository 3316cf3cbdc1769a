"""Against a real S3 API over HTTP: whole, once, gone on with after a cut; terminal and passing refusals told apart."""

import random
import signal
import subprocess
import sys
import textwrap
import time
import traceback
import urllib.request
from pathlib import Path

import pytest

from anonymizers.errors import DestinationUnreachable, FenceRefused, SendRefused
from delivery.sending import Credentials, Patience, Sent, bucket, open_transport
from delivery.sending.transport import Cut as CutOff
from tests.delivery.servers import HURRIED, REGION, Answer, Cut, Scanner, Silence, Wire, cut_points, serve_s3

ROOT = Path(__file__).resolve().parent.parent.parent
PART = 5 << 20
"""The smallest that S3 takes; the product's are larger."""
CONTENT = random.Random(7).randbytes(2 * PART + 100_000)


@pytest.fixture(scope="module")
def store():
    with serve_s3() as site:
        yield site


@pytest.fixture
def site(store):
    """The store, with its bucket emptied."""
    for one in store.client.list_objects_v2(Bucket=store.bucket).get("Contents", []):
        store.client.delete_object(Bucket=store.bucket, Key=one["Key"])
    for upload in store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", []):
        store.client.abort_multipart_upload(Bucket=store.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return store


@pytest.fixture
def source(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(bucket, "BLOCK", PART)
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


NAME = "sudare_partner_20261031_0a1b2c3d.csv.gz.gpg"


def opened(site, port=None, url=None, credentials=None, patience=HURRIED):
    return open_transport(url or site.url, credentials or site.credentials_by(port or site.port), "", patience)


def nothing():
    """A last check that has nothing against it."""


def refusing():
    raise FenceRefused("somebody has said stop")


def whole_and_once(site) -> bool:
    return site.visible() == {NAME: CONTENT} and site.hidden() == []


def sizes(site):
    """A partner's scanner; it sees sizes."""

    def look() -> dict:
        found = site.client.list_objects_v2(Bucket=site.bucket, Prefix="drop/").get("Contents", [])
        return {one["Key"]: one["Size"] for one in found}

    return Scanner(look)


def given_up(site, source, after):
    """A sending that is cut after so many bytes and then gets no connection any more."""
    # More than there are tries, since the library tries some requests twice by itself.
    plans = [Cut(after), *[Cut(0)] * 100]
    with Wire(site.port, plans) as wire, opened(site, wire.port) as transport:
        with pytest.raises(DestinationUnreachable, match="4 times"):
            transport.send(source, NAME, nothing)
        assert 4 <= wire.broken <= 10


def parts_there(site) -> int:
    uploads = site.client.list_multipart_uploads(Bucket=site.bucket).get("Uploads", [])
    listed = [site.client.list_parts(Bucket=site.bucket, Key=u["Key"], UploadId=u["UploadId"]) for u in uploads]
    return sum(len(one.get("Parts", [])) for one in listed)


def test_a_file_arrives_whole_and_once(site, source):
    with sizes(site) as scanner, opened(site) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert transport.send(source, NAME, nothing) == Sent.BEFORE
    with opened(site) as transport:
        assert transport.send(source, NAME, nothing) == Sent.BEFORE
    assert whole_and_once(site)
    assert scanner.seen == {(f"drop/{NAME}", len(CONTENT))}


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1])
def test_a_file_of_any_size_arrives(site, source, size):
    source.write_bytes(CONTENT[:size])
    with opened(site) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert site.visible() == {NAME: CONTENT[:size]}


def test_a_bucket_without_a_prefix_takes_files_at_its_top(site, source):
    with opened(site, url=f"s3://{site.bucket}") as transport:
        transport.send(source, "top.gpg", nothing)
        assert transport.list_files() == ("top.gpg",)


def test_the_last_check_sees_all_bytes_there_and_nothing_visible(site, source):
    def check():
        assert site.visible() == {}
        assert parts_there(site) == 3

    with opened(site) as transport:
        transport.send(source, NAME, check)


def test_a_last_check_that_refuses_leaves_nothing(site, source):
    with opened(site) as transport, pytest.raises(FenceRefused, match="said stop"):
        transport.send(source, NAME, refusing)
    assert site.visible() == {}
    assert site.hidden() == []


def test_what_the_last_check_raises_is_passed_on_even_if_the_store_is_gone(site, source):
    with Wire(site.port) as wire:

        def cut_and_refuse():
            wire.plans += [Cut(0)] * 100
            wire.cut_all()
            refusing()

        with opened(site, wire.port) as transport, pytest.raises(FenceRefused, match="said stop"):
            transport.send(source, NAME, cut_and_refuse)
    assert site.visible() == {}
    with opened(site) as transport:
        assert transport.unfinished() == (NAME,)
        transport.discard(NAME)
        transport.discard(NAME)
        assert transport.unfinished() == ()


@pytest.mark.parametrize("after", [0, 1, 300, *cut_points(seed=17, number=8, until=len(CONTENT))])
def test_wherever_the_wire_is_cut_the_file_arrives_whole_and_once(site, source, after):
    with Wire(site.port, [Cut(after)]) as wire, sizes(site) as scanner, opened(site, wire.port) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert wire.broken == 1
    assert whole_and_once(site)
    assert scanner.seen == {(f"drop/{NAME}", len(CONTENT))}


def test_a_night_that_gives_up_leaves_nothing_visible_and_the_next_goes_on(site, source):
    given_up(site, source, PART + 500_000)
    assert site.visible() == {}
    assert parts_there(site) == 1
    with Wire(site.port) as wire, opened(site, wire.port) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert PART < wire.carried < PART + 200_000
    assert whole_and_once(site)


def test_parts_of_another_file_are_not_gone_on_with(site, source):
    source.write_bytes(b"x" * PART + CONTENT[PART:])
    given_up(site, source, 2 * PART + 50_000)
    assert parts_there(site) == 2
    source.write_bytes(CONTENT)
    with Wire(site.port) as wire, opened(site, wire.port) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert PART < wire.carried < PART + 200_000
    assert whole_and_once(site)


def test_parts_behind_the_end_of_a_shorter_file_are_not_in_it(site, source):
    source.write_bytes(CONTENT + CONTENT)
    given_up(site, source, 4 * PART - 50_000)
    assert parts_there(site) == 3
    source.write_bytes(CONTENT[: PART + 1])
    with opened(site) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert site.visible() == {NAME: CONTENT[: PART + 1]}


def test_where_nobody_may_look_at_what_was_begun_is_begun_again(site, source, monkeypatch):
    site.client.create_multipart_upload(Bucket=site.bucket, Key=f"drop/{NAME}")
    call = bucket.Bucket._call

    def forbidden(self, method, **arguments):
        if method == "list_multipart_uploads":
            raise PermissionError("Access Denied")
        return call(self, method, **arguments)

    monkeypatch.setattr(bucket.Bucket, "_call", forbidden)
    with opened(site) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
    assert site.visible() == {NAME: CONTENT}


def test_an_answer_that_is_lost_does_not_send_twice(site, source, monkeypatch):
    calls, completed = [], []
    call = bucket.Bucket._call

    def cut_after_completing(self, method, **arguments):
        answer = call(self, method, **arguments)
        if method == "complete_multipart_upload":
            completed.append(1)
            raise ConnectionResetError("cut")
        return answer

    monkeypatch.setattr(bucket.Bucket, "_call", cut_after_completing)
    with opened(site) as transport:
        assert transport.send(source, NAME, lambda: calls.append(1)) == Sent.NOW
    assert (len(calls), len(completed)) == (1, 1)
    assert whole_and_once(site)


def test_an_upload_that_the_store_has_cleaned_away_is_begun_again_and_asked_for_again(site, source):
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 1:
            (one,) = site.client.list_multipart_uploads(Bucket=site.bucket)["Uploads"]
            site.client.abort_multipart_upload(Bucket=site.bucket, Key=one["Key"], UploadId=one["UploadId"])

    with opened(site) as transport:
        assert transport.send(source, NAME, check) == Sent.NOW
    assert len(calls) == 2
    assert whole_and_once(site)


def test_another_file_of_that_name_is_not_touched(site, source):
    site.put(f"drop/{NAME}", b"another")
    with opened(site) as transport, pytest.raises(SendRefused, match=f"another file named {NAME}"):
        transport.send(source, NAME, nothing)
    assert site.visible() == {NAME: b"another"}
    assert site.hidden() == []


def test_a_process_that_is_killed_leaves_nothing_visible_and_the_next_goes_on(site, source):
    script = f"""
        from pathlib import Path
        from delivery.sending import Credentials, bucket, open_transport
        bucket.BLOCK = {PART}
        login = Credentials(login="access", password="secret", region={REGION!r}, endpoint_url=ENDPOINT)
        with open_transport({site.url!r}, login) as transport:
            transport.send(Path({str(source)!r}), {NAME!r}, lambda: None)
    """
    with Wire(site.port, bytes_per_second=8e6) as wire:
        code = textwrap.dedent(script).replace("ENDPOINT", repr(f"http://127.0.0.1:{wire.port}"))
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
        until = time.monotonic() + 60
        while not parts_there(site):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert site.visible() == {}
    with Wire(site.port) as wire, opened(site, wire.port) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert wire.carried < PART + 200_000
    assert whole_and_once(site)


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (400, "RequestTimeout")])
def test_a_store_that_has_too_much_to_do_is_asked_again(site, source, status, code):
    with Wire(site.port, [Answer(status, code)] * 2) as wire, opened(site, wire.port) as transport:
        assert transport.unfinished() == ()
        assert wire.accepted == 3
    with Wire(site.port, [Answer(status, code)] * 4) as wire, opened(site, wire.port) as transport:
        with pytest.raises(DestinationUnreachable, match=f"(answered {status} {code}|silent for too long), 4 times"):
            transport.unfinished()
        assert wire.accepted == 4


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (403, "InvalidAccessKeyId", "refused the login or a right"),
        (404, "NoSuchBucket", "not there"),
        (400, "InvalidRequest", "region"),
        (400, "AuthorizationHeaderMalformed", "region"),
        (400, "what 'ever'", r"refused \(400\)"),
    ],
)
def test_a_store_that_says_no_is_asked_once(site, status, code, why):
    with Wire(site.port, [Answer(status, code)]) as wire, opened(site, wire.port) as transport:
        with pytest.raises(SendRefused, match=why):
            transport.list_files()
        assert wire.accepted == 1


@pytest.mark.parametrize("use", [lambda t, s: t.send(s, NAME, nothing), lambda t, s: t.list_files()])
def test_a_bucket_that_is_not_there_is_said_at_once(site, source, use):
    with opened(site, url="s3://nobodys-bucket/drop") as transport, pytest.raises(SendRefused, match="not there"):
        use(transport, source)


def enforce(site, after: str) -> None:
    """From so many requests on, the store looks at who asks."""
    request = urllib.request.Request(f"{site.endpoint}/moto-api/reset-auth", data=after.encode(), method="POST")
    request.add_header("Content-Type", "text/plain")
    urllib.request.urlopen(request).close()


def test_a_wrong_key_is_refused_at_once_and_shown_nowhere(site, source):
    wrong = Credentials(login="AKIAWRONGNAME", password="wrong-word", endpoint_url=site.endpoint, region=REGION)
    enforce(site, "0")
    try:
        with opened(site, credentials=wrong) as transport, pytest.raises(SendRefused, match="refused the login") as no:
            transport.send(source, NAME, nothing)
    finally:
        enforce(site, "inf")
    told = "".join(traceback.format_exception(no.value)) + repr(transport)
    assert "wrong-word" not in told
    assert "AKIAWRONGNAME" not in told
    assert site.visible() == {}


def test_a_certificate_that_does_not_hold_is_no_cut(site, source):
    credentials = Credentials(
        login="access", password="secret", endpoint_url=f"https://127.0.0.1:{site.port}", region=REGION
    )
    with opened(site, credentials=credentials) as transport, pytest.raises(SendRefused, match="certificate"):
        transport.send(source, NAME, nothing)


def test_nobody_there_is_worth_another_try(site, source):
    with Wire(site.port) as wire:
        gone = wire.port
    with opened(site, gone) as transport, pytest.raises(DestinationUnreachable, match="refused the connection"):
        transport.send(source, NAME, nothing)


@pytest.mark.parametrize("after", [0, 500_000])
def test_silence_is_not_waited_for_without_end(site, source, after):
    hurried = Patience(tries=2, first_seconds=0.001, timeout_seconds=0.5, slowest_bytes_per_second=1e7)
    with Wire(site.port, [Silence(after)] * 2) as wire, opened(site, wire.port, patience=hurried) as transport:
        with pytest.raises(DestinationUnreachable, match="silent"):
            transport.send(source, NAME, nothing)
        assert wire.accepted > 1
    assert site.visible() == {}


def test_a_persons_own_settings_are_not_used(site, source, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")
    with opened(site) as transport:
        assert transport.send(source, NAME, nothing) == Sent.NOW


def test_a_partners_files_are_listed_and_read(site):
    files = {"b.csv": b"2", "a.csv": CONTENT[:100_000], "empty.csv": b"", ".c.part": b"3", "old/d.csv": b"4", "": b""}
    for name, content in files.items():
        site.put(f"drop/from_partner/{name}", content)
    with opened(site) as transport:
        names = transport.list_files("from_partner")
        assert names == ("from_partner/a.csv", "from_partner/b.csv", "from_partner/empty.csv")
        assert [transport.read(name, 100_000) for name in names] == [CONTENT[:100_000], b"2", b""]
        assert transport.list_files() == ()
        for name, why in {"from_partner/a.csv": "more than 99999", "from_partner/none.csv": "not there"}.items():
            with pytest.raises(SendRefused, match=why):
                transport.read(name, 99_999)


def test_a_long_list_is_read_to_its_end(site, monkeypatch):
    call = bucket.Bucket._call
    monkeypatch.setattr(bucket.Bucket, "_call", lambda self, method, **rest: call(self, method, MaxKeys=2, **rest))
    for name in "abcde":
        site.put(f"drop/many/{name}.csv", b"")
    with opened(site) as transport:
        assert transport.list_files("many") == tuple(f"many/{name}.csv" for name in "abcde")


def cut(*_):
    raise CutOff("cut")


def test_many_parts_and_uploads_are_listed_to_the_end(site, source, monkeypatch):
    for name in "edcba":
        site.client.create_multipart_upload(Bucket=site.bucket, Key=f"drop/{name}")
    with opened(site) as transport, pytest.raises(DestinationUnreachable):
        transport.send(source, NAME, lambda: monkeypatch.setattr(bucket.Bucket, "_show", cut))
    assert parts_there(site) == 3
    monkeypatch.undo()
    monkeypatch.setattr(bucket, "BLOCK", PART)
    call = bucket.Bucket._call
    few = {"MaxParts": 1, "MaxUploads": 1}
    monkeypatch.setattr(bucket.Bucket, "_call", lambda self, method, **rest: call(self, method, **few, **rest))
    with Wire(site.port) as wire, opened(site, wire.port) as transport:
        assert transport.unfinished() == (*"abcde", NAME)
        assert transport.send(source, NAME, nothing) == Sent.NOW
        assert wire.carried < 50_000


@pytest.mark.parametrize("after", cut_points(seed=19, number=5, until=100_000))
def test_reading_goes_on_after_a_cut(site, after):
    site.put("drop/from_partner/a.csv", CONTENT[:100_000])
    with Wire(site.port, [Cut(after)]) as wire, opened(site, wire.port) as transport:
        assert transport.read("from_partner/a.csv", 100_000) == CONTENT[:100_000]
        assert wire.broken == 1
