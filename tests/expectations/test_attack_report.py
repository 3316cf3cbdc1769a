"""The gate reads the attacks' report: of these tables and this code, complete, and with every bar held."""

import dataclasses

import pytest

from anonymizers.errors import AttackReportRefused
from expectations.attack_report import Report, Score, read, require_holds
from transforms.method import fingerprint

HELD = Score("differencing", "a newcomer", "ours", 0.02, 0.05)
FALLEN = Score("differencing", "a newcomer", "raw", 0.6, 0.3, at_least=True)
REPORT = Report("of these tables", True, (HELD, FALLEN))


def test_the_report_that_is_kept_is_of_these_tables_and_this_code():
    """Tables or their protection changed? Run `make attack`, read what it says, and commit the report."""
    require_holds(read(), fingerprint())


def test_the_report_that_is_kept_is_of_a_whole_run():
    attacks = {score.requirement for score in read().scores}
    assert {"differencing", "refresh timing", "linear programming", "averaging", "sybil accounts", "linkage"} <= attacks
    assert len(read().scores) > 100


def test_a_report_is_read_as_it_was_written(tmp_path):
    place = tmp_path / "report.json"
    place.write_text(REPORT.render())
    assert read(place) == REPORT
    require_holds(REPORT, "of these tables")


@pytest.mark.parametrize(
    "content", [None, "", "{", "[]", '{"method": "x"}', '{"method": "", "complete": 1, "scores": [{}]}']
)
def test_what_is_no_report_is_refused(tmp_path, content):
    place = tmp_path / "report.json"
    if content is not None:
        place.write_text(content)
    with pytest.raises(
        AttackReportRefused, match=r"^report\.json: missing, or no report of attacks; run `make attack`$"
    ):
        read(place)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"method": "of others"}, "^the attacks were run against other tables", id="other tables"),
        pytest.param({"complete": False}, "^the report is of a short run", id="a short run"),
        pytest.param({"scores": ()}, "^the report is of a short run", id="no scores"),
        pytest.param(
            {"scores": (dataclasses.replace(HELD, value=0.051), FALLEN)},
            r"^1 of 2 attack scores miss their bar: a newcomer against ours: 0\.051, bar 0\.05$",
            id="ours fell",
        ),
        pytest.param(
            {"scores": (HELD, dataclasses.replace(FALLEN, value=0.1))},
            "^1 of 2 attack scores miss their bar: a newcomer against raw",
            id="a known-bad one stood",
        ),
        pytest.param({"scores": (dataclasses.replace(HELD, value=float("nan")),)}, "miss their bar", id="no number"),
    ],
)
def test_a_report_that_does_not_hold_is_refused(changes, message):
    with pytest.raises(AttackReportRefused, match=message) as refused:
        require_holds(dataclasses.replace(REPORT, **changes), "of these tables")
    assert refused.value.exit_status == 47


def test_a_figure_without_a_bar_holds_whatever_it_is():
    assert Score("averaging", "an insider", "ours", 0.4).holds
