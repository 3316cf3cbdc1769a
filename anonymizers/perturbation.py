"""
Perturbation: bounded noise for counts that are about to be published, drawn from a kept table.

The noise of a cell is no new draw but a function of its cell key, so the same members in
a cell give the same published count every time: asking again teaches nothing. What a
count may become, and how probably, stands in a kept table (`perturbation_design` makes
it). The table is part of the protection, so a changed one is refused, and so is one that
breaks what is promised of it even if somebody recorded its new digest.

Everything here is whole numbers: the same key gives the same noise on every machine.

Source:
    Fraser and Wooton, A proposed method for confidentialising tabular output to protect against differencing (2006).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from anonymizers.errors import DisclosureRefused, PerturbationRefused

FOLDER = Path(__file__).resolve().parent

KNOWN: Mapping[str, str] = {"d10_v6": "41782983d77555a3e2d17b21cffa7e3bc7b5acbc94ef0289a3a768742a812f6b"}
"""Name of a kept table to the SHA-256 of its file. Made anew? Then record the new digest here, on purpose."""

DECIMALS = 12
ONE = 10**DECIMALS
"""A probability of 1, in the units of the files. In whole units a sum or a bias is exactly right or it is not."""

LEEWAY = ONE // 10**9
"""1e-9: by how much rounding to the file's decimals may lift a variance, or bend a monotone row."""

KEYS = 2**32
"""How many cell keys there are."""

PARAMETERS = {
    "bound": r"[1-9]\d{0,2}",
    "variance": r"\d{1,4}(\.\d{1,6})?",
    "blocked": r"\d{1,3}",
    "stay": r"free|0\.\d{1,6}",
    "monotone": r"[TF]+",
    "impossible": r"(\d{1,4}( \d{1,4})*)?",
    "source": r".+",
    "date": r"\d{4}-\d{2}-\d{2}",
}
"""What the head of a file says, one ``# name=value`` a line, in this order."""

Rows = Mapping[int, Mapping[int, int]]
"""True count to what it may become to the probability in units of 1e-12."""


def last_row(bound: int, blocked: int) -> int:
    """The first count whose noise is no longer cut off from below; its row stands for all larger counts."""
    return bound + blocked + 1 if blocked else bound


def targets(count: int, bound: int, blocked: int) -> list[int]:
    """What ``count`` may become, ascending: at most ``bound`` away, not negative, none of 1..``blocked``."""
    if count == 0:
        return [0]  # an empty cell stays empty: noise on it would invent people
    return [j for j in range(max(count - bound, 0), count + bound + 1) if not 1 <= j <= blocked]


def possible(count: int, bound: int, variance: float, blocked: int) -> bool:
    """
    Whether any unbiased noise for ``count`` keeps to the bound and the variance.

    The unbiased noise of least variance sits on the two targets that enclose the count,
    ``below`` and ``above``, and has variance (count - below) * (above - count).
    """
    reachable = targets(count, bound, blocked)
    below, above = [j for j in reachable if j <= count], [j for j in reachable if j >= count]
    return bool(below and above) and (count - below[-1]) * (above[0] - count) <= variance


