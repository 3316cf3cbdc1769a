"""
The interval that every suppressed number must lie in, for whoever adds up all that was published.

A margin is the sum of its cells, so numbers with bounded noise around a suppressed cell say something about it. How
much, is a linear programme: the least and the greatest count of the cell that agrees with every published number.
`propagate` finds bounds that are never narrower, in milliseconds, and so the cells that are worth a programme.

Everything used here is public: the method, its bounds, and the published numbers.

Source:
    Fischetti and Salazar-González, Models and algorithms for the cell suppression problem (2000), for the attacker's
    programmes; Davis, Constraint propagation with interval labels (1987), for the propagation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from anonymizers import perturbation
from anonymizers.bands import TOTAL
from anonymizers.controls import PERTURBATION, QUORUM, DisclosureControl

MOST = 1e9
"""Members: stands for no bound, where an infinite one would leave nothing to subtract."""

ROUNDS = 100
"""Of propagation; bounds that still move then are bounds nevertheless."""

_INFEASIBLE = 2
"""The status of `linprog`."""

_LEEWAY = 1e-4
"""Members: what the solver may miss a whole number by. Rounding so is wider, never narrower."""

_SEPARATOR, _IS = "\x1f", "\x1e"

Target = tuple[str, int]
"""A table's name and the row of a cell."""


class Contradiction(ValueError):
    """No counts agree with what was published: the bounds that were assumed are not those of the protection."""


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """
    What the attacker knows of the protection, in members.

    Attributes:
        bound: A published number and the true one differ by no more when the cell is looked at.
        threshold: No published cell has fewer then.
        most_suppressed: No suppressed cell has more then.
        staleness: No more have changed since, among those who count towards a quorum.
        drift: What she takes any cell to move by in a night at most. An assumption, not part of the method.
        relative_drift: The same as a share of the cell; the larger of both holds.
    """

    bound: int = field(default_factory=lambda: perturbation.load(PERTURBATION).bound)
    threshold: int = DisclosureControl().threshold
    most_suppressed: int = DisclosureControl().most_suppressed
    staleness: int = QUORUM[1] - 1
    drift: float = 2.0
    relative_drift: float = 0.002


@dataclass(frozen=True)
class Shown:
    """
    One table as it was published, and what each number says by itself.

    Attributes:
        name: Of the table.
        codes: Shape (cells, dimensions). Every code of a dimension has its row, and so have the margins.
        low, high: What each cell's count lies in, shape (cells,), in members; `bounds` makes them.
        suppressed: Which cells have no number, shape (cells,).
        additive: Whether a margin is the sum of its cells; otherwise one member may be in several of them.
        population: Tables of the same one count the same people, so cells of the same codes are equal.
    """

    name: str
    codes: pd.DataFrame
    low: np.ndarray
    high: np.ndarray
    suppressed: np.ndarray
    additive: bool = True
    population: str | None = None

    def __post_init__(self) -> None:
        if not len(self.codes) == len(self.low) == len(self.high) == len(self.suppressed):
            raise ValueError(f"{self.name}: not one bound for each cell")
        if self.codes.duplicated().any():
            raise ValueError(f"{self.name}: a cell appears twice")


