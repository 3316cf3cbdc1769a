"""
A night that is killed anywhere: what can be seen is as before or as after, and the next run heals.

Every kill is a SIGKILL to a process of its own. Where it strikes is drawn from a seed: at the end of a step, at the
entry or the exit of a function that changes what others see, or at a random instant of a step. `--kills` says how many;
`make faults` runs a hundred.
"""

import dataclasses
import datetime
import functools
import importlib
import random

import pytest

from tests.faults.campaign import (
    BRANCHES,
    NOW,
    TOMORROW,
    in_order,
    raise_night,
    stop,
    wrong_after_the_kill,
    wrong_after_the_run,
    wrong_on_the_next_day,
)
from tests.nights.sites import STEPS

EDGES = (
    ("publish", "delivery.publication:_fresh", "after"),
    ("publish", "delivery.publication:_settle", "before"),
    ("publish", "delivery.publication:_settle", "after"),
    ("publish", "delivery.warehouse:Publication.write", "after"),
    ("publish", "delivery.warehouse:Publication.record", "after"),
    ("publish", "delivery.publication:_show", "before"),
    ("publish", "delivery.publication:_point", "after"),
    ("build_feed", "delivery.feed_steps:take_in", "after"),
    ("build_feed", "delivery.feeds:write_file", "after"),
    ("gate_feed", "delivery.fence:read_file", "after"),
    ("hand_over", "delivery.sealing:_require_fit", "after"),
    ("hand_over", "delivery.sealing:_encrypt", "after"),
    ("hand_over", "delivery.feed_steps:_seal", "after"),
    ("hand_over", "delivery.ledger:Ledger.prepare_feed", "after"),
    ("hand_over", "delivery.sending.sftp:SftpServer.upload", "after"),
    ("hand_over", "delivery.sending.sftp:SftpServer._show", "after"),
    ("hand_over", "delivery.outbox:drop_others", "before"),
    ("hand_over", "delivery.ledger:Ledger.sent", "before"),
    ("hand_over", "delivery.ledger:Ledger.sent", "after"),
    ("remove", "delivery.feed_steps:permit", "after"),
    ("remove", "delivery.ledger:Ledger.owe", "after"),
    ("remove", "delivery.ledger:Ledger.prepare_removal", "after"),
    ("remove", "delivery.sending.sftp:SftpServer.upload", "after"),
    ("remove", "delivery.sending.sftp:SftpServer._show", "after"),
    ("remove", "delivery.ledger:Ledger.sent", "after"),
)
"""Step, function, and whether the process dies as it is entered or as it returns."""

AFTERWARDS = ("again", "again", "twice", "tomorrow")
"""What follows a kill: the night again; killed once more and then again; or the night of the next day instead."""


@dataclasses.dataclass(frozen=True)
class Kill:
    """Where one strikes. ``share`` is of the step's measured time; 1 is its end."""

    number: int
    step: str
    share: float = 1.0
    where: str = ""
    edge: str = ""
    first: str = "tables"
    """The branch that happens to run first."""
    afterwards: str = "again"

    def __str__(self) -> str:
        at = f"{self.edge} {self.where.partition(':')[2]}" if self.where else f"{self.share:.2f}"
        return f"{self.number} in {self.step} at {at}, then {self.afterwards}"

    def request(self, seconds: dict[tuple[str, int], float]) -> dict:
        if self.where:
            return {"step": self.step, "where": self.where, "edge": self.edge}
        shards = [number for step, number in seconds if step == self.step]
        number = random.Random(self.number).choice(shards)
        if self.share == 1.0:
            return {"step": self.step, "edge": "end", "number": number}
        return {"step": self.step, "number": number, "after": self.share * seconds[self.step, number]}


def kills(count: int, seed: int = 6) -> list[Kill]:
    """A third at the ends of steps, a third at edges inside, a third at random instants, while there are others."""
    draw = random.Random(seed)
    ends = [{"step": step} for step in STEPS]
    edges = [{"step": step, "where": where, "edge": edge} for step, where, edge in EDGES]
    draw.shuffle(ends)
    draw.shuffle(edges)
    drawn = []
    for number in range(count):
        own = (ends, edges, ())[number % 3]
        one = own[number // 3] if number // 3 < len(own) else {"step": draw.choice(STEPS), "share": draw.random()}
        home = next((name for name, steps in BRANCHES.items() if one["step"] in steps), draw.choice(list(BRANCHES)))
        first = home if draw.random() < 0.7 else draw.choice(list(BRANCHES))
        drawn.append(Kill(number, **one, first=first, afterwards=draw.choice(AFTERWARDS)))
    return drawn


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kill" in metafunc.fixturenames:
        drawn = kills(metafunc.config.getoption("--kills"))
        metafunc.parametrize("kill", drawn, ids=[str(one) for one in drawn])


def doomed(nursery, trial, seconds, kill: Kill, **more) -> dict:
    """Run the night until it is killed; on a busy machine that may be a little later than was meant."""
    steps = in_order(kill.first, *(name for name in BRANCHES if name != kill.first))
    return raise_night(nursery, trial, steps, kill=kill.request(seconds), **more)


def test_a_night_that_is_killed_leaves_the_old_or_the_new_and_the_next_run_heals(
    nursery, seconds, trial, references, kill, tally
):
    told = doomed(nursery, trial, seconds, kill)
    assert told["killed"] or kill.share < 1.0, told
    trial.wait_for_the_servers()
    assert wrong_after_the_kill(trial, references) == []
    tally(kill, told, trial, references)
    if kill.afterwards == "twice":
        again = kills(200, seed=kill.number)[kill.number % 7]
        doomed(nursery, trial, seconds, dataclasses.replace(again, first=kill.first), run="doomed-again")
        trial.wait_for_the_servers()
        assert wrong_after_the_kill(trial, references) == []
    if kill.afterwards == "tomorrow":
        stopped = stop(trial, 3, first=8_000_000)
        trial.run(TOMORROW, NOW + datetime.timedelta(days=1))
        assert wrong_on_the_next_day(trial, stopped) == []
    else:
        trial.run()
        assert wrong_after_the_run(trial, references) == []


@pytest.mark.parametrize("where", sorted({where for _, where, _ in EDGES}))
def test_the_edges_are_there(where):
    """A kill at a function of another name would never strike."""
    module, _, name = where.partition(":")
    assert callable(functools.reduce(getattr, name.split("."), importlib.import_module(module)))


BAD = {
    "files shown before the commit": ("publish", "delivery.warehouse:Publication.record", "shown_before_the_commit"),
    "a feed recorded after it was sent": ("hand_over", "delivery.outbox:drop_others", "recorded_after_sending"),
}


@pytest.mark.parametrize("what", BAD)
def test_the_kills_find_a_product_that_is_in_the_wrong_order(nursery, seconds, trial, references, what):
    step, where, variant = BAD[what]
    first = next(name for name, steps in BRANCHES.items() if step in steps)
    kill = Kill(0, step, where=where, edge="before", first=first)
    assert doomed(nursery, trial, seconds, kill, variant=variant)["killed"]
    trial.wait_for_the_servers()
    assert wrong_after_the_kill(trial, references)
