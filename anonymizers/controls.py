"""What a statistical table is protected with. Standard library only: specs import it."""

from dataclasses import dataclass

from anonymizers.errors import ThresholdTooLow

THRESHOLD_FLOOR = 5
"""Distinct members. No law names a number; below five no setting is accepted."""

DEFAULT_THRESHOLD = 10
"""Distinct members. The usual floor of research data centres (ONS, UK LLC, SACRO), read 2026-11-23."""

QUORUM = (10, 15)
"""Distinct members who must have changed before a cell does; each cell draws its own number in this range."""

SETTLING_DAYS, SETTLING_SPREAD_DAYS = 7, 7
"""An account counts towards a quorum only this long after registration: 7 to 13 days, fixed per member."""

PERTURBATION = "d10_v6"
"""
The perturbation table: bound 10, variance 6.

It is applied to what a count is above the threshold, so no number under the threshold comes out. With a bound under
the threshold, a margin at the threshold and one cell beside it leave the other cells an interval under 10.
"""

QUANTILE_THRESHOLD = 50
"""Distinct members behind a quantile."""

DOMINANCE_SHARE, DOMINANCE_CONTRIBUTORS = 0.85, 2
"""(n, k) rule: no sum or mean where the two largest contributors make 85 % of it."""

P_PERCENT = 0.10
"""p % rule: no sum or mean from which the second contributor could tell the first to within 10 %."""

MAGNITUDE_NOISE = (0.2, 0.4)
"""A sum is moved, up or down, by 20 to 40 % of its largest contribution."""


@dataclass(frozen=True, kw_only=True)
class DisclosureControl:
    """
    Cell keys under a change quorum: the control of every table.

    Source:
        Thompson, Broadfoot, Elazar, Methodology for the automatic confidentialisation of statistical outputs from
        remote servers at the ABS (UNECE, 2013), for cell keys; Hundepool et al., Statistical Disclosure Control
        (2012), 4.2, for dominance and p %; the change quorum is this project's.
    """

    threshold: int = DEFAULT_THRESHOLD
    """Distinct members a cell needs at least before any of its numbers is released; a cell draws up to 5 more."""

    def __post_init__(self) -> None:
        if self.threshold < THRESHOLD_FLOOR:
            raise ThresholdTooLow(
                f"threshold is {self.threshold} distinct members; the floor is {THRESHOLD_FLOOR}. "
                "Raise SUDARE_THRESHOLD or the table's control"
            )

    def at_least(self, threshold: int) -> "DisclosureControl":
        """The stricter of this control and ``threshold`` distinct members."""
        return DisclosureControl(threshold=max(self.threshold, threshold))

    @property
    def most_suppressed(self) -> int:
        """The largest number of members that a suppressed cell can have had when it was last looked at."""
        return self.threshold + QUORUM[1] - QUORUM[0] - 1
