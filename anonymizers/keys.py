"""
Keys: one secret, and a key of its own for every purpose derived from it.

The secret comes from the environment or a secrets backend and is held nowhere. Derived
keys never leave the process; manifests name them by id.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from anonymizers.errors import DemoKeyRefused, KeyMissing, KeyTooShort

SECRET_BYTES = 32
"""As long as the output of the hash (NIST SP 800-107r1, 5.3.4)."""

DEMO_SECRET = "sudare-demo-secret-for-the-synthetic-site-only"  # noqa: S105  public on purpose
"""Public, and therefore refused against any source but the demo site's."""


@dataclass(frozen=True)
class Key:
    """A derived key. Its bytes show in no ``repr``."""

    purpose: str
    id: str
    bytes: bytes = field(repr=False)


@dataclass(frozen=True)
class Secret:
    """The one secret of a deployment. Its text shows in no ``repr``."""

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.text:
            raise KeyMissing(f"SUDARE_SECRET is not set; give at least {SECRET_BYTES} random bytes")
        if len(self.text.encode()) < SECRET_BYTES:
            raise KeyTooShort(f"SUDARE_SECRET is {len(self.text.encode())} bytes long; give at least {SECRET_BYTES}")

    @property
    def is_demo(self) -> bool:
        return hmac.compare_digest(self.text.strip().encode(), DEMO_SECRET.encode())

    def require_fit_for(self, *, demo_source: bool) -> None:
        """
        Check that a public key protects nobody real.

        Raises:
            DemoKeyRefused: the demo's secret, and a source that is not the demo's.
        """
        if self.is_demo and not demo_source:
            raise DemoKeyRefused("SUDARE_SECRET is the demo's and the source is not the demo site; set your own")

    def derive(self, purpose: str) -> Key:
        """A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869), the same for the same secret and purpose."""
        key = HKDF(algorithm=SHA256(), length=32, salt=b"sudare/1", info=purpose.encode()).derive(self.text.encode())
        return Key(purpose, hmac.new(key, b"key id", hashlib.sha256).hexdigest()[:12], key)
