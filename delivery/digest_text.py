"""
The texts of a digest, hexadecimal or Base64, and the bytes they stand for.

Bytes are compared, never texts: the same digest has several texts.
"""

import base64
import re

import polars as pl

from delivery.spec import Digest, Encoding


def length(algorithm: Digest, encoding: Encoding) -> int:
    """Of the text of every digest, in signs."""
    return algorithm.hex_digits if encoding is Encoding.HEX else 4 * -(-algorithm.bytes // 3)


_HEXADECIMAL = {length(algorithm, Encoding.HEX): algorithm for algorithm in Digest}
_BASE64 = {length(algorithm, Encoding.BASE64): algorithm for algorithm in Digest}


def to_bytes(text: str) -> tuple[Digest, bytes] | None:
    """Algorithm, told by the length, and bytes of one digest in either form and any case; None if it is none."""
    if (algorithm := _HEXADECIMAL.get(len(text))) and re.fullmatch(r"[0-9A-Fa-f]+", text):
        return algorithm, bytes.fromhex(text)
    if (algorithm := _BASE64.get(len(text))) and re.fullmatch(r"[0-9A-Za-z+/]+={0,2}", text):
        decoded = base64.b64decode(text) if len(text.rstrip("=")) == -(-4 * algorithm.bytes // 3) else b""
        return (algorithm, decoded) if len(decoded) == algorithm.bytes else None
    return None


def as_bytes(text: pl.Expr, algorithm: Digest, encoding: Encoding = Encoding.HEX) -> pl.Expr:
    """Binary of each text, null where it is no digest of this algorithm; hexadecimal of either case."""
    if encoding is Encoding.HEX:
        # The length of the text says that of the bytes: asking the bytes as well would decode everything twice.
        return pl.when(text.str.len_bytes() == algorithm.hex_digits).then(text).str.decode("hex", strict=False)
    decoded = text.str.decode("base64", strict=False)
    return pl.when(decoded.bin.size() == algorithm.bytes).then(decoded)


def as_text(digests: pl.Expr, encoding: Encoding = Encoding.HEX) -> pl.Expr:
    """Hexadecimal in lower case, or Base64 with padding; null stays null."""
    return digests.bin.encode(encoding.value)