def bounds(
    members: np.ndarray, age: np.ndarray, knowledge: Knowledge, unsettled: np.ndarray | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """
    What each number says by itself.

    Args:
        members: Published numbers of one night or more, the last of them tonight, shape (nights, cells), nan where
            suppressed.

        age: Nights between a night and its number's ``as_of``, same shape.

        knowledge: Of the attacker.

        unsettled: How many a cell may hold, shape (cells,), who do not count towards a quorum yet; they come and go
            unseen.

    Returns:
        The least and the greatest count tonight, shape (cells,) each. An earlier night that contradicts the later
        ones is left out: then it was the drift that she was wrong about.
    """
    low, high = _of_a_night(members[-1], age[-1], knowledge, unsettled)
    for ago in range(1, len(members)):
        before = _of_a_night(members[-1 - ago], age[-1 - ago], knowledge, unsettled)
        drift = ago * np.maximum(knowledge.drift, knowledge.relative_drift * before[1]) + unsettled
        narrower = np.maximum(low, before[0] - drift), np.minimum(high, before[1] + drift)
        agrees = narrower[0] <= narrower[1]
        low, high = np.where(agrees, narrower[0], low), np.where(agrees, narrower[1], high)
    return np.ceil(low), np.floor(high)


def _of_a_night(
    members: np.ndarray, age: np.ndarray, knowledge: Knowledge, unsettled: np.ndarray | int
) -> tuple[np.ndarray, np.ndarray]:
    suppressed = np.isnan(members)
    low = np.where(suppressed, 0, np.maximum(members - knowledge.bound, knowledge.threshold))
    # A cell that never had a number may have been looked at never: those who do not count yet are in it unseen.
    high = np.where(suppressed, knowledge.most_suppressed + unsettled, members + knowledge.bound)
    wider = np.where(age > 0, knowledge.staleness + unsettled, 0)
    return np.maximum(low - wider, 0), np.minimum(high + wider, MOST)


def suppressed(shown: Sequence[Shown]) -> list[Target]:
    """Every suppressed cell, margins among them."""
    return [(table.name, int(row)) for table in shown for row in np.flatnonzero(table.suppressed)]


def weakest(shown: Sequence[Shown], count: int) -> list[Target]:
    """
    The suppressed cells with the narrowest propagated intervals, narrowest first.

    Raises:
        Contradiction: as `propagate`.
    """
    targets = suppressed(shown)
    width = np.diff(propagate(shown, targets), axis=1)[:, 0]
    return [targets[n] for n in np.argsort(width, kind="stable")[:count]]


def propagate(shown: Sequence[Shown], targets: Sequence[Target]) -> np.ndarray:
    """
    Intervals by tightening bounds along one margin at a time; never narrower than `intervals`.

    Args:
        shown: All tables of the night.

        targets: The cells that are asked for.

    Returns:
        Least and greatest count, shape (targets, 2), in members.

    Raises:
        Contradiction: a bound passed another.
    """
    model = _Model.of(shown)
    low, high = model.propagated()
    places = model.places(targets)
    return np.stack([low[places], high[places]], axis=1)


def intervals(shown: Sequence[Shown], targets: Sequence[Target]) -> np.ndarray:
    """
    Intervals by linear programming: two programmes for each target.

    Args:
        shown: All tables of the night.

        targets: The cells that are asked for.

    Returns:
        Least and greatest count, shape (targets, 2), whole members.

    Raises:
        Contradiction: no counts agree with all bounds.
        RuntimeError: the solver gave up, so nothing is known.
    """
    model = _Model.of(shown)
    low, high = model.propagated()
    programme = _Programme(model.rows(), np.column_stack([low, high]))
    places = model.places(targets)
    least, most = programme.least(places, low[places]), -programme.least(places, -high[places], -1)
    # Counts are whole; adding 0 makes a zero of a negative one.
    return np.stack([np.ceil(least - _LEEWAY), np.floor(most + _LEEWAY)], axis=1) + 0.0


@dataclass(frozen=True)
class _Model:
    """
    All tables as variables and margins.

    Attributes:
        names: Table to the variables of its rows; linked cells are one variable.
        low, high: Shape (variables,).
        parent: The variable of each margin's equation, shape (equations,).
        child, equation: The variables that a margin consists of, and which equation that is, shape (entries,).
        additive: Whether the margin is their sum, shape (equations,).
    """

    names: dict[str, np.ndarray]
    low: np.ndarray
    high: np.ndarray
    parent: np.ndarray
    child: np.ndarray
    equation: np.ndarray
    additive: np.ndarray

    @classmethod
    def of(cls, shown: Sequence[Shown]) -> "_Model":
        described = [_described(table) for table in shown]
        every = pd.Index(pd.unique(np.concatenate(described)))
        names = {table.name: every.get_indexer(texts) for table, texts in zip(shown, described, strict=True)}
        low, high = np.zeros(len(every)), np.full(len(every), MOST)
        for table in shown:
            np.maximum.at(low, names[table.name], table.low)
            np.minimum.at(high, names[table.name], table.high)
        margins = [_margins(table, number, names[table.name]) for number, table in enumerate(shown)]
        parents, children, additive = (np.concatenate(parts) for parts in zip(*margins, strict=True))
        # A margin over another dimension, or in another table, is another equation.
        _, first, equation = np.unique(parents, axis=0, return_index=True, return_inverse=True)
        return cls(names, low, high, parents[first, 0], children, equation.ravel(), additive[first])

    def places(self, targets: Sequence[Target]) -> np.ndarray:
        return np.array([self.names[name][row] for name, row in targets], int)

    def propagated(self) -> tuple[np.ndarray, np.ndarray]:
        """The bounds of the variables after propagation."""
        low, high = self.low.copy(), self.high.copy()
        for _ in range(ROUNDS):
            before = low.copy(), high.copy()
            self._tighten(low, high)
            if (low > high).any():
                raise Contradiction(f"{int((low > high).sum())} cells have no count left that agrees with the margins")
            if np.array_equal(low, before[0]) and np.array_equal(high, before[1]):
                break
        return low, high

    def _tighten(self, low: np.ndarray, high: np.ndarray) -> None:
        equations, sums = len(self.parent), self.additive[self.equation]
        least = np.bincount(self.equation, low[self.child], equations)
        most = np.bincount(self.equation, high[self.child], equations)
        np.maximum.at(low, self.parent, np.where(self.additive, least, 0))
        np.maximum.at(low, self.parent[self.equation], low[self.child])
        np.minimum.at(high, self.parent, most)
        above = high[self.parent[self.equation]]
        others_least = np.where(sums, least[self.equation] - low[self.child], 0)
        others_most = most[self.equation] - high[self.child]
        needed = low[self.parent[self.equation]] - others_most
        np.minimum.at(high, self.child, above - others_least)
        np.maximum.at(low, self.child, needed)

    def rows(self) -> tuple[csr_array, csr_array]:
        """Of the programme: what is 0 and what is at most 0, shape (rows, variables) each."""
        size = len(self.parent), len(self.low)
        margins = _ones(np.arange(size[0]), self.parent, size)
        above_sum = (margins - _ones(self.equation, self.child, size)).tocsr()
        shared = np.flatnonzero(~self.additive[self.equation])
        size, row = (len(shared), size[1]), np.arange(len(shared))
        above_margin = _ones(row, self.child[shared], size) - _ones(row, self.parent[self.equation[shared]], size)
        return above_sum[self.additive], vstack([above_sum[~self.additive], above_margin], format="csr")


def _ones(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> csr_array:
    return csr_array((np.ones(len(row)), (row, column)), shape=shape)


def _described(table: Shown) -> np.ndarray:
    """What is said of each cell's members, margins left out; shape (cells,), text."""
    # Without a population a table's cells are its own.
    whose = table.name if table.population is None else f"{_IS}{table.population}"
    described = np.full(len(table.codes), whose, object)
    for name in sorted(table.codes.columns):
        codes = table.codes[name].to_numpy(object)
        described += np.where(codes == TOTAL, "", _SEPARATOR + name + _IS + codes)
    return described


def _margins(table: Shown, number: int, names: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Each cell in the margin one dimension up; larger margins are sums of those.

    Returns:
        Margin, table and dimension, shape (entries, 3); the cell, shape (entries,); whether cells add up, same shape.
    """
    parents, children = [], []
    position = pd.MultiIndex.from_frame(table.codes)
    for dimension, name in enumerate(table.codes.columns):
        inner = np.flatnonzero((table.codes[name] != TOTAL).to_numpy())
        above = position.get_indexer(pd.MultiIndex.from_frame(table.codes.iloc[inner].assign(**{name: TOTAL})))
        # A dimension without a margin, such as the day, has no equation.
        inner, above = inner[above >= 0], above[above >= 0]
        parents.append(np.column_stack([names[above], np.full((len(above), 2), (number, dimension))]))
        children.append(names[inner])
    child = np.concatenate(children)
    return np.concatenate(parents), child, np.full(len(child), table.additive)


@dataclass(frozen=True)
class _Programme:
    """
    The linear programmes of all targets, which differ in the objective only.

    Attributes:
        rows: What is 0 and what is at most 0, shape (rows, variables) each.
        bounds: Shape (variables, 2), propagated: no solution is lost by that.
    """

    rows: tuple[csr_array, csr_array]
    bounds: np.ndarray

    def least(self, places: np.ndarray, ends: np.ndarray, sign: int = 1) -> np.ndarray:
        """
        The least that ``sign`` times a variable can be, for each of ``places``.

        A variable cannot pass the end that propagation found. So any solution that reaches an end proves it, and one
        solution for the sum of many targets proves many; only what is left has a programme of its own.
        """
        found = np.full(len(places), np.nan)
        together = True
        while (left := np.flatnonzero(np.isnan(found))).size:
            tried = left if together else left[:1]
            solution = sign * self._solve(places[tried], sign)[places]
            if not together:
                found[tried] = solution[tried]
            reached = left[solution[left] <= ends[left] + _LEEWAY]
            found[reached] = ends[reached]
            together = together and reached.size > 0
        return found

    def _solve(self, places: np.ndarray, sign: int) -> np.ndarray:
        cost = np.zeros(len(self.bounds))
        cost[places] = sign
        equal, below = self.rows
        # Interior points: there is nothing to start the simplex from, and it takes five times longer.
        solved = linprog(
            cost, below, np.zeros(below.shape[0]), equal, np.zeros(equal.shape[0]), self.bounds, method="highs-ipm"
        )
        if solved.status == _INFEASIBLE:
            raise Contradiction("no counts agree with all that was published and assumed")
        if solved.status:
            raise RuntimeError(f"the solver gave up: {solved.message}")
        return solved.x
