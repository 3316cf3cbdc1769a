"""The attacks fail against the project's tables, and succeed against known-bad ones and ours with a guard removed."""

import numpy as np
import pytest

from anonymizers import disclosure
from attacks import differencing, planting, repetition
from attacks.choice import advantage
from attacks.history import SECRET, play
from attacks.suite import KNOWN_BAD_FLOORS, OURS, SHORT, WHOLE, run
from attacks.world import World
from transforms.tables import catalogue

KEY = SECRET.derive("statistics/1")
REQUIREMENTS = {
    "averaging",
    "differencing",
    "dominance",
    "known members",
    "linear programming",
    "linkage",
    "magnitude differencing",
    "refresh timing",
    "small cells",
    "sybil accounts",
    "utility",
}


@pytest.fixture(scope="module")
def report():
    """A short run of everything."""
    return run(SHORT)


def test_no_score_misses_its_bar(report):
    assert [f"{s.attack} [{s.protection}]: {s.value}" for s in report.scores if not s.holds] == []


def test_every_attack_was_run_against_ours(report):
    assert {score.requirement for score in report.scores if score.protection == OURS} == REQUIREMENTS


def test_every_known_bad_protection_falls_to_something(report):
    fallen = {score.protection for score in report.scores if score.at_least and score.holds} - {OURS}
    assert fallen == {*KNOWN_BAD_FLOORS, "fresh noise", "public seed"}


def test_a_short_run_is_no_report_for_the_gate(report):
    assert not report.complete
    assert WHOLE.complete


def test_the_whole_run_has_three_levels_of_churn_over_60_nights():
    assert [world.joins for world in WHOLE.worlds] == [40, 400, 1500]
    assert {world.nights for world in WHOLE.worlds} == {60}
    assert {1, 7, None} <= set(WHOLE.windows)


def test_a_table_of_the_catalogue_is_played_because_it_is_there():
    histories = play(World(members=400, joins=2, nights=1, postings=40, seed=1))
    assert set(histories) == {name for name, table in catalogue().items() if table.over != "terms"}


def advantage_of_differencing() -> float:
    world = World(members=8_000, joins=60, nights=12, postings=20, seed=5)
    histories = play(world, ["members_by_prefecture"])
    values = {"members_by_prefecture": histories["members_by_prefecture"].members}
    return differencing.attack(world, histories, values, "youngest_child_band", 1)


def test_differencing_succeeds_without_the_quorum_and_fails_with_it(monkeypatch):
    held = advantage_of_differencing()
    monkeypatch.setattr(disclosure, "QUORUM", (1, 1))
    # New accounts count at once as well, so that nothing but the noise is left.
    monkeypatch.setattr("transforms.deidentification.SETTLING_DAYS", 0)
    monkeypatch.setattr("transforms.deidentification.SETTLING_SPREAD_DAYS", 1)
    assert held < 0.1
    assert advantage_of_differencing() > 0.2


def test_planted_accounts_succeed_where_the_quorum_is_known(monkeypatch):
    assert planting.sybils(OURS, (0, 0), KEY) < 0.25
    monkeypatch.setattr(disclosure, "QUORUM", (10, 10))
    assert planting.sybils(OURS, (0, 0), KEY) == 1


def test_averaging_succeeds_on_noise_that_is_drawn_anew():
    history = play(World(members=3_000, joins=0, nights=30, postings=20, seed=2), ["consents_by_age_band"])[
        "consents_by_age_band"
    ]
    fresh = history.true + np.random.default_rng(1).normal(0, 2.4, history.true.shape)
    once, often = repetition.averaging(history, fresh)
    assert often > once + 0.3
    assert repetition.averaging(history, history.members)[0] == repetition.averaging(history, history.members)[1]


def test_the_learning_attacker_finds_what_is_there_and_nothing_else():
    draw = np.random.default_rng(3)
    truth = draw.integers(0, 5, 800)
    prior, noise = np.zeros((800, 5)), draw.normal(size=(800, 5, 2))
    told = noise.copy()
    told[np.arange(800), truth, 0] += 3
    assert advantage(told, noise, prior, truth) > 0.5
    assert abs(advantage(draw.normal(size=(800, 5, 2)), noise, prior, truth)) < 0.1
