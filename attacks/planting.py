"""
Planted accounts, known members, dominating contributors: attacks on single cells, each cell of a table a trial.
"""

import numpy as np
import pandas as pd
import polars as pl

from anonymizers.cells import Cells, count
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import Measure, Published, Statistic, disclose
from anonymizers.keys import Key
from anonymizers.record_keys import record_keys
from attacks.history import carried_on
from attacks.protections import perturbed

TRIALS = 6000
SYBILS = 9
NIGHTS = ("2026-10-01", "2026-10-20")
_MEASURES = [Measure("members", Statistic.MEMBERS)]


def trial_cells(
    groups: np.ndarray, people: np.ndarray, settled: np.ndarray, key: Key, amounts: np.ndarray | None = None
) -> Cells:
    """One cell per trial, also those of nobody."""
    names = np.array([f"{n:05d}" for n in range(TRIALS)], dtype=object)
    rows = pl.DataFrame(
        {
            "trial": pl.Series(names, dtype=pl.String).gather(groups),
            "member": people,
            "settled": settled,
            "contribution": np.zeros(len(groups), np.int64) if amounts is None else amounts,
        }
    ).with_columns(*record_keys("member", key))
    found = count(rows, ["trial"])
    taken = found.take(pd.Index(found.codes["trial"]).get_indexer(names))
    parts = (getattr(taken, name) for name in Cells.__dataclass_fields__ if name != "codes")
    return Cells(pd.DataFrame({"trial": names}), *parts)


def _decision(seen: np.ndarray, truth: np.ndarray) -> float:
    """
    The advantage of the best decision by what was seen, learnt on every other trial.

    Returns:
        True positive rate minus false positive rate on the trials she did not learn from.
    """
    train = np.arange(len(truth)) % 2 == 0
    names, inverse = np.unique(seen, return_inverse=True)
    evidence = np.zeros(len(names))
    np.add.at(evidence, inverse[train], np.where(truth[train], 1.0, -1.0))
    says = evidence[inverse[~train]] > 0
    return float(says[truth[~train]].mean() - says[~truth[~train]].mean())


def sybils(protection: str, base: tuple[int, int], key: Key, aged: bool = True, seed: int = 3) -> float:
    """
    Nine accounts are planted in a cell on the night the target may join it. Did she?

    Args:
        protection: ``ours`` for the project's own, or the name of a known-bad one.

        base: Least and most members in the cell before; where they are two numbers she does not know how many.

        aged: The accounts, and the target's, are old enough to count: they were made long before and moved.

        seed: Of the trials.
    """
    draw = np.random.default_rng(seed)
    joins = draw.integers(0, 2, TRIALS).astype(bool)
    trials = np.arange(TRIALS)
    old = np.repeat(trials, draw.integers(base[0], base[1] + 1, TRIALS))
    new = np.concatenate([np.repeat(trials, SYBILS), trials[joins]])
    people = np.arange(len(old) + len(new))
    before = trial_cells(old, people[: len(old)], np.ones(len(old), bool), key)
    settled = np.concatenate([np.ones(len(old), bool), np.full(len(new), aged)])
    after = trial_cells(np.concatenate([old, new]), people, settled, key)
    if protection == "ours":
        seen = _seen_of_two_nights(before, after, key)
    else:
        one, other = (_known_bad(protection, cells, draw) for cells in (before, after))
        seen = _together(one, other)
    return _decision(seen, joins)


def publish_twice(nights: list[Cells], measures: list[Measure], key: Key) -> list[pd.DataFrame]:
    """What two nights, weeks apart, publish of these cells, the second on the first."""
    published, released = Published.nothing([m.name for m in measures]), []
    for day, cells in zip(NIGHTS, nights, strict=True):
        told = disclose("trials", cells, published, measures, DisclosureControl(), key, day)
        released.append(told.release.frame)
        published = carried_on(published, told, told.release.frame["trial"])
    return released


def _seen_of_two_nights(before: Cells, after: Cells, key: Key) -> np.ndarray:
    nights = publish_twice([before, after], _MEASURES, key)
    moved = (nights[1]["as_of"] == NIGHTS[1]).to_numpy()
    one, other = (n["members"].astype("Float64").to_numpy(float, na_value=-1) for n in nights)
    return np.char.add(_together(one, other), moved.astype(str))


def _together(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """What moved: the status of both nights and the difference."""
    status = np.char.add((one < 0).astype(str), (other < 0).astype(str))
    # Where the first night shows nothing, the second number itself is what there is to see.
    difference = np.where(one < 0, other, other - one).astype(int)
    return np.char.add(status, difference.astype(str))


def _known_bad(protection: str, cells: Cells, draw: np.random.Generator) -> np.ndarray:
    members = cells.members
    large = members >= 10
    if protection == "raw":
        return members.astype(float)
    if protection == "threshold":
        return np.where(large, members, -1.0)
    keys = draw.integers(0, 2**32, len(members)) if protection == "fresh noise" else cells.cell_key
    return np.nan_to_num(perturbed(members, keys), nan=-1.0)


def known_members(public_seed: bool, base: int, key: Key, seed: int = 5) -> float:
    """
    Every member of a cell is known but for one. Is she in it?

    Args:
        public_seed: Record keys can be computed by anybody, as where they come from a fixed seed: the attacker
            computes the number with her and without her.

        base: Members that are known.
    """
    draw = np.random.default_rng(seed)
    inside = draw.integers(0, 2, TRIALS).astype(bool)
    trials = np.arange(TRIALS)
    known = np.repeat(trials, base)
    people = np.arange(len(known) + TRIALS)
    targets = people[len(known) :]
    without = trial_cells(known, people[: len(known)], np.ones(len(known), bool), key)
    groups = np.concatenate([known, trials])
    with_her = trial_cells(groups, np.concatenate([people[: len(known)], targets]), np.ones(len(groups), bool), key)
    published = np.where(inside, _number(with_her, key), _number(without, key))
    if not public_seed:
        return _decision(published.astype(int).astype(str), inside)
    one, other = (_number(cells, key) for cells in (without, with_her))
    evidence = np.char.add((published == one).astype(str), (published == other).astype(str))
    return _decision(evidence, inside)


def _number(cells: Cells, key: Key) -> np.ndarray:
    told = disclose("trials", cells, Published.nothing(["members"]), _MEASURES, DisclosureControl(), key, "2026-10-01")
    return told.release.frame["members"].astype("Float64").to_numpy(float, na_value=-1)
