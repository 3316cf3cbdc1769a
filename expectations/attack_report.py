"""
The report of the attacks, and what the gate asks of it. Standard library only.

`python -m attacks` writes it; it is kept with the code, because it says something of this code only.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from anonymizers.errors import AttackReportRefused

PLACE = Path(__file__).with_name("attack_report.json")


@dataclass(frozen=True)
class Score:
    """
    What one attack came to.

    Attributes:
        requirement: Which it answers, such as ``differencing``.
        attack: What was tried, on what.
        protection: ``ours``, or the name of a known-bad one.
        value: The score.
        bar: What it is held to; None for a figure that is only told.
        at_least: The bar is a lower one, as for a known-bad protection, which must fall.
    """

    requirement: str
    attack: str
    protection: str
    value: float
    bar: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        if self.bar is None:
            return True
        return self.value >= self.bar if self.at_least else self.value <= self.bar


@dataclass(frozen=True)
class Report:
    """All scores of one run against one method."""

    method: str
    complete: bool
    scores: tuple[Score, ...]

    def render(self) -> str:
        told = {"method": self.method, "complete": self.complete, "scores": [asdict(s) for s in self.scores]}
        return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def read(place: Path = PLACE) -> Report:
    """
    The report that is kept with the code.

    Raises:
        AttackReportRefused: there is none, or it is none.
    """
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        return Report(told["method"], told["complete"], tuple(Score(**score) for score in told["scores"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise AttackReportRefused(f"{place.name}: missing, or no report of attacks; run `make attack`")


def require_holds(report: Report, method: str) -> None:
    """
    Check that the attacks were run against this method, all of them, and failed.

    Args:
        report: As kept.

        method: The fingerprint of the tables and of the code that protects them.

    Raises:
        AttackReportRefused: they were run against another one, or not all; ours fell; or a known-bad one stood,
            so that the attack itself no longer works.
    """
    if report.method != method:
        raise AttackReportRefused(
            "the attacks were run against other tables or another protection; run `make attack`, read the report and "
            "commit it"
        )
    if not report.complete or not report.scores:
        raise AttackReportRefused("the report is of a short run; run `make attack`")
    if missed := [score for score in report.scores if not score.holds]:
        named = "; ".join(f"{s.attack} against {s.protection}: {s.value:.3f}, bar {s.bar:g}" for s in missed[:5])
        raise AttackReportRefused(f"{len(missed)} of {len(report.scores)} attack scores miss their bar: {named}")
