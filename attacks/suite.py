"""
All attacks, their bars, and against what they run. A table that is added is attacked because it is in the catalogue.
"""

import dataclasses
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from anonymizers.disclosure import perturbation_digest
from attacks import differencing, linear, linkage, magnitudes, planting, protections, repetition
from attacks.history import SECRET, History, play
from attacks.world import World
from expectations.attack_report import Report, Score
from transforms.method import fingerprint
from transforms.spec import Table
from transforms.tables import catalogue

OURS = "ours"
BARS = {"youngest_child_band": 0.05, "consent_status": 0.075, "prefecture_code": 0.05}
"""Advantages of differencing. Of two likely states of consent a pool of ten newcomers says more than of nine bands."""

KNOWN_BAD_FLOORS = {"raw": 0.3, "threshold": 0.3, "margins of suppressed cells": 0.3, "static cell key": 0.2}
"""What differencing must reach against protections that do not hold."""


@dataclass(frozen=True)
class Plan:
    """How large a run is."""

    complete: bool
    worlds: tuple[World, ...]
    """One for each level of churn, the quietest first."""
    again: tuple[int, ...]
    """Seeds of more worlds like the quietest: joins are few there and chance is large, so their scores are averaged."""
    linkage_worlds: tuple[World, ...]
    windows: tuple[int | None, ...]
    targets: int
    """Suppressed cells for linear programming."""


WHOLE = Plan(
    complete=True,
    worlds=tuple(World(members=60_000, joins=joins, nights=60, postings=600, seed=11) for joins in (40, 400, 1500)),
    again=(21, 22, 23),
    linkage_worlds=tuple(World(members=20_000, joins=40, nights=30, postings=n, seed=12) for n in (200, 3000)),
    windows=differencing.WINDOWS,
    targets=60,
)
SHORT = Plan(
    complete=False,
    worlds=(World(members=8_000, joins=60, nights=10, postings=100, seed=11),),
    again=(),
    linkage_worlds=(World(members=6_000, joins=40, nights=1, postings=200, seed=12),),
    windows=(1, 7),
    targets=8,
)


def run(plan: Plan, tell=lambda score: None) -> Report:
    """
    Run every attack of a plan.

    Args:
        plan: `WHOLE` or `SHORT`.

        tell: Called with each score as it is there.
    """
    perturbation_digest()
    jobs = [(_of_world, plan, world) for world in plan.worlds]
    jobs.insert(1, (_of_quietest, plan, plan.worlds[0]))
    jobs += [(_of_linkage, plan, world) for world in plan.linkage_worlds]
    jobs += [(_of_cells, plan, None)]
    scores = []
    for found in _in_processes(jobs):
        scores += found
        for score in found:
            tell(score)
    return Report(fingerprint(), plan.complete, tuple(scores))


def _in_processes(jobs: list[tuple]) -> Iterator[list[Score]]:
    if len(jobs) <= 4:  # a short run: starting processes would take longer
        yield from (list(job(*given)) for job, *given in jobs)
        return
    # Started afresh: libraries with threads of their own do not survive a fork.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_run_job, jobs)


def _run_job(job: tuple) -> list[Score]:
    function, *given = job
    return list(function(*given))


def _of_world(plan: Plan, world: World) -> Iterable[Score]:
    histories = play(world)
    where, quietest = _said(world), world == plan.worlds[0]
    if not quietest:
        yield from _differencing(plan, world, histories)
    yield from _repetition(histories, where, quietest)
    yield from _small_cells(histories, where, quietest)
    yield from _utility(histories, where)
    if quietest:
        yield from _linear(plan, world, histories, where)


def _published(histories: dict[str, History], names: Iterable[str]) -> dict[str, np.ndarray]:
    return {name: next(iter(histories[name].values.values())) for name in names}


