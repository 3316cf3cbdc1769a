"""
Expressions compiled by `re` for what is looked for in every text.

`re` reads sets and alternations of words three to five times as fast as `regex`, but knows no properties, no
operations on sets, and no time-out: it is for what is linear beyond doubt.
"""

import re
from functools import cache

import regex


@cache
def members(of: str) -> str:
    """The characters of a set of `regex` as they may stand between the brackets of a set of `re`."""
    runs = regex.findall(f"(?V1){of}+", "".join(map(chr, range(0x20000))))
    return "".join(f"{re.escape(run[0])}-{re.escape(run[-1])}" for run in runs)


def one_of(of: str) -> str:
    """
    An expression of `re` for one character of a set of `regex`.

    `re` has a table for a set of the Basic Multilingual Plane and none for one that goes beyond, which it compares
    range by range: what lies beyond is asked for by itself.
    """
    inside, beyond = (members(f"[{of}&&[{plane}]]") for plane in ("\\u0000-\\uffff", "\\U00010000-\\U0001ffff"))
    return f"(?:[{inside}]|(?=[\U00010000-\U0001ffff])[{beyond}])"


def quick(expression: str, flags: int = 0) -> re.Pattern[str]:
    """Compile an expression by `re`. Of properties, \\p{So} alone may be in it."""
    symbols = members(r"\p{So}") if r"\p{So}" in expression else ""
    in_sets = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(r"\p{So}", symbols), expression)
    return re.compile(in_sets.replace(r"\p{So}", f"[{symbols}]"), flags)


def either(words: str) -> str:
    """An expression for any of the words, in capitals or not, as `regex` takes ``(?i)``: i is also İ and ı."""
    letters = {"i": "[iIİı]"} | {letter: f"[{letter}{letter.upper()}]" for letter in "abcdefghjklmnopqrstuvwxyz"}
    return "|".join("".join(letters.get(c, c) for c in word) for word in words.split())
