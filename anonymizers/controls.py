"""What a statistical table is protected with. Standard library only: specs import it."""

from dataclasses import dataclass

from anonymizers.errors import ThresholdTooLow

THRESHOLD_FLOOR = 5
"""Distinct members. No law names a number; below five no setting is accepted."""

DEFAULT_THRESHOLD = 10
"""Distinct members. The usual floor of research data centres (ONS, UK LLC, SACRO), read 2026-11-23."""


@dataclass(frozen=True, kw_only=True)
class DisclosureControl:
    """Primary suppression of cells with few contributors."""

    threshold: int = DEFAULT_THRESHOLD
    """Distinct members a cell needs before any of its numbers is released."""

    def __post_init__(self) -> None:
        if self.threshold < THRESHOLD_FLOOR:
            raise ThresholdTooLow(
                f"threshold is {self.threshold} distinct members; the floor is {THRESHOLD_FLOOR}. "
                "Raise SUDARE_THRESHOLD or the table's control"
            )

    def at_least(self, threshold: int) -> "DisclosureControl":
        """The stricter of this control and ``threshold`` distinct members."""
        return DisclosureControl(threshold=max(self.threshold, threshold))
