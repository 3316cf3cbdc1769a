"""
Sealing a file for one recipient: OpenPGP, to the encryption subkey that is pinned.

The recipient's key comes from a file, its subkey from a fingerprint that somebody compared by another way than
the network. A file sealed to an old or a primary key is refused by the recipient after the night is over, so it is
refused here before. `gpg` does the work in a home of its own, which is deleted afterwards: no keyring, no
configuration, no agent and no network of whoever runs this.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import gnupg

from anonymizers.errors import SealingRefused
from transforms.places import unwritable_as

_TOKYO = ZoneInfo("Asia/Tokyo")
_FULL_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_KEY_BYTES = 1 << 20
"""A key with thousands of signatures stays below; whatever is larger is no key."""

_ROOM = 64 << 10
"""Bytes that `gpg` needs beside the key."""

_BLOCK = 1 << 20
_HOME = ".gpg-"
"""How the names of `gpg`'s homes begin."""

_ALONE = (
    "--no-options",
    "--no-autostart",
    "--disable-dirmngr",
    "--no-auto-key-locate",
    "--no-auto-key-retrieve",
    "--lock-never",
)
"""No configuration file, no agent, no key server, nobody to wait for."""

_UNFIT = {"r": "is revoked", "e": "has expired", "d": "is disabled", "i": "is invalid", "n": "is not valid"}


@dataclass(frozen=True)
class SealingKey:
    """
    A recipient's key.

    Args:
        public_key: File with one public key, armoured or binary, as the recipient published it.

        fingerprint: Of its encryption subkey, 40 or 64 hexadecimal digits; spaces are let pass.
    """

    public_key: Path
    fingerprint: str


def check_key(key: SealingKey, now: datetime) -> date | None:
    """
    Check that a file could be sealed now.

    Args:
        key: Whose.

        now: The present, with a time zone.

    Returns:
        The day in Asia/Tokyo on which the subkey or its primary key expires, whichever is first; None if never.

    Raises:
        SealingRefused: the fingerprint is short, is not in the file, or is of a key that cannot or must not encrypt;
            the key or the subkey is expired, revoked or disabled; the file is unreadable, holds several keys or a
            private one; `gpg` is not installed.
    """
    with _keyring(key) as gpg:
        return _require_fit(gpg, key, now)


def days_left(expires: date | None, now: datetime) -> int | None:
    """
    Days until a key expires, for an alarm.

    Args:
        expires: What `check_key` returned.

        now: The present, with a time zone.

    Returns:
        0 on its last day; None if it never expires.
    """
    return None if expires is None else (expires - now.astimezone(_TOKYO).date()).days


def seal(source: Path, target: Path, key: SealingKey, now: datetime) -> str:
    """
    Encrypt a finished file. What is inside are the very bytes of the source under its name, not compressed again;
    what is outside differs each time, because OpenPGP draws a session key.

    Args:
        source: The file.

        target: Where the sealed file appears, whole or not at all, readable by its owner only. One that is there is
            replaced. Nobody else seals into its folder meanwhile: what lies half done there is of a run that died, and
            is deleted.

        key: Whose.

        now: The present, with a time zone.

    Returns:
        SHA-256 of the sealed file, in hexadecimal.

    Raises:
        SealingRefused: as in `check_key`; or the source cannot be read, or the target's place cannot be written.
        StorageFull: no space at the target.
    """
    for left in target.parent.glob(f"{_HOME}*"):
        shutil.rmtree(left, ignore_errors=True)
    with _keyring(key, target.parent) as gpg:
        _require_fit(gpg, key, now)
        with _opened(source) as plain, _whole(target) as taking:
            _encrypt(gpg, key, plain, source.name, taking)
    return taking.digest.hexdigest()


@dataclass
class _Taking:
    """Takes what `gpg` gives, so that it passes through memory once: to the file and to the digest."""

    file: BinaryIO
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __call__(self, data: bytes) -> bool:
        self.file.write(data)
        self.digest.update(data)
        return False  # python-gnupg keeps what it is not told to forget


def _pinned(key: SealingKey) -> str:
    fingerprint = "".join(key.fingerprint.split()).upper()
    if not _FULL_FINGERPRINT.fullmatch(fingerprint):
        raise SealingRefused("the pinned fingerprint is not whole; give the 40 or 64 hexadecimal digits of the subkey")
    return fingerprint


