"""
What is checked before anything is published: the expectations, as values.

Standard library only. Each `Check` names a Great Expectations expectation; the runner in
`expectations.validation` is the only module that knows that library.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_BETWEEN = r"[\s\-‐‑‒–—―−ー一~〜・./()]"
"""What people type between the digits of a telephone number; NFKC leaves most of them apart."""

IDENTIFIERS = (
    # e-mail, also with a spelt-out sign, spaced out, or with another dot; a quoted local part
    r"[a-z0-9._%+\-\"](?:\s{0,3})(?:@|\[at\]|\(at\)|★|☆)\s{0,3}[a-z0-9](?:\s?[a-z0-9\-]){0,62}\s?[.。]\s?[a-z]",
    # Japanese telephone numbers, national or +81
    rf"(?<![0-9])(?:\+81|0){_BETWEEN}{{0,3}}[1-9](?:{_BETWEEN}{{0,3}}[0-9]){{7,9}}(?![0-9])",
    r"〒|(?<![0-9])[0-9]{3}[\s\-‐‑‒–—―−ー][0-9]{4}(?![0-9])",
    # digests and tokens in hexadecimal
    r"[0-9a-f]{32}",
    # long numbers: member, card, individual number, also in groups
    r"[0-9](?:[\s,.\-]?[0-9]){6}",
)
"""Patterns that no published text may hold. Python syntax, any case, on `plain` text."""


_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def plain(value: object) -> str:
    """Text as it is checked: full-width letters folded, invisible characters out, since neither may hide anything."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", str(value)))


@dataclass(frozen=True)
class Check:
    """One expectation."""

    expectation: str
    """The class name in Great Expectations."""
    column: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """
    What may be kept of one expectation's result: names, counts and the verdict.

    Never the failing values, never an exception's text, never an observed value.
    """

    output: str
    expectation: str
    column: str | None
    success: bool
    element_count: int | None = None
    unexpected_count: int | None = None

    def as_dict(self) -> dict:
        return {name: value for name, value in vars(self).items() if value is not None}


def rows(at_least: int, at_most: int | None = None) -> Check:
    """The first check of every suite: an empty frame never passes."""
    if at_least < 1:
        raise ValueError("a suite expects at least one row")
    return Check("ExpectTableRowCountToBeBetween", params={"min_value": at_least, "max_value": at_most})


def exact_columns(*names: str) -> Check:
    """These columns, in this order, and no other."""
    return Check("ExpectTableColumnsToMatchOrderedList", params={"column_list": list(names)})


def distinct(*names: str) -> Check:
    """No two rows share the values of all these columns."""
    if len(names) == 1:
        return Check("ExpectColumnValuesToBeUnique", names[0])
    return Check("ExpectCompoundColumnsToBeUnique", params={"column_list": list(names)})


def present(column: str) -> Check:
    """No value is missing."""
    return Check("ExpectColumnValuesToNotBeNull", column)


def one_of(column: str, values: tuple[str, ...]) -> Check:
    """Every value is on the list."""
    return Check("ExpectColumnValuesToBeInSet", column, {"value_set": list(values)})


def matching(column: str, pattern: str) -> Check:
    """Every value matches the whole pattern."""
    return Check("ExpectColumnValuesToMatchRegex", column, {"regex": rf"^(?:{pattern})\Z"})


def without(column: str, pattern: str) -> Check:
    """No value holds the pattern anywhere."""
    return Check("ExpectColumnValuesToNotMatchRegex", column, {"regex": rf"(?is).*(?:{pattern})"})


def between(column: str, least: float, most: float | None = None) -> Check:
    """Every value that is not missing lies in the range."""
    return Check("ExpectColumnValuesToBeBetween", column, {"min_value": least, "max_value": most})


def zero(column: str) -> Check:
    """A count of violations, computed elsewhere in one scan, is 0."""
    return between(column, 0, 0)
