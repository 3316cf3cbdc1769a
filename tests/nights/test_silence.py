"""A source that broke stops the night, or the feed, before anything of it is out; somebody may say that it is right."""

import datetime

import pytest

from anonymizers.errors import SliceSilent
from tests.nights.sites import NOW, UNTIL_GATED, manifest_of, published, run, shown

UNTIL_DISCLOSED = UNTIL_GATED[: UNTIL_GATED.index("disclose") + 1]
TOKYO = "13"
LOST = "update members set prefecture_code = null where prefecture_code = '13'"


def test_a_prefecture_that_vanishes_stops_the_night_and_may_be_accepted(after_one):
    after_one.change(LOST)
    before = published(after_one)
    with pytest.raises(SliceSilent, match=r"members_by_prefecture\.prefecture_code=13"):
        run(after_one.night(), *UNTIL_DISCLOSED)
    assert published(after_one) == before
    accepted = ("members_by_prefecture.prefecture_code=13", "activity_by_hour.prefecture_code")
    run(after_one.night(accept_silent=accepted), *UNTIL_DISCLOSED[UNTIL_DISCLOSED.index("disclose") :])
    run(after_one.night(accept_silent=accepted), "gate_tables", "publish")
    assert shown(after_one, "members_by_prefecture").loc[(TOKYO, "total", "total"), "members"] == ""
    assert manifest_of(after_one)["accepted_silent"] == list(accepted)


def test_a_feed_that_loses_half_stops_before_anything_is_sent_and_may_be_accepted(lived):
    later = NOW + datetime.timedelta(days=1)
    run(lived.night(now=later), "plan", "build_feed", "gate_feed")
    lived.change("update members set email_verified_at = null where member_id % 3 > 0")
    before = published(lived)
    run(lived.night(now=later), "plan", "build_feed")
    with pytest.raises(SliceSilent, match=r"^liveramp: .*SUDARE_ACCEPT_SILENT=liveramp$"):
        run(lived.night(now=later), "gate_feed")
    assert published(lived) == before
    run(lived.night(now=later, accept_silent=("liveramp",)), "gate_feed", "hand_over")
    assert published(lived) != before
