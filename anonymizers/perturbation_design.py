"""
How the kept perturbation tables are made. Needs SciPy; no night runs it.

``python -m anonymizers.perturbation_design`` writes every table of `KEPT` anew beside
this module. The same SciPy gives the same bytes; another may differ in the last of the
twelve decimals, and then the digest in `perturbation.KNOWN` has to be recorded anew, on
purpose. A test holds that the kept files are what `design` gives to within 1e-6.

A row is the distribution of greatest entropy that promises what a table has to promise:
no bias, a bounded distance, a bounded variance, no blocked value. Greatest entropy is
least said about the true count beyond that.

Source:
    Giessing, Computational Issues in the Design of Transition Probabilities and Disclosure
    Risk Estimation for Additive Noise (PSD 2016); as in the R package ptable 1.0.0 of Destatis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from anonymizers.errors import PerturbationRefused
from anonymizers.perturbation import DECIMALS, FOLDER, ONE, last_row, possible, targets

KEPT: Mapping[str, Mapping[str, Any]] = {"d10_v6": {"bound": 10, "variance": 6}}
"""Name to the arguments of `design`. None blocks a value: noise is added to what a count is above the threshold."""

DATE = "2026-11-24"
SOURCE = "greatest entropy, as in the R package ptable (Destatis); python -m anonymizers.perturbation_design"

STAY_STEP, STAY_TRIES = 0.05, 20
"""A demanded probability of no change is lowered by this much, and tried this often, until the variance is met."""

MET_DECIMALS = 3
"""To how many decimals a variance counts as met; ptable's."""

TOLERANCE = 1e-9
"""By how much the optimiser may miss a constraint, in probability, members or members squared."""

LEAST = 1 / ONE
"""Stands for all smaller probabilities in a logarithm: none of them can be written."""


@dataclass(frozen=True)
class Row:
    """
    What a true count becomes.

    Attributes:
        count: The true count, in members.
        targets: Shape (entries,), ascending, in members.
        probabilities: Shape (entries,).
    """

    count: int
    targets: tuple[int, ...]
    probabilities: tuple[float, ...]

    @property
    def noise(self) -> np.ndarray:
        """Shape (entries,), in members."""
        return np.array(self.targets) - self.count

    @property
    def variance(self) -> float:
        """In members squared; the noise has no bias."""
        return float(np.square(self.noise) @ np.array(self.probabilities))


def design(
    bound: int,
    variance: float,
    blocked: int = 0,
    stay: float | None = None,
    monotone: Sequence[bool] | bool = True,
) -> list[Row]:
    """
    Rows of greatest entropy, from 0 to the first count whose noise is not cut off from below.

    Args:
        bound: Largest distance, in members, at least 1.
        variance: Largest variance, in members squared. Where the distribution of greatest entropy
            has less by itself, as in rows near 0, it is missed from below and nothing is forced.

        blocked: No target is in 1..``blocked``.
        stay: Least probability of no change; lowered by .05 where the variance is not met with it.
        monotone: For rows 1.. each, or for all: below the true count, nearer targets are at least as
            probable. Says nothing in a row whose own count is blocked.

    Returns:
        Rows in ascending order. A row for which no unbiased noise within bound and variance exists
        (`perturbation.possible`) is left out. Where only no change is unbiased, the row is exactly that.

    Raises:
        PerturbationRefused: arguments out of range, or the optimiser found no distribution.
    """
    last = last_row(bound, blocked)
    switches = [monotone] * last if isinstance(monotone, bool) else list(monotone)
    if bound < 1 or variance < 0 or blocked < 0 or not 0 <= (stay or 0) < 1 or len(switches) != last:
        raise PerturbationRefused(
            f"no table with bound={bound} variance={variance} blocked={blocked} and such switches"
        )
    rows = [Row(0, (0,), (1.0,))]
    for count, switch in enumerate(switches, start=1):
        if possible(count, bound, variance, blocked):
            rows.append(_row(count, targets(count, bound, blocked), variance, stay, switch))
    return rows


