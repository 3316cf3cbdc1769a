"""The closed code lists: whole, distinct, and of as many bands as bounds."""

import pytest

from anonymizers import bands


@pytest.mark.parametrize(
    ("bounds", "codes", "others"),
    [
        pytest.param(bands.AGE_LOWER_BOUNDS, bands.AGE_BANDS, {"unknown"}, id="ages"),
        pytest.param(bands.CHILD_LOWER_BOUNDS, bands.CHILD_BANDS, {"expecting", "none", "unknown"}, id="children"),
    ],
)
def test_every_bound_has_one_code(bounds, codes, others):
    assert len(set(codes)) == len(codes) == len(bounds) + len(others)
    assert others <= set(codes)
    assert list(bounds) == sorted(set(bounds))
    assert bounds[0] == 0


def test_the_bands_are_five_years_wide_between_a_bottom_and_a_top():
    assert [code for code in bands.AGE_BANDS if code[0].isdigit() and code[-1].isdigit()] == [
        f"{low}-{low + 4}" for low in range(20, 50, 5)
    ]


def test_hours_and_weekdays():
    assert bands.HOURS[0] == "00"
    assert bands.HOURS[-1] == "23"
    assert len(set(bands.HOURS)) == 24
    assert len(set(bands.WEEKDAYS)) == 7
