"""
Attacks on means: one newcomer between two nights, and one contributor who makes most of a sum.
"""

import numpy as np

from anonymizers.cells import Cells
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import Measure, Published, Statistic, disclose
from anonymizers.keys import Key
from attacks.planting import TRIALS, publish_twice, trial_cells

CAP = 28
"""Of one member's amount, as in the engagement table."""

WITHIN = 0.1
"""A guess hits if it is this near, relative to the amount."""


def night_difference(protected: bool, key: Key, others: float, seed: int = 8) -> tuple[float, float]:
    """
    How often the amount of somebody who joined is told by two nights' means and counts of her cell.

    Args:
        protected: By the project's own, or true means and counts.

        others: How many others join in the same night, on average.

    Returns:
        Share of hits, and by chance: the same guesses for other targets' amounts.
    """
    draw = np.random.default_rng(seed)
    trials = np.arange(TRIALS)
    old = np.repeat(trials, draw.integers(20, 120, TRIALS))
    new = np.repeat(trials, draw.poisson(others, TRIALS))
    groups = np.concatenate([old, new, trials])
    amounts = np.minimum(draw.geometric(0.25, len(groups)), CAP)
    amounts[-TRIALS:] = draw.integers(3, CAP + 1, TRIALS)
    people, settled = np.arange(len(groups)), np.ones(len(groups), bool)
    before = slice(0, len(old))
    nights = [
        trial_cells(groups[part], people[part], settled[part], key, amounts[part]) for part in (before, slice(0, None))
    ]
    sums = two_nights(nights, key) if protected else [cells.contributions for cells in nights]
    return _hits(sums[1] - sums[0], amounts[-TRIALS:])


def two_nights(nights: list[Cells], key: Key) -> list[np.ndarray]:
    """Per night what means and counts give as sums."""
    measures = [Measure("mean", Statistic.MEAN), Measure("members", Statistic.MEMBERS)]
    released = publish_twice(nights, measures, key)
    return [
        np.prod([night[m.name].astype("Float64").to_numpy(float, na_value=0) for m in measures], axis=0)
        for night in released
    ]


def _hits(guesses: np.ndarray, amounts: np.ndarray) -> tuple[float, float]:
    def share(against: np.ndarray) -> float:
        return float((np.abs(guesses - against) <= WITHIN * against).mean())

    shifts = range(1, min(len(amounts), 40))
    return share(amounts), float(np.mean([share(np.roll(amounts, k)) for k in shifts]))


def dominance(protected: bool, key: Key, seed: int = 9) -> tuple[float, float]:
    """
    How often the second contributor of a dominated cell tells the first one's amount.

    Cells of 12 to 40 members in which one has most of everything and the others next to nothing. The attacker is one of
    them, and knows how many there are.

    Returns:
        Share of hits, and by chance.
    """
    draw = np.random.default_rng(seed)
    sizes = draw.integers(12, 41, TRIALS)
    groups = np.repeat(np.arange(TRIALS), sizes)
    amounts = draw.integers(0, 2, len(groups))
    first = np.cumsum(sizes) - sizes
    top = draw.integers(60, 400, TRIALS)
    amounts[first] = top
    cells = trial_cells(groups, np.arange(len(groups)), np.ones(len(groups), bool), key, amounts)
    means = cells.contributions / cells.members
    if protected:
        measures = [Measure("mean", Statistic.MEAN)]
        told = disclose("trials", cells, Published.nothing(["mean"]), measures, DisclosureControl(), key, "2026-10-01")
        means = told.release.frame["mean"].astype("Float64").to_numpy(float, na_value=np.nan)
    rest = 0.5 * (sizes - 1)
    return _hits(means * sizes - rest, top)
