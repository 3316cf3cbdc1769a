"""A sealed file opens at its recipient's, for the pinned subkey only; an unfit key is refused beforehand."""

import datetime
import hashlib
import os
import random
import resource
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from anonymizers.errors import SealingRefused, StorageFull
from delivery import sealing
from delivery.sealing import SealingKey, check_key, days_left, seal
from tests.delivery.openpgp import recipients

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime.datetime.now(datetime.UTC)
TOKYO = datetime.timezone(datetime.timedelta(hours=9))
NAME = "sudare_partner_20261031_0a1b2c3d.csv.gz"


@pytest.fixture(scope="module")
def recipient():
    with recipients() as made:
        yield made


@pytest.fixture
def key(recipient) -> SealingKey:
    return SealingKey(recipient.files["partner"], recipient.pins["subkey"])


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(random.Random(7).randbytes(300_000))
    return path


def homes() -> set[str]:
    return {path.name for path in Path(os.environ.get("TMPDIR", "/tmp")).glob(".gpg-*")}


def test_the_recipient_reads_what_was_sealed(recipient, key, source, tmp_path):
    target = tmp_path / "sealed" / f"{NAME}.gpg"
    target.parent.mkdir()
    digest = seal(source, target, key, NOW)

    content, name, _ = recipient.decrypted(target)
    assert content == source.read_bytes()
    assert name == NAME
    assert digest == hashlib.sha256(target.read_bytes()).hexdigest()
    assert os.listdir(target.parent) == [target.name]


def test_two_sealed_files_differ_and_hold_the_same(recipient, key, source, tmp_path):
    digests = {seal(source, tmp_path / name, key, NOW) for name in ("a.gpg", "b.gpg")}
    assert len(digests) == 2
    assert recipient.decrypted(tmp_path / "a.gpg")[:2] == recipient.decrypted(tmp_path / "b.gpg")[:2]


@pytest.mark.parametrize("pin", ["subkey", "younger subkey"])
def test_it_is_sealed_for_the_pinned_subkey_and_nobody_else(recipient, source, tmp_path, pin):
    target = tmp_path / "sealed.gpg"
    seal(source, target, SealingKey(recipient.files["partner"], recipient.pins[pin]), NOW)
    assert recipient.decrypted(target)[2] == [recipient.pins[pin][-16:]]
    assert recipient.packets(target).count(":pubkey enc packet:") == 1


def test_what_is_inside_is_not_compressed_and_the_outside_is_no_text(recipient, key, source, tmp_path):
    target = tmp_path / "sealed.gpg"
    seal(source, target, key, NOW)
    packets = recipient.packets(target)
    assert ":compressed packet:" not in packets
    assert ":literal data packet:" in packets
    assert ":signature packet:" not in packets
    assert not target.read_bytes().startswith(b"-----BEGIN")


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_it_is_its_owners_only(key, source, tmp_path, umask):
    os.umask(umask)
    seal(source, tmp_path / "sealed.gpg", key, NOW)
    assert stat.S_IMODE((tmp_path / "sealed.gpg").stat().st_mode) == 0o600


def test_what_a_killed_run_left_is_replaced(recipient, key, source, tmp_path):
    target = tmp_path / "sealed.gpg"
    target.write_bytes(b"of an earlier night")
    (tmp_path / ".sealed.gpg.part").write_bytes(b"half")
    (tmp_path / ".sealed.gpg.part").chmod(0o666)
    seal(source, target, key, NOW)
    assert recipient.decrypted(target)[0] == source.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not (tmp_path / ".sealed.gpg.part").exists()


@pytest.mark.parametrize("binary", [False, True])
def test_a_key_file_is_taken_armoured_or_not_and_a_fingerprint_as_people_write_it(recipient, tmp_path, binary):
    path = recipient.files["partner"]
    if binary:
        path = tmp_path / "key.gpg"
        path.write_bytes(recipient.must("--export", "partner@partner.example"))
    pin = recipient.pins["subkey"].lower()
    spaced = " ".join(pin[n : n + 4] for n in range(0, 40, 4))
    assert check_key(SealingKey(path, spaced), NOW) == check_key(SealingKey(path, pin), NOW)


REFUSED = {
    "primary": ("partner", "primary key's"),
    "expired subkey": ("partner", "subkey has expired"),
    "revoked subkey": ("partner", "subkey is revoked"),
    "sign-only subkey": ("partner", "cannot encrypt"),
    "of another key": ("partner", "not in the key file"),
    "master-only": ("master", "primary key's"),
    "subkey of an expired key": ("lapsed", "primary key has expired"),
    "subkey of a revoked key": ("gone", "primary key is revoked"),
    "subkey": ("two", "holds 2 public keys"),
}


@pytest.mark.parametrize(("pin", "file", "why"), [(pin, *rest) for pin, rest in REFUSED.items()], ids=REFUSED)
def test_an_unfit_key_is_refused_and_nothing_is_written(recipient, source, tmp_path, pin, file, why):
    key = SealingKey(recipient.files[file], recipient.pins[pin])
    with pytest.raises(SealingRefused, match=why):
        check_key(key, NOW)
    with pytest.raises(SealingRefused, match=why):
        seal(source, tmp_path / "sealed.gpg", key, NOW)
    assert os.listdir(tmp_path) == [NAME]


def test_a_private_key_is_refused(recipient):
    with pytest.raises(SealingRefused, match="private key"):
        check_key(SealingKey(recipient.files["private"], recipient.pins["subkey"]), NOW)


@pytest.mark.parametrize("cut", [lambda pin: pin[-8:], lambda pin: pin[-16:], lambda pin: f"0x{pin}", lambda pin: ""])
def test_a_fingerprint_that_is_not_whole_is_refused(recipient, cut):
    with pytest.raises(SealingRefused, match="not whole"):
        check_key(SealingKey(recipient.files["partner"], cut(recipient.pins["subkey"])), NOW)


