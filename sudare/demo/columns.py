"""Columns of strings, numbers and instants, built without a loop over rows."""

import functools
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FULL_WIDTH: dict[int, str] = {code: chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
"""ASCII to its full-width forms, for `str.translate`."""

KANJI_DIGITS: dict[int, str] = {
    ord(digit): kanji for digit, kanji in zip("0123456789", "〇一二三四五六七八九", strict=True)
}
"""ASCII digits to kanji digits, for `str.translate`."""


def pick(pool: Sequence[str] | pa.Array, index: np.ndarray) -> pa.Array:
    """The strings of ``pool`` at ``index``."""
    return (pool if isinstance(pool, pa.Array) else _pool(tuple(pool))).take(pa.array(index))


@functools.lru_cache(maxsize=1024)
def _pool(strings: tuple[str, ...]) -> pa.Array:
    return pa.array(strings, pa.string())


def join(*parts: pa.Array | str) -> pa.Array:
    """Concatenate row by row; null where any part is null."""
    return pc.binary_join_element_wise(*parts, "")


def constant(text: str | None, size: int) -> pa.Array:
    """The same string in every row."""
    return pa.repeat(pa.scalar(text, pa.string()), size)


def null_where(condition: np.ndarray, column: pa.Array) -> pa.Array:
    """``column`` with nulls where ``condition`` holds."""
    return pc.if_else(pa.array(condition), pa.scalar(None, column.type), column)


def choose(condition: np.ndarray, yes: pa.Array | str, no: pa.Array | str) -> pa.Array:
    """``yes`` where ``condition`` holds, else ``no``."""
    return pc.if_else(pa.array(condition), yes, no)


def by_form(form: np.ndarray, makers: Sequence[Callable[[np.ndarray], pa.Array]]) -> pa.Array:
    """
    Build each row by the maker its form names.

    Args:
        form: One index into ``makers`` per row.

        makers: Each is given the positions of its own rows and returns their strings.
    """
    order = np.argsort(form, kind="stable")
    bounds = np.searchsorted(form[order], np.arange(len(makers) + 1))
    pieces = [
        maker(order[start:end])
        for maker, start, end in zip(makers, bounds[:-1], bounds[1:], strict=True)
        if end > start
    ]
    place = np.empty(len(form), dtype=np.int64)
    place[order] = np.arange(len(form))
    return pa.concat_arrays(pieces).take(pa.array(place)) if pieces else pa.array([], pa.string())


def scatter(size: int, rows: np.ndarray, values: pa.Array, otherwise: str | None) -> pa.Array:
    """A column of ``size`` rows holding ``values`` at ``rows`` and ``otherwise`` elsewhere."""
    place = np.full(size, len(values), dtype=np.int64)
    place[rows] = np.arange(len(values))
    return pa.concat_arrays([values, pa.array([otherwise], pa.string())]).take(pa.array(place))


def replace_rows(column: pa.Array, rows: np.ndarray, values: Sequence[object]) -> pa.Array:
    """``column`` with ``values`` at ``rows``."""
    if not len(rows):
        return column
    place = np.arange(len(column))
    place[rows] = len(column) + np.arange(len(rows))
    return pa.concat_arrays([column, pa.array(list(values), column.type)]).take(pa.array(place))


def translated(column: pa.Array, table: dict[int, str]) -> pa.Array:
    """``column`` through `str.translate`; row by row, so only for rare forms."""
    return pa.array([None if text is None else text.translate(table) for text in column.to_pylist()], pa.string())


def full_width(column: pa.Array) -> pa.Array:
    """``column`` in full-width letters; row by row, so only for rare forms."""
    return translated(column, FULL_WIDTH)


def digits(width: int, values: np.ndarray) -> pa.Array:
    """``values`` as decimal numerals of ``width`` digits, at most 8."""
    if width <= 4:
        return pick(_numerals(width), values)
    return join(pick(_numerals(width - 4), values // 10_000), pick(_numerals(4), values % 10_000))


@functools.cache
def _numerals(width: int) -> pa.Array:
    return pa.array([f"{value:0{width}d}" for value in range(10**width)], pa.string())


def numbers(values: np.ndarray) -> pa.Array:
    """``values`` as decimal numerals without leading zeros."""
    return pc.cast(pa.array(values), pa.string())


@functools.cache
def _hex() -> pa.Array:
    return pa.array([f"{value:04x}" for value in range(65_536)], pa.string())


def hexadecimal(bits: np.ndarray) -> pa.Array:
    """64 bits as 16 hexadecimal digits."""
    words = [((bits >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64) for shift in (48, 32, 16, 0)]
    return join(*(pick(_hex(), word) for word in words))


def instants(micros: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Microseconds since 1970 as instants, null where ``missing`` holds."""
    return pa.array(micros.astype(np.int64), pa.timestamp("us", "UTC"), mask=missing)


def dates(days: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Days since 1970 as dates, null where ``missing`` holds."""
    return pa.array(days.astype(np.int32), pa.date32(), mask=missing)


def whole(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Whole numbers, null where ``missing`` holds."""
    return pa.array(values.astype(np.int64), pa.int64(), mask=missing)


def half_width_kana(text: str) -> str:
    """Katakana as half-width katakana, as old phones send it."""
    return "".join(_HALF_KANA.get(letter, letter) for letter in text)


_HALF_KANA: dict[str, str] = {
    unicodedata.normalize("NFKC", half + mark): half + mark
    for half in map(chr, range(0xFF66, 0xFF9E))
    for mark in ("\uff9e", "\uff9f", "")
    if len(unicodedata.normalize("NFKC", half + mark)) == 1
}