@contextmanager
def _keyring(key: SealingKey, above: Path | None = None) -> Iterator[gnupg.GPG]:
    """A `gpg` that knows this key and no other, with a home in the folder `above`."""
    _pinned(key)
    content = _read(key.public_key)
    where = "the place of the sealed file" if above else "the temporary folder"
    with unwritable_as(SealingRefused, where):
        home = tempfile.TemporaryDirectory(prefix=_HOME, dir=above)
    with home:
        # `gpg` says of a full disk that it has found no key.
        with unwritable_as(SealingRefused, where):
            room = Path(home.name) / "room"
            room.write_bytes(bytes(_ROOM + 3 * len(content)))
            room.unlink()
        gpg = _gpg(home.name)
        told = gpg.import_keys(content)
        if told.sec_read:
            raise SealingRefused("the key file holds a private key, which is its owner's alone; ask for the public one")
        yield gpg


def _read(public_key: Path) -> bytes:
    with _opened(public_key) as file:
        content = file.read(_KEY_BYTES + 1)
    if not content or len(content) > _KEY_BYTES:
        raise SealingRefused("the key file is empty or too large for a key; give the recipient's public key")
    return content


def _opened(path: Path) -> BinaryIO:
    with unwritable_as(SealingRefused, path.name):
        return path.open("rb")


def _gpg(home: str) -> gnupg.GPG:
    try:
        gpg = gnupg.GPG(gnupghome=home, options=list(_ALONE))
    except (OSError, ValueError):
        gpg = None
    if gpg is None:
        raise SealingRefused("gpg cannot be run; install GnuPG 2.2 or later (Debian: gpg)")
    gpg.buffer_size = _BLOCK
    return gpg


def _require_fit(gpg: gnupg.GPG, key: SealingKey, now: datetime) -> date | None:
    """The day on which the pinned subkey stops to be fit; refused if it is not."""
    if now.tzinfo is None:
        raise ValueError("the present is given with a time zone")
    primary, subkey = _primary_and_subkey(gpg, _pinned(key))
    for name, one in (("the primary key", primary), ("the pinned subkey", subkey)):
        if one["trust"][:1] in _UNFIT:
            raise SealingRefused(f"{name} {_UNFIT[one['trust'][:1]]}; ask the recipient for the new one")
    if "D" in primary["cap"]:
        raise SealingRefused("the primary key is disabled; ask the recipient for the new one")
    if "e" not in subkey["cap"]:
        raise SealingRefused("the pinned subkey cannot encrypt; pin the encryption subkey")
    ends = [datetime.fromtimestamp(int(one["expires"]), _TOKYO) for one in (primary, subkey) if one["expires"]]
    if ends and min(ends) <= now:
        raise SealingRefused("the key has expired; ask the recipient for the new one")
    return min(ends).date() if ends else None


def _primary_and_subkey(gpg: gnupg.GPG, fingerprint: str) -> tuple[dict, dict]:
    listed = gpg.list_keys()
    if len(listed) != 1:
        raise SealingRefused(f"the key file holds {len(listed)} public keys; give a file with exactly one")
    primary = listed[0]
    if primary["fingerprint"] == fingerprint:
        raise SealingRefused("the pinned fingerprint is the primary key's; pin its encryption subkey")
    found = [one for one in primary.get("subkey_info", {}).values() if one["fingerprint"] == fingerprint]
    if len(found) != 1:
        raise SealingRefused("the pinned fingerprint is not in the key file; compare both with the recipient")
    return primary, found[0]


@contextmanager
def _whole(target: Path) -> Iterator[_Taking]:
    """A file that appears under its name when everything is in it."""
    part = target.with_name(f".{target.name}.part")
    try:
        with unwritable_as(SealingRefused, "the place of the sealed file"):
            # One that a killed run left may be open to others.
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                yield _Taking(file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _encrypt(gpg: gnupg.GPG, key: SealingKey, plain: BinaryIO, name: str, taking: _Taking) -> None:
    gpg.on_data = taking
    told = None
    try:
        # "!" means this very subkey; without it, gpg would take the newest.
        told = gpg.encrypt_file(
            plain,
            f"{_pinned(key)}!",
            always_trust=True,
            armor=False,
            extra_args=["--no-encrypt-to", "--compress-algo", "none", "--set-filename", name],
        )
    except BrokenPipeError:
        # It has stopped reading, because it had refused.
        pass
    finally:
        gpg.on_data = None
    if told is not None and told.on_data_failure:
        raise told.on_data_failure
    if told is None or not told.ok or told.returncode:
        raise SealingRefused("gpg did not seal the file; see whether it takes the key: gpg --show-keys FILE")
