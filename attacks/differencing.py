"""
Differencing over nights: who joined is known, and all that she is but for one thing. Which of the cells moved?

The attacker sees every table before and after a window of nights, every cell that holds the newcomer for each value
of what she does not know, and how often each cell moves anyway. Refresh timing is the same with nothing seen but
which cells changed, and when.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from anonymizers.cells import subsets
from attacks.choice import advantage
from attacks.history import History
from attacks.world import World, codes_of

WINDOWS = (1, 7, 14, None)
"""Nights after which she looks again; None is the last night. New accounts settle within 14."""

UNKNOWN = ("youngest_child_band", "consent_status", "prefecture_code")
"""What is not known of the newcomer, one at a time."""

_MOST_TARGETS = 4000


@dataclass(frozen=True)
class Target:
    """Somebody who joined: the night, and all that she is."""

    night: int
    codes: dict[str, str]


def targets(world: World, most: int = _MOST_TARGETS) -> list[Target]:
    """Who joined from the second night on."""
    people = world.people.with_row_index("row").filter(pl.col("joined") >= 1)
    taken = people.sample(min(most, len(people)), seed=world.seed).sort("row")
    return [
        Target(row["joined"], codes_of(row)) for row in taken.iter_rows(named=True) if not _moves_at_once(world, row)
    ]


def _moves_at_once(world: World, row: dict) -> bool:
    """Whether she is another on her first night than when the world made her."""
    return any(row["member_id"] in who for who, _, _ in world.moves[: row["joined"] + 1])


def fitting(histories: dict[str, History], unknown: str) -> list[str]:
    """The tables over members that hold what is unknown, and beside it only what is known."""
    known = {"prefecture_code", "age_band", "youngest_child_band", "registered_month", "consent_status"}
    dimensions = {name: set(h.codes.columns) for name, h in histories.items()}
    return [
        name
        for name, h in histories.items()
        if h.table.over == "members" and unknown in dimensions[name] and dimensions[name] <= known
    ]


def attack(
    world: World,
    histories: dict[str, History],
    values: dict[str, np.ndarray],
    unknown: str,
    window: int | None,
    timing_only: bool = False,
) -> float:
    """
    The advantage of guessing what is not known of a newcomer.

    Args:
        world: For the targets.

        histories: Of the tables.

        values: What was published of the tables that are looked at, shape (nights, cells).

        unknown: The dimension to guess.

        window: Nights until the second look.

        timing_only: Look only at whether a cell changed, as at ``as_of``.
    """
    people = targets(world)
    nights = np.array([p.night for p in people])
    others = np.random.default_rng(world.seed).permutation(nights)
    candidates = next(d.codes for d in histories[next(iter(values))].table.dimensions if d.name == unknown)
    where = {n: _positions(histories[n], people, unknown, candidates) for n in values}
    real, placebo = (
        np.concatenate([_features(v, where[n], first, window, timing_only) for n, v in values.items()], axis=2)
        for first in (nights, others)
    )
    truth = np.array([candidates.index(p.codes[unknown]) for p in people])
    return advantage(real, placebo, _prior(histories, people, unknown, candidates), truth)


def _positions(history: History, people: list[Target], unknown: str, candidates: tuple[str, ...]) -> np.ndarray:
    """The cells that would hold each target for each candidate, and margins: shape (targets, candidates, cells)."""
    names = list(history.codes.columns)
    summed = subsets([name for name in names if name != unknown])

    def of(person: dict[str, str]) -> list[int]:
        return [history.positions.get(tuple("total" if n in over else person[n] for n in names), -1) for over in summed]

    return np.array([[of({**p.codes, unknown: code}) for code in candidates] for p in people])


def _features(
    values: np.ndarray, positions: np.ndarray, first: np.ndarray, window: int | None, timing: bool
) -> np.ndarray:
    """What is seen of each target's cells from the night before ``first`` on: shape (targets, candidates, features)."""
    hidden = np.isnan(values)
    # A suppressed number is a number too: that it came or went is a change.
    filled = np.where(hidden, 0.0, values)
    moved = np.zeros(values.shape, bool)
    moved[1:] = filled[1:] != filled[:-1]
    rate = moved[1:].mean(axis=0).clip(0.005, 0.995)[positions]
    last = np.minimum(first + (len(values) if window is None else window) - 1, len(values) - 1)
    before, after = (first - 1)[:, None, None], last[:, None, None]
    cumulative = np.cumsum(moved, axis=0)
    changes = cumulative[after, positions] - cumulative[before, positions]
    surprise = np.where(changes > 0, -np.log(rate), np.log1p(-rate))
    seen = [changes > 0, changes - rate * (last - first + 1)[:, None, None], surprise]
    if not timing:
        delta = filled[after, positions] - filled[before, positions]
        flipped = hidden[before, positions].astype(float) - hidden[after, positions]
        seen += [delta.clip(-12, 12), np.sign(delta), delta == 1, flipped, surprise * np.sign(delta)]
    stacked = np.stack([np.asarray(feature, float) for feature in seen], axis=3)
    stacked[positions < 0] = 0
    return stacked.reshape(*positions.shape[:2], -1)


def _prior(
    histories: dict[str, History], people: list[Target], unknown: str, candidates: tuple[str, ...]
) -> np.ndarray:
    """Shares of the candidates on the first night, among those of her age where a table says so."""
    history = histories[fitting(histories, unknown)[0]]
    names = list(history.codes.columns)

    def share(codes: dict[str, str]) -> float:
        cell = tuple(codes.get(n, "total") for n in names)
        return float(np.log(history.true[0][history.positions[cell]] + 1.0))

    by_age = "age_band" in names
    return np.array(
        [
            [share({unknown: c} | ({"age_band": p.codes["age_band"]} if by_age else {})) for c in candidates]
            for p in people
        ]
    )
