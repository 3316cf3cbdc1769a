"""
Linear programming: whoever adds up all tables of a night asks how small, and how large, a suppressed cell can be.

The attacker knows the method and its bounds, and looks at the cells about which the margins say most. The referee
counts how narrow her intervals are, and whether she was right: an attack whose intervals miss the truth proves
nothing about a protection.
"""

import datetime
from dataclasses import dataclass

import numpy as np

from anonymizers.bands import TOTAL
from anonymizers.controls import DEFAULT_THRESHOLD, SETTLING_DAYS, SETTLING_SPREAD_DAYS
from attacks.history import History
from attacks.world import World
from expectations.intervals import (
    MOST,
    Contradiction,
    Knowledge,
    Shown,
    Target,
    bounds,
    intervals,
    propagate,
    suppressed,
    weakest,
)

TABLES = ("consents_by_age_band", "members_by_prefecture", "registrations_by_month", "retention_by_cohort")
"""Every table of the same members that publishes their number."""

REMEMBERED = 30
"""Nights before tonight that she looks at."""

NARROW = 10
"""Members: an interval narrower than the threshold says more than that the cell is small."""

_SETTLING = SETTLING_DAYS + SETTLING_SPREAD_DAYS - 1
"""Nights: the longest that a newcomer does not count."""

_EXACT = Knowledge(bound=0, most_suppressed=DEFAULT_THRESHOLD - 1, staleness=0)
_NOISE = Knowledge(most_suppressed=DEFAULT_THRESHOLD - 1, staleness=0)

KNOWN_BAD: dict[str, Knowledge] = {
    "raw": Knowledge(bound=0, threshold=0, staleness=0),
    "threshold": _EXACT,
    "margins of suppressed cells": Knowledge(bound=0, threshold=0, most_suppressed=DEFAULT_THRESHOLD - 1, staleness=0),
    "fresh noise": _NOISE,
    "static cell key": _NOISE,
}
"""What is known of each of `attacks.protections.KNOWN_BAD`."""


@dataclass(frozen=True)
class Score:
    """
    What the referee says.

    Attributes:
        targets: How many cells were attacked, the weakest ones.
        pinned: Share of the intervals that hold one whole number only.
        narrow: Share narrower than `NARROW`.
        smallest: The narrowest interval, in members; a width is the greatest count minus the least.
        sound: Share that contain the truth.
        infeasible: Targets without an interval, because no counts agree with what she assumed. Never protection.
        suppressed: All suppressed cells.
        narrow_of_all: Share of those that are narrow by propagation alone.
    """

    targets: int
    pinned: float
    narrow: float
    smallest: float
    sound: float
    infeasible: int
    suppressed: int
    narrow_of_all: float


def attack(
    world: World,
    histories: dict[str, History],
    night: int,
    values: dict[str, np.ndarray] | None = None,
    knowledge: Knowledge | None = None,
    count: int = 60,
) -> Score:
    """
    Attack one night with all that was published until then, at most `REMEMBERED` nights back.

    Args:
        world: For what everybody knows of the site: the day, and how many join.

        histories: The tables.

        night: Which; the first is the strictest, since every number is of that night.

        values: What a known-bad protection published every night anew, shape (nights, cells); ours by default.

        knowledge: Of the protection; ours by default.

        count: Of targets.

    Returns:
        The score; nothing but ``infeasible`` is a number where her assumptions contradict what was published.
    """
    knowledge = knowledge or Knowledge()
    shown = [
        _shown(world, history, night, None if values is None else values[name], knowledge)
        for name, history in histories.items()
        if name in TABLES
    ]
    every = suppressed(shown)
    if not every:
        raise ValueError("nothing is suppressed, so there is nothing to attack")
    try:
        targets = weakest(shown, count)
        found = intervals(shown, targets)
        everywhere = np.diff(propagate(shown, every), axis=1)
    except Contradiction:
        failed = min(count, len(every))
        return Score(failed, np.nan, np.nan, np.nan, np.nan, failed, len(every), np.nan)
    truth = _truth(histories, targets, night)
    width = found[:, 1] - found[:, 0]
    return Score(
        targets=len(targets),
        pinned=float((width < 1).mean()),
        narrow=float((width < NARROW).mean()),
        smallest=float(width.min()),
        sound=float(((found[:, 0] <= truth) & (truth <= found[:, 1])).mean()),
        infeasible=0,
        suppressed=len(every),
        narrow_of_all=float((everywhere < NARROW).mean()),
    )


def _shown(world: World, history: History, night: int, values: np.ndarray | None, knowledge: Knowledge) -> Shown:
    nights = np.arange(max(night - REMEMBERED, 0), night + 1)
    members = (history.members if values is None else values)[nights]
    age = np.zeros(members.shape) if values is not None else nights[:, None] - history.as_of[nights]
    # A protection that looks anew at every cell every night sees newcomers at once.
    newcomers = world.joins * min(night + 1, _SETTLING) if values is None else 0
    unsettled = _unsettled(history, members[-1], newcomers, knowledge)
    unsettled[_young(history, world.day(night))] = MOST
    low, high = bounds(members, age, knowledge, unsettled)
    hidden = np.isnan(members[-1])
    # Without a control the small numbers are what should have been suppressed.
    targets = hidden if knowledge.threshold else hidden | (members[-1] < DEFAULT_THRESHOLD)
    return Shown(history.table.name, history.codes, low, high, targets, additive=True, population="members")


def _unsettled(history: History, members: np.ndarray, newcomers: int, knowledge: Knowledge) -> np.ndarray:
    """How many newcomers she allows a cell, shape (cells,): five standard deviations above its share of them."""
    everybody = members[(history.codes == TOTAL).all(axis=1).to_numpy()].item()
    mean = newcomers * np.where(np.isnan(members), knowledge.most_suppressed, members) / everybody
    return np.ceil(mean + 5 * np.sqrt(mean))


def _young(history: History, day: datetime.date) -> np.ndarray:
    """The cells of months in which newcomers registered: any number of them may not count yet. Shape (cells,)."""
    if "registered_month" not in history.codes:
        return np.zeros(len(history.codes), bool)
    months = {f"{day - datetime.timedelta(days=ago):%Y-%m}" for ago in range(_SETTLING + REMEMBERED + 1)}
    return history.codes["registered_month"].isin(months).to_numpy()


def _truth(histories: dict[str, History], targets: list[Target], night: int) -> np.ndarray:
    return np.array([histories[name].true[night, row] for name, row in targets])
