"""Lines of JSON on standard input: how commands read them, and what they say of those they cannot use."""

import json
import math
from collections.abc import Iterator
from io import BufferedIOBase

from anonymizers.errors import ValueUnfit

Id = str | int | float | None

READ_AT_ONCE = 1 << 16
"""Bytes; as many as a pipe holds."""


def read_object(line: str | bytes) -> dict | None:
    """The JSON object on a line; None if there is none, or its ``"id"`` could not name anything."""
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or brackets without end
        return None
    return read if isinstance(read, dict) and is_id(read.get("id")) else None


def is_id(value: object) -> bool:
    """What JSON can name a thing by; a list or an object could carry a text past whoever looks for texts."""
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def as_they_come(stream: BufferedIOBase) -> Iterator[list[bytes]]:
    """Lines that are there already, together; never waits for another while one is complete."""
    rest = b""
    while read := stream.read1(READ_AT_ONCE):
        *lines, rest = (rest + read).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def require_none(unusable: list[int], expected: str) -> None:
    """
    Args:
        unusable: Numbers of lines that could not be used, from 1, in order.

        expected: What a line should have been.

    Raises:
        ValueUnfit: there are some; the message names the first and how many more, never a content.
    """
    if unusable:
        more = f", nor are {len(unusable) - 1:,} after it" if len(unusable) > 1 else ""
        raise ValueUnfit(f"line {unusable[0]} is no {expected}{more}")
