"""
Linkage: postings are public, with their time and handle. Do the activity tables tell where their author lives?

The attacker picks authors whom she saw in hours of the week in which hardly anybody else wrote, and adds up what the
table says of each prefecture in their hours.
"""

import numpy as np
import polars as pl

from anonymizers.bands import WEEKDAYS
from attacks.choice import advantage
from attacks.history import History
from attacks.world import World
from transforms.prefectures import PREFECTURES

CANDIDATES = [code for code, _ in PREFECTURES]


def attack(world: World, history: History, values: np.ndarray, most: int = 1500) -> float:
    """
    The advantage of guessing an author's prefecture on the last night.

    Args:
        world: For the postings, all of which are public.

        history: Of the table by weekday, hour and prefecture.

        values: What was published of it, shape (nights, cells).

        most: Authors, those with the quietest hours.
    """
    night = world.nights - 1
    authors = world.attributes(night).select("member_id", "prefecture")
    seen = world.posted.filter(pl.col("day") > world.day(night - 28)).join(authors, on="member_id")
    busy = seen.group_by("weekday", "hour").agg(pl.col("member_id").n_unique().alias("authors"))
    slots = (
        seen.select("member_id", "prefecture", "weekday", "hour")
        .unique()
        .join(busy, on=["weekday", "hour"])
        .sort("member_id", "authors", "weekday", "hour")
        .group_by("member_id", "prefecture", maintain_order=True)
        .agg(pl.struct("weekday", "hour").alias("slots"), pl.col("authors").first().alias("quietest"))
        .sort("quietest", "member_id")
        .head(most)
    )
    truth = slots["prefecture"].to_numpy()
    last = values[night]
    table = {
        (day, hour): last[[history.positions[WEEKDAYS[day], f"{hour:02d}", code] for code in CANDIDATES]]
        for day in range(7)
        for hour in range(24)
    }
    overall = np.log(history.true[0][[history.positions["total", "total", code] for code in CANDIDATES]] + 1.0)
    own = [[(slot["weekday"], slot["hour"]) for slot in person] for person in slots["slots"].to_list()]
    others = [own[n] for n in np.random.default_rng(world.seed).permutation(len(own))]
    real, placebo = (np.array([_evidence(table, where, overall) for where in of]) for of in (own, others))
    prior = np.tile(overall, (len(truth), 1))
    return advantage(real, placebo, prior, truth)


def _evidence(table: dict, slots: list[tuple[int, int]], overall: np.ndarray) -> np.ndarray:
    """Per candidate: how much stronger than usual these hours are there, and how often nothing is shown of them."""
    shown = np.array([table[slot] for slot in slots])
    expected = np.exp(overall) / np.exp(overall).sum()
    hidden = np.isnan(shown)
    filled = np.where(hidden, 0.0, shown)
    strength = np.log((filled + 0.5) / (filled.sum(axis=1, keepdims=True) * expected + 0.5))
    # The quietest hour comes first. Among few authors the share itself is the chance that she is one of these.
    share = np.log((filled[0] + 0.01) / (filled[0].sum() + 1))
    absent = (filled == 0).any(axis=0)
    return np.column_stack([strength.sum(axis=0), strength[0], share, hidden.mean(axis=0), hidden[0], absent])
