"""
Pseudonyms: keyed tokens that only the holder of the key can link to a person (ISO 25237).

Whole columns at once. A pseudonym is not anonymous, and nothing here is for an ad feed:
feeds need a partner's unkeyed digest, which is another thing and lives in ``delivery/``.
"""

import polars as pl
import polars_hash  # noqa: F401  registers the .chash namespace

from anonymizers.keys import Key

PSEUDONYM_BYTES = 16
"""Half of HMAC-SHA-256: collisions stay unlikely (2^-64 at 2^32 members) and files half as large."""


def pseudonymise(column: str, domain: str, key: Key) -> pl.Expr:
    """
    HMAC-SHA-256 of a column within a domain, truncated.

    Args:
        column: Integers or strings, shape (rows,). A null stays null.

        domain: Tokens of different domains cannot be compared, even under one key.

        key: Derived for one purpose.

    Returns:
        Binary tokens of 16 bytes, shape (rows,). The value is not in them.

    Source:
        RFC 2104; truncation as its section 5 allows.
    """
    value = pl.concat_str(pl.lit(f"{domain}:"), pl.col(column).cast(pl.String))
    # The library takes the key as text: 64 hexadecimal characters are exactly one block.
    digest = value.chash.hmac_sha256(key=key.bytes.hex())
    return digest.str.slice(0, 2 * PSEUDONYM_BYTES).str.decode("hex")