def _of_quietest(plan: Plan, world: World) -> Iterable[Score]:
    """Differencing where it is easiest, over several worlds."""
    told: dict[tuple[str, str, str], list[float]] = {}
    for seed in (world.seed, *plan.again):
        another = dataclasses.replace(world, seed=seed)
        histories = play(another, [name for name, t in catalogue().items() if _holds(t, differencing.UNKNOWN)])
        for unknown in differencing.UNKNOWN:
            for (attack, nights), value in _differenced(plan, another, histories, unknown):
                told.setdefault((attack, unknown, nights), []).append(value)
    for (attack, unknown, nights), values in told.items():
        what = f"{unknown}, {nights}; mean of {len(values)} worlds of {_said(world)}"
        yield Score(attack, what, OURS, float(np.mean(values)), _noise_of(plan, BARS[unknown]))
    unknown, table = differencing.UNKNOWN[0], {"members_by_prefecture": histories["members_by_prefecture"]}
    for name, floor in KNOWN_BAD_FLOORS.items():
        values = {n: protections.KNOWN_BAD[name](h) for n, h in table.items()}
        value = differencing.attack(another, histories, values, unknown, 1)
        yield Score("differencing", f"{unknown}, 1 nights; {_said(world)}", name, value, floor, at_least=True)


def _holds(table: Table, any_of: Iterable[str]) -> bool:
    return table.over == "members" and bool({d.name for d in table.dimensions} & set(any_of))


def _differencing(plan: Plan, world: World, histories: dict[str, History]) -> Iterator[Score]:
    for unknown in differencing.UNKNOWN:
        for (attack, nights), value in _differenced(plan, world, histories, unknown):
            yield Score(attack, f"{unknown}, {nights}; {_said(world)}", OURS, value, _noise_of(plan, BARS[unknown]))


def _differenced(
    plan: Plan, world: World, histories: dict[str, History], unknown: str
) -> Iterator[tuple[tuple[str, str], float]]:
    ours = _published(histories, differencing.fitting(histories, unknown))
    for window in plan.windows:
        nights = "to the last night" if window is None else f"{window} nights"
        for only_timing, name in ((False, "differencing"), (True, "refresh timing")):
            yield (name, nights), differencing.attack(world, histories, ours, unknown, window, only_timing)


def _said(world: World) -> str:
    return f"{world.members:,} members, {world.joins} joins a night, {world.nights} nights"


def _noise_of(plan: Plan, bar: float) -> float:
    """A short run has few targets; its bar leaves room for their chance."""
    return bar if plan.complete else bar + 0.1


def _repetition(histories: dict[str, History], where: str, quietest: bool) -> Iterator[Score]:
    history = histories["members_by_prefecture"]
    once, all_nights = repetition.averaging(history, history.members)
    yield Score("averaging", f"exactly told, all nights less one; {where}", OURS, all_nights - once, 0.05)
    once, all_nights = repetition.averaging_with_flows(history, history.members)
    yield Score("averaging", f"by an insider who knows all flows, all nights; {where}", OURS, all_nights)
    if quietest:
        once, all_nights = repetition.averaging(history, protections.fresh_noise(history))
        yield Score(
            "averaging", f"exactly told, all nights less one; {where}", "fresh noise", all_nights - once, 0.1, True
        )


def _small_cells(histories: dict[str, History], where: str, quietest: bool) -> Iterator[Score]:
    counted = [h for h in histories.values() if "members" in h.values]
    value = sum(repetition.small_values(h.members) for h in counted)
    yield Score("small cells", f"values 1 to 9 in all tables; {where}", OURS, value, 0)
    yield Score("small cells", f"exactly one, given suppressed; {where}", OURS, repetition.exactly_one(counted), 2)
    if quietest:
        value = repetition.small_values(protections.raw(histories["members_by_prefecture"]))
        yield Score("small cells", f"values 1 to 9; {where}", "raw", value, 1, at_least=True)


def _utility(histories: dict[str, History], where: str) -> Iterator[Score]:
    bars = {
        "median % 100-999 now": 2,
        "median % 1000- now": 0.2,
        "median % 100-999 as of": 2,
        "median % 1000- as of": 0.2,
        "mean error as of": 0.5,
        "largest error as of": 10,
    }
    counted = [h for h in histories.values() if "members" in h.values]
    for measure, value in repetition.utility(counted).items():
        yield Score("utility", f"{measure}, all tables; {where}", OURS, abs(value), bars.get(measure))
    for name in ("members_by_prefecture", "consents_by_age_band"):
        gap = repetition.margin_gap(histories[name], histories[name].members)
        yield Score("utility", f"p95 % gap of margins over 500 and their cells, {name}; {where}", OURS, gap)


