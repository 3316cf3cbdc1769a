"""The threshold has a floor that nobody may set it under."""

import dataclasses

import pytest

from anonymizers import controls, perturbation
from anonymizers.controls import DEFAULT_THRESHOLD, THRESHOLD_FLOOR, DisclosureControl
from anonymizers.errors import ThresholdTooLow


@pytest.mark.parametrize("threshold", [4, 1, 0, -10], ids=["four", "one", "none", "negative"])
def test_a_threshold_under_the_floor_is_refused(threshold):
    with pytest.raises(ThresholdTooLow, match=f"^threshold is {threshold} distinct members; the floor is 5") as refused:
        DisclosureControl(threshold=threshold)
    assert refused.value.exit_status == 14


def test_the_floor_itself_is_accepted():
    assert DisclosureControl(threshold=THRESHOLD_FLOOR).threshold == 5


def test_nothing_said_is_ten():
    assert DisclosureControl().threshold == DEFAULT_THRESHOLD == 10


def test_a_control_cannot_be_loosened():
    control = DisclosureControl(threshold=12)
    assert control.at_least(5) == control
    assert control.at_least(13) == DisclosureControl(threshold=13)
    with pytest.raises(dataclasses.FrozenInstanceError):
        control.threshold = 5


@pytest.mark.parametrize(("threshold", "members"), [(10, 14), (5, 9), (20, 24)])
def test_a_suppressed_cell_has_had_at_most_so_many_members(threshold, members):
    """A cell draws up to five more than the threshold; with as many as it drew it has a number."""
    assert DisclosureControl(threshold=threshold).most_suppressed == members


def test_what_protects_the_statistics():
    """Changing any of these is a decision: published numbers depend on them."""
    assert controls.QUORUM == (10, 15)
    assert (controls.SETTLING_DAYS, controls.SETTLING_SPREAD_DAYS) == (7, 7)
    assert controls.QUANTILE_THRESHOLD == 50
    assert (controls.DOMINANCE_SHARE, controls.DOMINANCE_CONTRIBUTORS, controls.P_PERCENT) == (0.85, 2, 0.1)
    assert controls.MAGNITUDE_NOISE == (0.2, 0.4)
    assert controls.PERTURBATION in perturbation.KNOWN
