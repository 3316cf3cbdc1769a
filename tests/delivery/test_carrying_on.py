"""Whether a night may carry on the numbers that are published: of one key, threshold and epoch, or of a later epoch."""

import pytest

from anonymizers.errors import StateRefused
from delivery.night import require_state

BEFORE = {
    "epoch": 2,
    "key_id": "one",
    "perturbation": "v6",
    "threshold": 10,
    "thresholds": {"members": 10, "terms": 12},
}


def with_(**changes: object) -> dict:
    return {**BEFORE, **changes}


CARRIED_ON = {
    "the same": with_(),
    "a table more": with_(thresholds={"members": 10, "terms": 12, "another": 20}),
    "a table less": with_(thresholds={"terms": 12}),
    "no table, for feeds only": with_(thresholds={}),
}


@pytest.mark.parametrize("ours", CARRIED_ON.values(), ids=CARRIED_ON)
@pytest.mark.parametrize("again", [False, True], ids=["the next night", "the same night again"])
def test_the_same_is_carried_on(ours, again):
    require_state(ours, BEFORE, again=again)


def test_a_deployment_of_feeds_only_can_publish_tables_later():
    require_state(BEFORE, with_(thresholds={}), again=False)


REFUSED = {
    "another key": (with_(key_id="two"), "key_id"),
    "another perturbation table": (with_(perturbation="v7"), "perturbation"),
    "a lower threshold": (with_(threshold=9), "threshold"),
    "another threshold of a table": (with_(thresholds={"members": 10, "terms": 10}), "thresholds"),
    "another threshold of a table, and a table more": (
        with_(thresholds={"members": 11, "another": 20}),
        "thresholds",
    ),
    "an earlier epoch": (with_(epoch=1), "epoch"),
    "an earlier epoch with its key": (with_(epoch=1, key_id="first"), "epoch, key_id"),
    "everything": (
        with_(key_id="two", perturbation="v7", threshold=20, thresholds={"members": 20, "terms": 20}),
        "key_id, perturbation, threshold, thresholds",
    ),
}


@pytest.mark.parametrize(("ours", "named"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("again", [False, True], ids=["the next night", "the same night again"])
def test_anything_else_is_refused_by_name(ours, named, again):
    with pytest.raises(StateRefused) as refused:
        require_state(ours, BEFORE, again=again)
    assert str(refused.value).startswith(f"the published numbers have another {named}; going on would tell who changed")
    assert refused.value.exit_status == 45


@pytest.mark.parametrize(("ours", "named"), REFUSED.values(), ids=REFUSED)
def test_a_later_epoch_may_change_anything(ours, named):
    require_state({**ours, "epoch": 3}, BEFORE, again=False)


@pytest.mark.parametrize("changes", [{}, {"key_id": "two"}, {"threshold": 20}], ids=str)
def test_a_later_epoch_does_not_begin_with_a_night_that_is_published(changes):
    """It would tell the same night twice, with noise of its own each time."""
    with pytest.raises(StateRefused, match=r"^this night is published; a new epoch begins with another one, or both"):
        require_state(with_(epoch=3, **changes), BEFORE, again=True)


@pytest.mark.parametrize("epoch", [1, 2, 3])
@pytest.mark.parametrize("again", [False, True])
def test_numbers_from_before_there_was_a_quorum_are_refused_in_any_epoch(epoch, again):
    message = r"^the published numbers were made by a version without a change quorum and cannot be carried on; give an"
    with pytest.raises(StateRefused, match=message):
        require_state(with_(epoch=epoch), {}, again=again)
