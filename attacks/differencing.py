"""
Differencing over nights: who joined is known, and all that she is but for one thing. Which of the cells moved?

The attacker sees every table before and after a window of nights, every cell that holds the newcomer for each value
of what she does not know, and how often each cell moves anyway. Refresh timing is the same with nothing seen but
which cells changed, and when.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from anonymizers import bands
from anonymizers.cells import subsets
from attacks.choice import advantage
from attacks.history import History
from attacks.world import World
from transforms.prefectures import PREFECTURES

WINDOWS = (1, 7, 14, None)
"""Nights after which she looks again; None is the last night."""

CANDIDATES = bands.CHILD_BANDS
_MOST_TARGETS = 4000


@dataclass(frozen=True)
class Target:
    """Somebody who joined: the night, what is known of her, and what is not."""

    night: int
    known: dict[str, str]
    truth: int


def targets(world: World, most: int = _MOST_TARGETS) -> list[Target]:
    """Who joined from the second night on; the same number of each night."""
    people = world.people.with_row_index("row").filter(_joined_later())
    taken = people.sample(min(most, len(people)), seed=world.seed).sort("row")
    prefectures = [code for code, _ in PREFECTURES]
    return [
        Target(
            row["joined"],
            {
                "prefecture_code": prefectures[row["prefecture"]],
                "age_band": bands.AGE_BANDS[row["age"]],
                "registered_month": row["registered_month"],
            },
            row["child"],
        )
        for row in taken.iter_rows(named=True)
        if not _moves_at_once(world, row)
    ]


def _joined_later():
    import polars as pl

    return pl.col("joined") >= 1


def _moves_at_once(world: World, row: dict) -> bool:
    """Whether she is another on her first night than when the world made her."""
    return any(row["member_id"] in who for who, _, _ in world.moves[: row["joined"] + 1])


def cells_of(history: History, known: dict[str, str], unknown: str, codes: tuple[str, ...]) -> list[list[int]]:
    """Per candidate, the positions of the cells that would hold her: inner ones and margins, the unknown never summed."""
    names = list(history.codes.columns)
    index = history.index()
    found = []
    for code in codes:
        person = {**known, unknown: code}
        others = [name for name in names if name != unknown]
        wanted = [
            tuple("total" if name in summed else person[name] for name in names) for summed in subsets(others)
        ]
        found.append(list(index.get_indexer(pd.MultiIndex.from_tuples(wanted))) if len(names) > 1 else [])
    return found


def attack(
    world: World,
    histories: dict[str, History],
    values: dict[str, np.ndarray],
    window: int | None,
    timing_only: bool = False,
) -> float:
    """
    The advantage of guessing a newcomer's youngest child's band.

    Args:
        world: For the targets.

        histories: The tables with that dimension.

        values: What was published of each, shape (nights, cells).

        window: Nights until the second look.

        timing_only: Look only at whether a cell changed.
    """
    people = targets(world)
    features = [_features(histories[n], v, people, world, window, timing_only) for n, v in values.items()]
    prior = _prior(histories, people)
    return advantage(np.concatenate(features, axis=2), prior, np.array([p.truth for p in people]))


def _features(history: History, values: np.ndarray, people: list[Target], world: World, window: int | None, timing: bool):
    seen = np.isnan(values)
    # A suppressed number is a number too: that it came or went is a change.
    filled = np.where(seen, 0.0, values)
    moved = np.zeros(values.shape, bool)
    moved[1:] = filled[1:] != filled[:-1]
    often = moved[1:].mean(axis=0).clip(0.005, 0.995)
    positions = np.array([cells_of(history, p.known, "youngest_child_band", CANDIDATES) for p in people])
    first = np.array([p.night for p in people])
    last = np.minimum(first + (world.nights if window is None else window) - 1, world.nights - 1)
    before, after = (first - 1)[:, None, None], last[:, None, None]
    delta = filled[after, positions] - filled[before, positions]
    flipped = seen[before, positions].astype(float) - seen[after, positions]
    cumulative = np.cumsum(moved, axis=0)
    changes = cumulative[after, positions] - cumulative[before, positions]
    rate = often[positions]
    expected = rate * (last - first + 1)[:, None, None]
    surprise = np.where(changes > 0, -np.log(rate), np.log1p(-rate))
    timing_features = [changes > 0, changes - expected, surprise]
    own = [] if timing else [delta.clip(-12, 12), np.sign(delta), delta == 1, flipped, surprise * np.sign(delta)]
    stacked = np.stack([np.asarray(f, float) for f in [*timing_features, *own]], axis=3)
    stacked[positions < 0] = 0
    return stacked.reshape(len(people), len(CANDIDATES), -1)


def _prior(histories: dict[str, History], people: list[Target]) -> np.ndarray:
    """Shares of the candidates among those of her age, from what is published on the first night."""
    history = histories["members_by_prefecture"]
    index = history.index()
    shares = {}
    for band in bands.AGE_BANDS:
        cells = index.get_indexer(pd.MultiIndex.from_tuples([("total", band, code) for code in CANDIDATES]))
        shares[band] = np.log(history.true[0][cells] + 1.0)
    return np.array([shares[p.known["age_band"]] for p in people])