def _linear(plan: Plan, world: World, histories: dict[str, History], where: str) -> Iterator[Score]:
    for night, said in ((0, "the first night"), (world.nights - 1, "the last night and 30 before")):
        found = linear.attack(world, histories, night, count=plan.targets)
        what = f"the {plan.targets} weakest suppressed cells, {said}; {where}"
        yield Score("linear programming", f"share pinned of {what}", OURS, found.pinned, 0)
        yield Score("linear programming", f"smallest width of {what}", OURS, found.smallest, 10, at_least=True)
        # Of an attacker whose intervals miss the truth nothing can be learnt.
        yield Score("linear programming", f"intervals that hold the truth, of {what}", OURS, found.sound, 1, True)
    for name, floor in (("raw", 0.9), ("threshold", 0.3), ("margins of suppressed cells", 0.3)):
        values = {n: protections.KNOWN_BAD[name](histories[n]) for n in linear.TABLES}
        found = linear.attack(world, histories, 0, values, linear.KNOWN_BAD[name], plan.targets)
        yield Score("linear programming", f"share pinned, the first night; {where}", name, found.pinned, floor, True)


def _of_linkage(plan: Plan, world: World) -> Iterable[Score]:
    history = play(world, ["activity_by_hour"])["activity_by_hour"]
    where = f"{world.members:,} members, {world.postings} postings a night"
    yield Score(
        "linkage", f"prefecture of authors; {where}", OURS, linkage.attack(world, history, history.members), 0.05
    )
    if world == plan.linkage_worlds[0]:
        value = linkage.attack(world, history, protections.raw(history))
        yield Score("linkage", f"prefecture of authors; {where}", "raw", value, 0.06, at_least=True)


def _of_cells(plan: Plan, _: None) -> Iterable[Score]:
    key = SECRET.derive("statistics/1")
    for base, said in (
        ((0, 0), "empty"),
        ((0, 9), "suppressed"),
        ((10, 40), "of 10 to 40"),
        ((100, 300), "of 100 to 300"),
    ):
        value = planting.sybils(OURS, base, key)
        yield Score("sybil accounts", f"9 aged accounts and a target, cell {said}", OURS, value, _noise_of(plan, 0.2))
    for known in (1, 4, 5):
        value = planting.sybils(OURS, (known, known), key)
        yield Score("sybil accounts", f"9 aged accounts and a target, {known} others known to an insider", OURS, value)
    value = planting.sybils(OURS, (0, 9), key, aged=False)
    yield Score("sybil accounts", "9 new accounts and a new target", OURS, value, 0.02)
    for name in ("raw", "threshold", "static cell key"):
        value = planting.sybils(name, (0, 0), key)
        yield Score("sybil accounts", "9 aged accounts and a target, cell empty", name, value, 0.5, at_least=True)
    for base in (20, 200):
        what = f"all {base} members known but one"
        yield Score("known members", what, OURS, planting.known_members(False, base, key), _noise_of(plan, 0.2))
        yield Score("known members", what, "public seed", planting.known_members(True, base, key), 0.5, at_least=True)
    yield from _of_magnitudes(key)


def _of_magnitudes(key) -> Iterator[Score]:
    for others in (0, 1, 5):
        what = f"a newcomer's amount to within 10 %, {others} others join"
        hits, chance = magnitudes.night_difference(True, key, others)
        yield Score("magnitude differencing", f"{what}, above chance", OURS, hits - chance, 0.02)
    hits, chance = magnitudes.night_difference(False, key, 0)
    yield Score("magnitude differencing", "a newcomer's amount, above chance", "raw", hits - chance, 0.3, at_least=True)
    hits, chance = magnitudes.dominance(True, key)
    yield Score("dominance", "the largest contributor's amount to within 10 %, above chance", OURS, hits - chance, 0.0)
    hits, chance = magnitudes.dominance(False, key)
    yield Score("dominance", "the largest contributor's amount, above chance", "raw", hits - chance, 0.3, at_least=True)
