"""
Match keys: an address as typed, brought to the one form that a partner digests.

The digests are unkeyed, as partners demand; whoever holds a list of addresses can compute
them. They are personal data, and nothing here may be called anonymous.
"""

import polars as pl
import polars_hash  # noqa: F401  registers the .chash and .nchash namespaces

from delivery.spec import Digest

_INVISIBLE = r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
"""White space of every kind, zero-width characters and direction marks: typed by accident, never part of an address."""

_ADDRESS = r"^[!-?A-~]{1,64}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$"
"""ASCII only. Dots anywhere in the local part: carriers issued such addresses until 2009, and they are live."""

_LONGEST = 254
"""Octets of an address (RFC 5321 4.5.3.1.3, as corrected by erratum 1690)."""

_SHORT_ENOUGH = rf"^.{{1,{_LONGEST}}}$"

_PLACEHOLDERS = (
    r"^(?:none|null|nil|na|n/a|no|nashi|test|dummy|sample|example|aaa+|xxx+|abc|user|mail|email|noreply|no-reply)@"
    r"(?:none|null|nil|na|test|dummy|sample|aaa+|xxx+|abc|mail|email|localhost)\."
)
"""Typed to get past a form; a digest of one would match strangers to each other."""


def normalise(typed: pl.Expr, rule=None) -> pl.Expr:
    """
    The form of an address that is digested.

    NFKC first, then lower case, then all white space and invisible characters out. Dots
    and plus signs stay: LiveRamp folds no address, and a repaired carrier address would
    be another person's.

    Args:
        typed: Addresses as typed, shape (rows,).

    Returns:
        Strings, shape (rows,); null where it is no address, or a placeholder.

    Source:
        https://docs.liveramp.com/connect/en/hashing-identifiers.html, read 2026-11-23.
    """
    form = typed.str.normalize("NFKC").str.to_lowercase().str.replace_all(_INVISIBLE, "")
    # One chain, each step once: an expression that is named several times is computed as often. What begins like a
    # placeholder loses its local part, and so is no address; an address is ASCII, so its characters are its octets.
    return form.str.replace(_PLACEHOLDERS, "@").str.extract(_ADDRESS, 0).str.extract(_SHORT_ENOUGH, 0)


def digest(normalised: pl.Expr, algorithm: Digest) -> pl.Expr:
    """Lower-case hexadecimal digest of the UTF-8 bytes of each normalised address; null stays null."""
    if algorithm is Digest.SHA256:
        return normalised.chash.sha2_256()
    return normalised.nchash.sha1() if algorithm is Digest.SHA1 else normalised.nchash.md5()