def test_a_fingerprint_of_the_next_format_is_looked_for(recipient):
    with pytest.raises(SealingRefused, match="not in the key file"):
        check_key(SealingKey(recipient.files["partner"], "0A" * 32), NOW)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"no key", "holds 0 public keys"), (bytes((1 << 20) + 1), "too large"), (None, "ENOENT")],
)
def test_a_file_that_is_no_key_is_refused(tmp_path, content, why):
    path = tmp_path / "key.asc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SealingRefused, match=why):
        check_key(SealingKey(path, "0A" * 20), NOW)


def test_the_day_of_expiry_is_told_and_the_key_is_refused_from_it_on(recipient, key):
    expires = check_key(key, NOW)
    assert expires in {(NOW + datetime.timedelta(days=days)).astimezone(TOKYO).date() for days in (29, 30)}
    assert days_left(expires, NOW) in (29, 30)
    assert check_key(key, NOW + datetime.timedelta(days=29)) == expires
    with pytest.raises(SealingRefused, match="has expired"):
        check_key(key, NOW + datetime.timedelta(days=31))


def test_a_key_without_expiry_has_no_day(recipient):
    forever = SealingKey(recipient.files["other"], recipient.pins["of another key"])
    assert check_key(forever, NOW) is None
    assert days_left(None, NOW) is None


@pytest.mark.parametrize(("hour", "days"), [(14, 1), (15, 0)])
def test_days_are_counted_in_tokyo(hour, days):
    now = datetime.datetime(2026, 10, 30, hour, tzinfo=datetime.UTC)
    assert days_left(datetime.date(2026, 10, 31), now) == days


def test_the_present_has_a_time_zone(key):
    with pytest.raises(ValueError, match="time zone"):
        check_key(key, datetime.datetime(2026, 10, 31))


def test_without_gpg_it_says_what_to_install(key, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SealingRefused, match="install GnuPG"):
        check_key(key, NOW)


def test_a_gpg_that_fails_leaves_nothing(key, source, tmp_path, monkeypatch):
    monkeypatch.setattr(sealing, "_require_fit", lambda *_: None)
    missing = SealingKey(key.public_key, "0A" * 20)
    with pytest.raises(SealingRefused, match="did not seal"):
        seal(source, tmp_path / "sealed.gpg", missing, NOW)
    assert os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize("place", ["missing/sealed.gpg", f"{NAME}/sealed.gpg"])
def test_a_place_that_cannot_be_written_is_refused(key, source, tmp_path, place):
    with pytest.raises(SealingRefused, match="place of the sealed file"):
        seal(source, tmp_path / place, key, NOW)


def test_a_source_that_is_not_there_is_refused(key, tmp_path):
    with pytest.raises(SealingRefused, match="ENOENT"):
        seal(tmp_path / "none.csv.gz", tmp_path / "sealed.gpg", key, NOW)
    assert os.listdir(tmp_path) == []


def test_without_space_nothing_is_left(key, source, tmp_path):
    target = tmp_path / "sealed.gpg"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageFull, match="EFBIG"):
            seal(source, target, key, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == [NAME]


def test_the_home_of_gpg_is_the_owners_and_is_gone_afterwards(key, source, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    seen = []
    listing = sealing._require_fit

    def look(gpg, *rest):
        seen.append((Path(gpg.gnupghome), stat.S_IMODE(Path(gpg.gnupghome).stat().st_mode)))
        return listing(gpg, *rest)

    monkeypatch.setattr(sealing, "_require_fit", look)
    seal(source, tmp_path / "sealed.gpg", key, NOW)
    with pytest.raises(SealingRefused):
        check_key(SealingKey(key.public_key, "0A" * 20), NOW)
    assert [mode for _, mode in seen] == [0o700, 0o700]
    assert all(home.parent == tmp_path and not home.exists() for home, _ in seen)
    assert homes() == set()


def test_what_a_killed_run_has_left_is_gone_when_the_next_file_is_sealed(key, source, tmp_path):
    (tmp_path / ".gpg-left").mkdir()
    (tmp_path / ".gpg-left" / "pubring.kbx").touch()
    seal(source, tmp_path / "sealed.gpg", key, NOW)
    assert not (tmp_path / ".gpg-left").exists()


def test_nothing_of_a_persons_own_gpg_is_used(key, source, tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    (own / "gpg.conf").write_text("this is no option\n")
    monkeypatch.setenv("GNUPGHOME", str(own))
    monkeypatch.setenv("HOME", str(own))
    seal(source, tmp_path / "sealed.gpg", key, NOW)
    assert os.listdir(own) == ["gpg.conf"]


def test_memory_does_not_grow_with_the_file(recipient, key, tmp_path):
    source = tmp_path / NAME
    with source.open("wb") as file:
        file.truncate(200_000_000)
    script = f"""
        import datetime, resource
        from pathlib import Path
        from delivery.sealing import SealingKey, seal
        key = SealingKey(Path({str(key.public_key)!r}), {key.fingerprint!r})
        seal(Path({str(source)!r}), Path({str(tmp_path / "sealed.gpg")!r}), key, datetime.datetime.now(datetime.UTC))
        print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    """
    run = [sys.executable, "-c", textwrap.dedent(script)]
    peak_kib = int(subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    idle = "import delivery.sealing, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    idle_kib = int(subprocess.run([sys.executable, "-c", idle], cwd=ROOT, capture_output=True, check=True).stdout)
    assert (tmp_path / "sealed.gpg").stat().st_size > 200_000_000
    assert peak_kib - idle_kib < 40_000
