"""Purposes: what the policy gives to others is refused before anything is read."""

import pytest

from anonymizers.errors import PurposeRefused
from transforms.purposes import PURPOSES, require_served

SERVED = ("P09", "P10")


@pytest.mark.parametrize("purpose", SERVED)
def test_statistics_and_advertising_are_served(purpose):
    assert require_served(purpose).id == purpose


def test_no_other_purpose_is():
    assert {name for name, purpose in PURPOSES.items() if purpose.served} == set(SERVED)


@pytest.mark.parametrize("purpose", [name for name in PURPOSES if name not in SERVED])
def test_a_purpose_of_others_is_refused(purpose):
    with pytest.raises(PurposeRefused, match=f"^purpose {purpose} .* is not served by this pipeline$") as refused:
        require_served(purpose)
    assert refused.value.exit_status == 15
    assert refused.value.reason == "PURPOSE_REFUSED"


@pytest.mark.parametrize("purpose", ["", "P99", "p09", " P09", "law_enforcement"])
def test_an_unknown_purpose_is_refused(purpose):
    with pytest.raises(PurposeRefused, match=r"is not in the register; see transforms/purposes.py$"):
        require_served(purpose)
