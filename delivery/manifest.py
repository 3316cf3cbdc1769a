"""
The manifest of a night: what came in, what was left out and why, what went out.

The same night has the same manifest, byte for byte: no clock, no run id, no path of a
machine. It holds counts, names and digests of files; never a row, never a key.
"""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

from anonymizers.errors import PublicationBroken
from expectations.checks import Outcome

PACKAGES = ("anonymizers", "expectations", "transforms", "delivery", "dags")
PUBLISHED = (
    "night",
    "purpose",
    "policy_version",
    "code_version",
    "key_ids",
    "disclosure",
    "threshold",
    "gate",
    "outputs",
)
"""What of a night's manifest lies beside its tables. The counts of what was read are exact and of this very night: they
are kept in the warehouse, in schema ``sudare``, for whoever answers for the night."""

LEGAL_CLASS_STATISTICS = "統計情報"
LEGAL_CLASS_FEED = "個人データ(第三者提供)"


@cache
def code_version() -> str:
    """The release, and a digest of the source that ran: two nights with the same one ran the same code."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for path in sorted(p for package in PACKAGES for p in (root / package).rglob("*") if p.suffix in (".py", ".csv")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return f"{version('sudare')}+{digest.hexdigest()[:12]}"


def render(manifest: dict) -> bytes:
    """One manifest, one sequence of bytes."""
    return (json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1, default=_value) + "\n").encode()


def published_part(manifest: dict) -> dict:
    """What of a night's manifest lies beside its tables."""
    return {name: manifest[name] for name in PUBLISHED if name in manifest}


def _value(value: object) -> object:
    if isinstance(value, Outcome):
        return {name: item for name, item in asdict(value).items() if item is not None}
    raise TypeError(f"a manifest holds no {type(value).__name__}")


def parse(text: str | bytes) -> dict:
    """A manifest that `render` wrote."""
    return json.loads(text)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha256_of(path: Path) -> str:
    """Of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_adds_up(accounts: dict[str, dict]) -> None:
    """
    Check that read = kept + dropped for every dataset.

    Raises:
        PublicationBroken: rows went missing between two steps.
    """
    for name, one in accounts.items():
        if one["read"] != one["kept"] + sum(one["dropped"].values()):
            raise PublicationBroken(f"{name}: {one['read']} rows read, but kept and dropped do not add up to that")
