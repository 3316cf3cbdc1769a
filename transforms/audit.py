"""
What an attacker could work out from tonight's tables: linear programming against them before they are published.

The report of the attacks says that the method holds; this looks at the very numbers that would be out.
"""

import datetime

import numpy as np
import pandas as pd

from anonymizers.bands import TOTAL
from anonymizers.controls import SETTLING_DAYS, SETTLING_SPREAD_DAYS
from expectations.checks import Outcome
from expectations.intervals import MOST, Contradiction, Knowledge, Shown, bounds, intervals, suppressed, weakest
from transforms.spec import AS_OF, MeasureKind, Table

WEAKEST = 20
"""Suppressed cells that are attacked: those about which the margins say most."""

NARROWEST = 10
"""Members between the least and the greatest count that a suppressed cell may have, for all that is published."""

UNSEEN = (0, 10, 100, 1000)
"""Newcomers who do not count yet that the attacker allows a cell, one after the other, until her assumptions agree."""


def audit(
    tables: dict[str, Table], frames: dict[str, pd.DataFrame], day: datetime.date, threshold: int
) -> list[Outcome]:
    """
    Attack the suppressed cells of tonight's tables over members.

    Args:
        tables, frames: What would be published.

        day: The night's.

        threshold: In distinct members.

    Returns:
        Two outcomes: no suppressed cell is pinned, and no interval is narrower than `NARROWEST`. None where nothing
        is suppressed.
    """
    counting = {n: t for n, t in tables.items() if t.over == "members" and _counted(t)}
    for unseen in UNSEEN:
        shown = [_shown(t, frames[n], day, threshold, unseen) for n, t in counting.items()]
        if not suppressed(shown):
            return []
        try:
            found = intervals(shown, weakest(shown, WEAKEST))
        except Contradiction:
            continue
        width = found[:, 1] - found[:, 0]
        return [_outcome("pinned", width < 1), _outcome("narrow", width < NARROWEST)]
    # No assumption of hers agrees with the numbers, so she cannot conclude anything from them; nor can we.
    return [_outcome("contradicted", np.ones(1, bool))]


def _outcome(what: str, failed: np.ndarray) -> Outcome:
    name = f"ExpectNoSuppressedIntervalToBe{what.capitalize()}"
    return Outcome("all tables", name, None, not failed.any(), len(failed), int(failed.sum()))


def _counted(table: Table) -> str:
    """The column of distinct members, if the table has one."""
    return next((m.name for m in table.measures if m.kind is MeasureKind.MEMBERS), "")


def _shown(table: Table, frame: pd.DataFrame, day: datetime.date, threshold: int, unseen: int) -> Shown:
    control = table.control.at_least(threshold)
    knowledge = Knowledge(threshold=control.threshold, most_suppressed=control.most_suppressed)
    members = frame[_counted(table)].astype("Float64").to_numpy(float, na_value=np.nan)
    age = (pd.Timestamp(day) - pd.to_datetime(frame[AS_OF])).dt.days.to_numpy()
    codes = frame[[d.name for d in table.dimensions]].astype(object)
    allowed = np.where(_may_be_new(codes, day), MOST, unseen)
    low, high = bounds(members[None], age[None], knowledge, allowed)
    return Shown(table.name, codes, low, high, np.isnan(members), additive=True, population="members")


def _may_be_new(codes: pd.DataFrame, day: datetime.date) -> np.ndarray:
    """Cells of months in which members registered who do not count towards a quorum yet: any number may be there."""
    if "registered_month" not in codes:
        return np.zeros(len(codes), bool)
    first = day - datetime.timedelta(days=SETTLING_DAYS + SETTLING_SPREAD_DAYS)
    month = codes["registered_month"]
    return ((month >= f"{first:%Y-%m}") & (month != TOTAL) & month.str.fullmatch("[0-9-]+")).to_numpy()
