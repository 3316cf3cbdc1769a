"""
Record keys: two secret numbers per member, from which cell keys and the count of changed members are made.

Both are cut from one HMAC-SHA-256 under the key of the statistics' epoch. Another epoch, or another secret,
gives numbers that have nothing to do with these.
"""

import polars as pl
import polars_hash  # noqa: F401  registers the .chash namespace

from anonymizers.keys import Key

FIELD = (1 << 31) - 1
"""The prime of the field in which points live; see `anonymizers.changes`."""


def record_keys(column: str, key: Key) -> list[pl.Expr]:
    """
    The record key and the point of each member.

    Args:
        column: Whole numbers or texts that name members, shape (rows,). A null stays null.

        key: Derived for the statistics of one epoch.

    Returns:
        ``record_key``, UInt32, uniform on 0 … 2³²-1: summed over a cell it is the cell key.
        ``point``, UInt32 in 1 … 2³¹-2: independent of the first.

    Source:
        Fraser and Wooton, A proposed method for confidentialising tabular output to protect against differencing
        (ABS, 2005), on keys that belong to records and add up to a cell's; HMAC instead of a stored random number.
    """
    value = pl.concat_str(pl.lit("member:"), pl.col(column).cast(pl.String))
    # The library takes the key as text: 64 hexadecimal characters are exactly one block.
    digest = value.chash.hmac_sha256(key=key.bytes.hex())
    # Once for both: an expression that is named twice is computed as often.
    kinds = {"record_key": pl.UInt32, "point": pl.UInt32}
    return [digest.map_batches(_cut, return_dtype=pl.Struct(kinds), is_elementwise=True).struct.unnest()]


def _cut(digest: pl.Series) -> pl.Series:
    first, second = (digest.str.slice(start, 8).str.to_integer(base=16, dtype=pl.Int64) for start in (0, 8))
    cut = {"record_key": first.cast(pl.UInt32), "point": (second % (FIELD - 1) + 1).cast(pl.UInt32)}
    return pl.DataFrame(cut).to_struct(digest.name)
