"""Telephone numbers in the ways they are typed."""

import numpy as np
import pyarrow as pa

from sudare.demo.columns import KANJI_DIGITS, by_form, digits, full_width, join, pick, translated
from sudare.demo.draws import Draws

_MOBILE = ("090", "080", "070")

_LANDLINE = ("03", "06", "011", "022", "045", "048", "052", "075", "078", "082", "092", "0422", "0466", "0798")


def typed_phone(draws: Draws, stream: str, ids: np.ndarray, weights: tuple[int, ...]) -> pa.Array:
    """
    A telephone number per id.

    No number begins 090-0: that range is not in use and belongs to the canaries.

    Args:
        weights: How often each form comes, as in `MEMBER_FORMS`.
    """
    head = pick(_MOBILE, draws.below(f"{stream} head", ids, 3))
    middle = digits(4, 1000 + draws.below(f"{stream} middle", ids, 9000))
    end = digits(4, draws.below(f"{stream} end", ids, 10_000))

    def mobile(first: str, second: str, before: str = "", after: str = ""):
        def make(rows: np.ndarray) -> pa.Array:
            cut = [column.take(pa.array(rows)) for column in (head, middle, end)]
            return join(before, cut[0], first, cut[1], second, cut[2], after)

        return make

    def abroad(gap: str):
        def make(rows: np.ndarray) -> pa.Array:
            cut = [column.take(pa.array(rows)) for column in (head, middle, end)]
            return join("+81", gap, pa.compute.utf8_slice_codeunits(cut[0], 1), gap, cut[1], gap, cut[2])

        return make

    def landline(rows: np.ndarray) -> pa.Array:
        return _landline(draws, stream, ids[rows])

    makers = (
        mobile("-", "-"),
        mobile("", ""),
        mobile(" ", " "),
        mobile("(", ")"),
        lambda rows: full_width(mobile("-", "-")(rows)),
        lambda rows: full_width(mobile("", "")(rows)),
        mobile("ー", "ー"),
        mobile("\u2212", "\u2212"),
        abroad(" "),
        abroad("-"),
        landline,
        mobile("-", "-", " ", "\u3000"),
        lambda rows: translated(mobile("の", "の")(rows), KANJI_DIGITS),
        lambda rows: translated(mobile("", "")(rows), KANJI_DIGITS),
        mobile("★", "★"),
        mobile(".", "."),
        mobile("の", "の"),
    )
    return by_form(draws.weighted(f"{stream} form", ids, weights + (0,) * (len(makers) - len(weights))), makers)


MEMBER_FORMS: tuple[int, ...] = (45, 20, 3, 2, 5, 4, 2, 2, 3, 2, 10, 2)
"""Weights of the forms in a registration form: no kanji digits, nothing obfuscated."""

POSTED_FORMS: tuple[int, ...] = (25, 10, 6, 4, 10, 5, 6, 3, 3, 2, 8, 0, 6, 3, 4, 3, 2)
"""Weights of the forms on the boards, where some try to hide a number from machines."""


def _landline(draws: Draws, stream: str, ids: np.ndarray) -> pa.Array:
    area = draws.below(f"{stream} area", ids, len(_LANDLINE))
    width = 6 - np.array([len(code) for code in _LANDLINE])[area]
    middle = (2 + draws.below(f"{stream} exchange", ids, 7)) * 10 ** (width - 1) + draws.below(
        f"{stream} line", ids, 10 ** (width - 1)
    )
    return join(
        pick(_LANDLINE, area),
        "-",
        pa.compute.cast(pa.array(middle), pa.string()),
        "-",
        digits(4, draws.below(f"{stream} end", ids, 10_000)),
    )