@dataclass(frozen=True)
class PerturbationTable:
    """
    A verified table. `load` makes one.

    Attributes:
        name: Of the kept table.
        bound: Largest distance between a true and a perturbed count, in members.
        variance: Largest variance of the noise, in members squared.
        blocked: No perturbed count is in 1..``blocked``.
        sha256: Of the file's bytes, for the manifest.
    """

    name: str
    bound: int
    variance: float
    blocked: int
    sha256: str
    _row_of: np.ndarray = field(repr=False, compare=False)
    """Shape (last row + 1,): where the row of a count is in ``_ends``; -1 where there is none."""
    _ends: np.ndarray = field(repr=False, compare=False)
    """Shape (entries,), ascending: one past the last key of an entry, plus `KEYS` for each row before."""
    _noise: np.ndarray = field(repr=False, compare=False)
    """Shape (entries,): what an entry adds to the count, in members."""

    def perturb(self, counts: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """
        Add to each count the noise its cell key points at (inverse distribution function at (key + 1/2) / 2^32).

        Args:
            counts: True counts, int64, not negative, shape (cells,), in members. None may be a
                count without a row, which are 1..``blocked`` where no unbiased noise exists:
                a cell that small is to be suppressed, or emptied, before.

            uniforms: Cell keys, uint32, uniform on 0..2^32-1, same shape.

        Returns:
            Perturbed counts, int64, same shape: none negative, none in 1..``blocked``, an empty cell stays empty.

        Raises:
            DisclosureRefused: other types or shapes, a negative count, a count without a row.
        """
        if counts.dtype != np.int64 or uniforms.dtype != np.uint32:
            raise DisclosureRefused(f"{self.name}: counts must be int64 and cell keys uint32")
        if counts.ndim != 1 or counts.shape != uniforms.shape:
            raise DisclosureRefused(f"{self.name}: counts and cell keys must be flat and equally many")
        if (counts < 0).any():
            raise DisclosureRefused(f"{self.name}: a count is negative")
        rows = self._row_of[np.minimum(counts, self._row_of.size - 1)]
        if (rows < 0).any():
            raise DisclosureRefused(f"{self.name}: a count is too small for unbiased noise; suppress its cell first")
        return counts + self._noise[np.searchsorted(self._ends, rows * KEYS + uniforms.astype(np.int64), side="right")]


def load(name: str) -> PerturbationTable:
    """
    Read a kept table and verify everything that is promised of it.

    Raises:
        PerturbationRefused: no such table; other bytes than recorded; a parameter or a row missing; a row that is
            no unbiased distribution within bound and variance; a blocked value; a last row that is not symmetric.
    """
    if name not in KNOWN:
        raise PerturbationRefused(f"perturbation table {name!r} is none of {', '.join(sorted(KNOWN))}")
    path = FOLDER / f"perturbation_{name}.csv"
    if not path.is_file():
        raise PerturbationRefused(f"{path.name} is missing; install the package anew")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != KNOWN[name]:
        raise PerturbationRefused(f"{path.name} has SHA-256 {digest}, not the recorded one; install the package anew")
    lines = content.decode("ascii", errors="replace").splitlines()
    head = _parameters(path.name, lines)
    bound, variance, blocked = int(head["bound"]), float(head["variance"]), int(head["blocked"])
    rows = _rows(path.name, lines[len(PARAMETERS) :])
    _require_rows(path.name, rows, head)
    for count, row in rows.items():
        _require_targets(f"{path.name} row {count}", row, set(targets(count, bound, blocked)), count, bound)
        _require_moments(f"{path.name} row {count}", row, count, variance)
    _require_shape(path.name, rows, head["monotone"])
    return PerturbationTable(name, bound, variance, blocked, digest, *_arrays(rows))


def _parameters(file: str, lines: list[str]) -> dict[str, str]:
    found = {}
    for (name, form), line in zip(PARAMETERS.items(), [*lines, *[""] * len(PARAMETERS)], strict=False):
        match = re.fullmatch(rf"# {name}=({form})", line)
        if match is None:
            raise PerturbationRefused(f"{file}: parameter {name} is missing or malformed")
        found[name] = match[1]
    return found


def _rows(file: str, lines: list[str]) -> Rows:
    if lines[:1] != ["i,j,p"]:
        raise PerturbationRefused(f"{file}: the columns are not i,j,p")
    entries = []
    for line in lines[1:]:
        match = re.fullmatch(rf"(\d{{1,4}}),(\d{{1,4}}),(-?\d{{1,3}})\.(\d{{{DECIMALS}}})", line)
        if match is None:
            raise PerturbationRefused(f"{file}: a line is not i,j,p with {DECIMALS} decimals")
        entries.append((int(match[1]), int(match[2]), int(match[3] + match[4])))
    if any(before[:2] >= after[:2] for before, after in pairwise(entries)):
        raise PerturbationRefused(f"{file}: entries are not in ascending order of i and j, or one appears twice")
    rows: dict[int, dict[int, int]] = {}
    for i, j, p in entries:
        rows.setdefault(i, {})[j] = p
    return rows


def _require_rows(file: str, rows: Rows, head: Mapping[str, str]) -> None:
    bound, variance, blocked = int(head["bound"]), float(head["variance"]), int(head["blocked"])
    last = last_row(bound, blocked)
    wanted = [i for i in range(last + 1) if possible(i, bound, variance, blocked)]
    if missing := sorted(set(wanted) - set(rows)):
        raise PerturbationRefused(f"{file}: row {missing[0]} is missing")
    if foreign := sorted(set(rows) - set(wanted)):
        raise PerturbationRefused(f"{file}: row {foreign[0]} is not one of such a table")
    if head["impossible"].split() != [str(i) for i in range(last + 1) if i not in wanted]:
        raise PerturbationRefused(f"{file}: the rows said to be impossible are not those that are")


def _require_targets(row_name: str, row: Mapping[int, int], allowed: set[int], count: int, bound: int) -> None:
    if any(abs(j - count) > bound for j in row):
        raise PerturbationRefused(f"{row_name}: a target is farther away than the bound")
    if not set(row) <= allowed:
        raise PerturbationRefused(f"{row_name}: a target is blocked" if count else f"{row_name}: does not stay 0")


def _require_moments(row_name: str, row: Mapping[int, int], count: int, variance: float) -> None:
    if not all(0 <= p <= ONE for p in row.values()):
        raise PerturbationRefused(f"{row_name}: a probability is outside 0..1")
    if sum(row.values()) != ONE:
        raise PerturbationRefused(f"{row_name}: the probabilities do not sum to 1")
    if sum((j - count) * p for j, p in row.items()):
        raise PerturbationRefused(f"{row_name}: the noise is biased")
    if sum((j - count) ** 2 * p for j, p in row.items()) > variance * ONE + LEEWAY:
        raise PerturbationRefused(f"{row_name}: the variance is above the table's")


def _require_shape(file: str, rows: Rows, monotone: str) -> None:
    last = max(rows)
    if len(monotone) != last:
        raise PerturbationRefused(f"{file}: parameter monotone must have one letter for each of rows 1..{last}")
    for count, row in rows.items():
        rising = pairwise(row[j] for j in sorted(row) if j <= count)
        demanded = count in row and count > 0 and monotone[count - 1] == "T"
        if demanded and any(nearer < farther - LEEWAY for farther, nearer in rising):
            raise PerturbationRefused(f"{file} row {count}: is not monotone although it says so")
    if any(p != rows[last].get(2 * last - j) for j, p in rows[last].items()):
        raise PerturbationRefused(f"{file} row {last}: stands for all larger counts and is not symmetric")


def _arrays(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The arrays of `PerturbationTable`. An entry ends before the first key with (key + 1/2) / 2^32 >= its sum."""
    row_of = np.full(max(rows) + 1, -1, dtype=np.int64)
    row_of[sorted(rows)] = np.arange(len(rows))
    ends = [
        place * KEYS - (ONE - 2 * KEYS * cumulated) // (2 * ONE)  # minus the floor of the negative is the ceiling
        for place, count in enumerate(sorted(rows))
        for cumulated in accumulate(p for _, p in sorted(rows[count].items()))
    ]
    noise = [j - count for count in sorted(rows) for j in sorted(rows[count])]
    arrays = row_of, np.array(ends, dtype=np.int64), np.array(noise, dtype=np.int64)
    for array in arrays:
        array.setflags(write=False)
    return arrays
