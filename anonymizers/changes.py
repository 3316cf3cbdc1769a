"""
How many distinct members joined, left or moved between two states of a cell, without keeping who was in it.

Of a set of members the power sums of their secret points are kept, in the field of 2³¹-1 elements:

    S_k = Σ point^k,   k = 1 … 29

They add up over shards, and the difference of two states holds just the members that are in one of the two: +1
for each who joined, -1 for each who left; whoever went and came back is not in it. The rank of the Hankel matrix
(S_{i+j+1}), 15 × 15, is then the number of those members, exactly up to 15: the matrix is V·diag(±point)·Vᵀ, with
V the Vandermonde matrix of their points. Should points coincide (odds of 2⁻³¹ for two members) it is lower: a
change is then held back a little longer, and never told too early.

Source:
    Prony's method; sets told apart by power sums: Minsky, Trachtenberg, Zippel, Set reconciliation with nearly
    optimal communication complexity (IEEE Trans. Inf. Theory 49, 2003), and PinSketch of Dodis et al. (2008).
"""

import numpy as np

from anonymizers.record_keys import FIELD

MOST_COUNTED = 15
"""Distinct members that can be told apart; more count as this many."""

POWER_SUMS = 2 * MOST_COUNTED - 1
"""Numbers that stand for a set of members."""

KEPT_SUMS = 2 * POWER_SUMS
"""Numbers kept of a cell: of its settled members, then of all of them."""

_CELLS_AT_ONCE = 1 << 13
"""As many as stay in a core's cache: five times as fast as all at once."""

_ROWS_AT_ONCE = 1 << 12
"""The same, with the arrays of a sum."""

_PRIME, _BITS = np.uint64(FIELD), np.uint64(31)


def power_sums(points: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """
    The power sums of the members of each group.

    Args:
        points: Shape (rows,), whole numbers in 1 … 2³¹-2; every member once per group.

        groups: Shape (rows,), the group of each row in 0 … ``count``-1.

        count: How many groups.

    Returns:
        Shape (count, 29), int64 in 0 … 2³¹-2. Who the members are is not in it for whoever lacks the key.
    """
    sums = np.zeros((count, POWER_SUMS), np.uint64)
    order = np.argsort(groups)
    point, group = points[order].astype(np.uint64), groups[order]
    for start in range(0, len(group), _ROWS_AT_ONCE):
        chunk = slice(start, start + _ROWS_AT_ONCE)
        _add_powers(sums, point[chunk], group[chunk])
    return (sums % _PRIME).astype(np.int64)


def _add_powers(sums: np.ndarray, point: np.ndarray, group: np.ndarray) -> None:
    """Add the powers of these rows, in the order of their groups, to the sums; in place, and in a core's cache."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    power, upper, added = point.copy(), np.empty_like(point), np.empty((POWER_SUMS, len(starts)), np.uint64)
    for k in range(POWER_SUMS):
        np.add.reduceat(power, starts, out=added[k])
        np.multiply(power, point, out=power)
        # One fold in two is enough for the next product to fit into 64 bits.
        for _ in range(1 + k % 2):
            np.right_shift(power, _BITS, out=upper)
            np.bitwise_and(power, _PRIME, out=power)
            np.add(power, upper, out=power)
    # A group that began in an earlier chunk goes on here; within one it comes once.
    sums[group[starts]] += (added % _PRIME).T


def distinct_changes(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """
    How many distinct members are in one of two states of a cell and not in the other.

    Args:
        before, now: Power sums, shape (cells, 29).

    Returns:
        Shape (cells,), int64, exact up to 14; 15 stands for 15 and more.
    """
    counted = np.zeros(len(now), np.int64)
    changed = np.flatnonzero((now != before).any(axis=1))
    for start in range(0, len(changed), _CELLS_AT_ONCE):
        chunk = changed[start : start + _CELLS_AT_ONCE]
        difference = (now[chunk] - before[chunk]) % FIELD
        counted[chunk] = _rank(np.ascontiguousarray(difference.astype(np.uint64).T))
    return counted


def distinct_changes_of_cells(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """
    How many distinct members of cells have changed, whichever is less: of the settled ones, and of all.

    Whoever settles has been in the number before, and is no change of it; whoever is new does not count yet.

    Args:
        before, now: Power sums of cells, shape (cells, 58).

    Returns:
        Shape (cells,), as `distinct_changes`.
    """
    settled, everybody = (
        distinct_changes(before[:, part], now[:, part]) for part in (slice(0, POWER_SUMS), slice(POWER_SUMS, None))
    )
    return np.minimum(settled, everybody)


def _rank(moments: np.ndarray) -> np.ndarray:
    """
    The rank of each Hankel matrix of moments, shape (29, cells).

    By the recurrence of the polynomials that are orthogonal under these moments (Chebyshev's algorithm), scaled so
    that nothing is divided. For secret random points the leading minors vanish exactly from the rank on.
    """
    rank = np.zeros(moments.shape[1], np.int64)
    earlier = np.zeros_like(moments)
    lead, current = np.ones_like(moments[0]), moments
    for step in range(MOST_COUNTED):
        pivot = current[0]
        alive = pivot != 0
        rank += alive & (rank == step)
        if step == MOST_COUNTED - 1 or not alive.any():
            break
        # current[l] = L(q·x^(step+l)) of this polynomial, earlier[l] that of the one before at the same power.
        square, product = _times(pivot, pivot), _times(lead, pivot)
        middle = _minus(_times(pivot, earlier[0]), _times(lead, current[1]))
        following = _fold(product * current[2:] + middle * current[1:-1] + _minus(0, square) * earlier[1:-1])
        earlier, lead, current = current[1:-1], pivot, _reduce(following)
    return rank


def _fold(product: np.ndarray) -> np.ndarray:
    """Congruent numbers just above 31 bits: 2³¹ is 1 in the field, so the upper bits are added to the lower."""
    once = (product & _PRIME) + (product >> _BITS)
    return (once & _PRIME) + (once >> _BITS)


def _reduce(folded: np.ndarray) -> np.ndarray:
    return np.where(folded >= _PRIME, folded - _PRIME, folded)


def _times(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return _reduce(_fold(one * other))


def _minus(one: np.ndarray | int, other: np.ndarray) -> np.ndarray:
    return _reduce(one + (_PRIME - other))
