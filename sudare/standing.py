"""
Failures of removals and of retention that no later success has ended.

Nothing that is published shows that those steps fail; a monitor would hear of it when removals are overdue.
"""

import datetime
from functools import cache

from anonymizers.errors import Fault, NightRunning, ObligationsOverdue, SudareError
from delivery.days import TOKYO
from delivery.records import UNSEEN, Failure, Records

LOOK_BACK = datetime.timedelta(days=28)


def standing(records: Records, now: datetime.datetime) -> list[Failure]:
    """The last failure of each such step and destination, unless it has succeeded since, whichever DAG ran it."""
    last = {
        (one.step, one.of): one
        for one in records.failures_since(now - LOOK_BACK)
        # Of a step that gave way to another run, that run's own end is what counts.
        if one.step in UNSEEN and one.reason != NightRunning("").reason
    }
    ended = records.successes()
    return [one for key, one in last.items() if key not in ended or ended[key] < one.failed_at]


def finding(one: Failure) -> SudareError | None:
    """What a monitor is told of it, under its own reason; nothing of what the ledger itself tells, by its age."""
    leaf = _leaves().get(one.reason, Fault)
    if leaf is ObligationsOverdue:
        return None
    of = f"[{one.of}]" if one.of else ""
    when = f"{one.failed_at.astimezone(TOKYO):%Y-%m-%d %H:%M}"
    return leaf(f"{one.dag} {one.step}{of} failed at {when} and has not succeeded since: {one.message}")


@cache
def _leaves() -> dict[str, type[SudareError]]:
    """Every error there is, by its reason."""

    def below(kind: type[SudareError]) -> list[type[SudareError]]:
        return [leaf for each in kind.__subclasses__() for leaf in below(each)] or [kind]

    return {leaf("").reason: leaf for leaf in below(SudareError)}
