"""Recipients' keys, made by gpg in a home of the test's own, and the recipient's side: decrypting."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

LONG_AGO = ("--faked-system-time", "20200101T000000")


@dataclass
class Recipient:
    """A keyring with private keys. `files` are public keys by name, `pins` fingerprints by name."""

    home: Path
    files: dict[str, Path] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)

    def gpg(self, *arguments: str, talk: str | None = None) -> subprocess.CompletedProcess:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--no-tty", "--status-fd", "2"]
        secrets = ["--pinentry-mode", "loopback", "--passphrase", ""]
        if talk is not None:
            command[3:4] = ["--command-fd", "0"]
        return subprocess.run([*command, *secrets, *arguments], input=(talk or "").encode(), capture_output=True)

    def must(self, *arguments: str, talk: str | None = None) -> bytes:
        done = self.gpg(*arguments, talk=talk)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        return done.stdout

    def make(self, name: str, *options: str, algorithm: str = "ed25519", usage: str = "cert,sign") -> str:
        """A primary key; its fingerprint."""
        self.must(*options, "--quick-generate-key", f"{name} <{name}@partner.example>", algorithm, usage, "never")
        return self.fingerprints(name)[0]

    def fingerprints(self, name: str) -> list[str]:
        """The primary key's first."""
        lines = self.must("--list-keys", "--with-colons", f"{name}@partner.example").decode().splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr")]

    def add(
        self, name: str, *options: str, algorithm: str = "cv25519", usage: str = "encr", until: str = "never"
    ) -> str:
        """A subkey; its fingerprint."""
        before = self.fingerprints(name)
        self.must(*options, "--quick-add-key", before[0], algorithm, usage, until)
        return next(one for one in self.fingerprints(name) if one not in before)

    def export(self, *names: str, how: str = "--export") -> Path:
        path = self.home / f"{'_'.join(names)}{how}.asc"
        path.write_bytes(self.must("--armor", how, *(f"{name}@partner.example" for name in names)))
        return path

    def decrypted(self, sealed: Path) -> tuple[bytes, str, list[str]]:
        """What is inside, under which name, and the ids of the keys that it was sealed for."""
        done = self.gpg("--decrypt", str(sealed))
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        status = [line.split() for line in done.stderr.decode().splitlines() if line.startswith("[GNUPG:]")]
        name = next(words[4] for words in status if words[1] == "PLAINTEXT")
        return done.stdout, name, [words[2] for words in status if words[1] == "ENC_TO"]

    def packets(self, sealed: Path) -> str:
        return self.must("--list-packets", str(sealed)).decode()


@contextmanager
def recipients() -> Iterator[Recipient]:
    """Keys of every kind that a recipient may send. Tests that need them are skipped where there is no gpg."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    # A short path: gpg's agent listens on a socket in it.
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    made = Recipient(home)
    try:
        _make_all(made)
        yield made
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def _make_all(made: Recipient) -> None:
    pins = made.pins
    pins["primary"] = made.make("partner", *LONG_AGO)
    pins["expired subkey"] = made.add("partner", *LONG_AGO, until="1y")
    pins["sign-only subkey"] = made.add("partner", algorithm="ed25519", usage="sign")
    pins["revoked subkey"] = made.add("partner")
    made.must("--edit-key", pins["primary"], talk="key 3\nrevkey\ny\n0\n\ny\nsave\n")
    pins["subkey"] = made.add("partner", until="30d")
    pins["younger subkey"] = made.add("partner")
    pins["master-only"] = made.make("master", algorithm="rsa2048", usage="cert,sign,encr")
    made.make("other")
    pins["of another key"] = made.add("other")
    made.make("lapsed", *LONG_AGO)
    pins["subkey of an expired key"] = made.add("lapsed", *LONG_AGO)
    made.must("--faked-system-time", "20200102T000000", "--quick-set-expire", made.fingerprints("lapsed")[0], "1y")
    gone = made.make("gone")
    pins["subkey of a revoked key"] = made.add("gone")
    revocation = made.home / "openpgp-revocs.d" / f"{gone}.rev"
    revocation.write_text(revocation.read_text().replace(":-----BEGIN", "-----BEGIN"))
    made.must("--import", str(revocation))
    made.files.update({name: made.export(name) for name in ("partner", "master", "other", "lapsed", "gone")})
    made.files["two"] = made.export("partner", "other")
    made.files["private"] = made.export("partner", how="--export-secret-keys")
