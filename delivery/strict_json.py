"""
JSON that others wrote, read so that it can say one thing only, and so that no failure quotes it.
"""

import json
import math
from typing import Any

_LONGEST_NUMBER = 20
"""Digits and sign; a time in milliseconds has 13. Longer integers cost quadratic time to read."""

_MOST_CONTAINERS = 4_000_000
_MOST_ITEMS = 10_000_000
"""What two bytes of text say can take sixty in memory; a document of a million people has about half of these."""


class Unreadable(ValueError):
    """Not JSON as it is accepted here. The message names the rule, never the text."""


def parse(content: bytes) -> Any:
    """
    Read one JSON document.

    Args:
        content: UTF-8, without a byte order mark.

    Returns:
        What `json.loads` returns.

    Raises:
        Unreadable: no UTF-8, no JSON, a key twice in one object (readers differ in which one counts), NaN or
            infinity, a number of more than 20 characters, too many parts, or nesting that the parser does not follow.
    """
    if content.count(b"[") + content.count(b"{") > _MOST_CONTAINERS or content.count(b",") > _MOST_ITEMS:
        raise Unreadable("it has too many parts")
    problem = "it is no JSON"
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_key_once,
            parse_constant=_no_constant,
            parse_int=_short_integer,
            parse_float=_finite,
        )
    except Unreadable as ours:
        problem = str(ours)
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError:
        pass
    # Raised out here, so that the parser's own error, which holds the whole document, is not carried along.
    raise Unreadable(problem)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a key stands twice in one object")
    return found


def _no_constant(_: str) -> Any:
    raise Unreadable("NaN and infinity are no JSON")


def _short_integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise Unreadable("a number is too long")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unreadable("a number is too large")
    return number
