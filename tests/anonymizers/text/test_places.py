"""The lists of places: what they hold, how they are folded, and the prefecture of an address."""

import time

import pytest

from anonymizers.text.places import fold_place, longest_before, longest_from, places, prefecture_of


def test_the_lists_hold_every_prefecture_and_what_they_should():
    listed = places()
    assert len(set(listed.prefectures.values())) == 47
    assert {"横浜市", "青葉区", "石狩郡", "当別町", "八丈町"} <= listed.municipalities.keys()
    assert listed.municipalities[fold_place("府中市")] == {"東京都", "広島県"}
    assert {"横浜", "世田谷"} <= listed.stems
    assert {fold_place("三軒茶屋"), fold_place("松が丘")} <= listed.towns


def test_every_listed_name_is_folded():
    listed = places()
    for names in (listed.prefectures, listed.municipalities, listed.stems, listed.towns):
        assert all(fold_place(name) == name for name in names)


def test_the_lists_are_read_quickly():
    places.cache_clear()
    began = time.process_time()
    places()
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("written", ["松が丘", "松ヶ丘", "松ケ丘", "松ガ丘"])
def test_ways_of_writing_are_one_and_as_long(written):
    assert fold_place(written) == fold_place("松ケ丘")
    assert len(fold_place(written)) == len(written)


def test_the_longest_name_is_taken():
    names = {"丘", "松丘", "丘松"}
    assert longest_before("松丘", 2, names) == "松丘"
    assert longest_from("丘松", 0, names) == "丘松"
    assert longest_before("松丘", 1, names) == longest_from("松", 0, names) == ""


@pytest.mark.parametrize(
    ("address", "prefecture"),
    [
        ("神奈川県横浜市青葉区架空1-2-3", "神奈川県"),
        ("横浜市青葉区架空1-2-3", "神奈川県"),
        ("東京世田谷区架空1-2-3", "東京都"),
        ("世田谷区架空1-2-3", "東京都"),
        ("京都府府中市", "京都府"),
        ("広島市西区", "広島県"),
        ("北広島市", "北海道"),
        ("府中市架空1-2", None),
        ("中央区1-2-3", None),
        ("架空町1-2-3", None),
        ("", None),
    ],
)
def test_prefecture_of_an_address(address, prefecture):
    assert prefecture_of(address) == prefecture