def _row(count: int, reachable: list[int], variance: float, stay: float | None, monotone: bool) -> Row:
    noise = np.array(reachable, dtype=float) - count
    if count in reachable and (variance == 0 or noise.min() == 0):
        return Row(count, (count,), (1.0,))  # nothing below to balance what is above
    for tried in range(STAY_TRIES):
        lowered = max((stay or 0) - tried * STAY_STEP, 0)
        found = _greatest_entropy(noise, variance, lowered, monotone)
        met = round(float(noise**2 @ found), MET_DECIMALS) == round(variance, MET_DECIMALS)
        if met or not lowered or count not in reachable:
            break
    if noise.min() == -noise.max() and noise.size == 2 * noise.max() + 1:
        found = (found + found[::-1]) / 2  # symmetric but for the optimiser's last digits
    return Row(count, tuple(reachable), tuple(found.tolist()))


def _greatest_entropy(noise: np.ndarray, variance: float, stay: float, monotone: bool) -> np.ndarray:
    """Probabilities, shape (entries,), by sequential least squares programming."""
    zero = int(np.searchsorted(noise, 0)) if 0 in noise else 0
    equal = np.stack([np.ones_like(noise), noise])
    rises = np.eye(noise.size, k=1)[:zero] - np.eye(noise.size)[:zero] if monotone else np.empty((0, noise.size))
    least = np.vstack([-(noise**2), rises])
    least_at = np.append(-float(variance), np.zeros(len(rises)))
    found = minimize(
        lambda p: float(p @ np.log(np.maximum(p, LEAST))),
        np.full(noise.size, 1 / noise.size),
        jac=lambda p: np.log(np.maximum(p, LEAST)) + 1,
        bounds=[(stay if v == 0 else 0, 1) for v in noise],
        constraints=[
            {"type": "eq", "fun": lambda p: equal @ p - (1, 0), "jac": lambda p: equal},
            {"type": "ineq", "fun": lambda p: least @ p - least_at, "jac": lambda p: least},
        ],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    # Its status is no judge: so near the optimum the line search often ends for want of digits. The constraints are.
    if max(np.abs(equal @ found.x - (1, 0)).max(), (least_at - least @ found.x).max(), -found.x.min()) > TOLERANCE:
        raise PerturbationRefused("the optimiser found no distribution within bound and variance")
    return np.clip(found.x, 0, 1)


def in_units(row: Row) -> list[int]:
    """
    The probabilities in whole units of 1e-12 that sum to one and have no bias exactly, shape (entries,).

    What rounding has left over goes to two neighbours, of which two always can take it.

    Raises:
        PerturbationRefused: no two targets are neighbours.
    """
    units = [round(p * ONE) for p in row.probabilities]
    noise = row.noise.tolist()
    left, bias = ONE - sum(units), -sum(v * n for v, n in zip(noise, units, strict=True))
    if not left and not bias:
        return units
    neighbours = [k for k in range(len(noise) - 1) if noise[k + 1] == noise[k] + 1]
    if not neighbours:
        raise PerturbationRefused(f"row {row.count} cannot be written with {DECIMALS} decimals and no bias")
    k = max(neighbours, key=units.__getitem__)
    units[k + 1] += bias - left * noise[k]
    units[k] += left - (bias - left * noise[k])
    return units


def text(
    bound: int,
    variance: float,
    blocked: int = 0,
    stay: float | None = None,
    monotone: Sequence[bool] | bool = True,
) -> str:
    """The file of a table: its parameters, then ``i,j,p``. Arguments as for `design`."""
    rows = design(bound, variance, blocked, stay, monotone)
    last = last_row(bound, blocked)
    switches = [monotone] * last if isinstance(monotone, bool) else monotone
    there = {row.count for row in rows}
    head = {
        "bound": bound,
        "variance": variance,
        "blocked": blocked,
        "stay": "free" if stay is None else stay,
        "monotone": "".join("T" if switch else "F" for switch in switches),
        "impossible": " ".join(str(i) for i in range(last + 1) if i not in there),
        "source": SOURCE,
        "date": DATE,
    }
    lines = [f"# {name}={value}" for name, value in head.items()] + ["i,j,p"]
    for row in rows:
        for target, units in zip(row.targets, in_units(row), strict=True):
            lines.append(f"{row.count},{target},{units // ONE}.{units % ONE:0{DECIMALS}}")
    return "\n".join(lines) + "\n"


def main() -> None:
    for name, arguments in KEPT.items():
        (FOLDER / f"perturbation_{name}.csv").write_bytes(text(**arguments).encode("ascii"))


if __name__ == "__main__":
    main()
