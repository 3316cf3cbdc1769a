"""The benchmark's report: what counts, what fails, and that the same figures make the same files."""

import copy

import pytest

from bench import limits, report
from bench.watch import Watch

LAPS = {name: {"wall_s": 2.0, "cpu_s": 1.0} for name in ("start", *report.OWN, "gate_tables")}
NIGHT = {"laps": LAPS, "wall_s": 18.0, "cpu_s": 9.0, "server_s": 1.0, "peak_mb": 500, "runs": [{"load": 1.0}]}
NAIVE = NIGHT | {"laps": {"start": {"wall_s": 9, "cpu_s": 9}, "read": {"wall_s": 60, "cpu_s": 36}}, "peak_mb": 6000}
SQL = {"wall_s": 40.0, "cpu_s": 0.0, "server_s": 38.0, "runs": [{"load": 1.0}]}
NANOSECONDS = {"sha256": 66.0, "hmac": 130.0}, {"sha256": 200.0, "hmac": 300.0}


def step(wall: float, peak: int) -> dict:
    return {"tasks": 2, "start_s": 1.0, "wall_s": wall, "cpu_s": wall, "server_s": 1, "peak_mb": peak, "space_mb": 9}


def size(members: int, wall: float, peak: int) -> dict:
    reading = {side: {"wall_s": wall} for side, wall in (("read", 4.0), ("copy", 2.0))}
    return {
        "members": members,
        "postings": 3 * members,
        "steps": {name: step(wall, peak) for name in ("plan", "extract", "tabulate", "gate_tables", "gate_feed")},
        "limits": {
            "reading": {"statistics": reading, "ads": reading},
            "libcrypto_ns": NANOSECONDS[0],
            "ours_ns": NANOSECONDS[1],
            "bandwidth": 1e10,
            "staged_bytes": 1e9,
        },
    }


def found() -> dict:
    small = size(100_000, 1, 300) | {
        "nights": {"naive": NAIVE, "sql": SQL, "same": NIGHT, "whole": NIGHT},
        "differences": {"feed": {"naive": 3, "unexplained": 0}},
    }
    sides = {
        "ours": {"rows": 9, "writing_us": 2.0, "file_us": 2.0, "route_us": 3.0, "peak_mb": 1},
        "naive": {"rows": 9, "writing_us": 20.0, "file_us": 20.0, "route_us": 6.0, "peak_mb": 1},
    }
    machine = {"date": "2026-10-31", "cpu": "c", "cores": 2, "memory_gib": 24, "load_1_min": 0.1, "python": "3.11"}
    sizes = [small, size(400_000, 5, 330)]
    return {"machine": machine, "command": "python -m bench", "sizes": sizes, "feeds": sides}


def held(of: dict) -> dict[str, bool]:
    return {bar.what: bar.holds for bar in report.bars(of)}


def test_starting_counts_to_no_side():
    assert report.cpu(NAIVE) == 36
    assert report.cpu(NIGHT, report.OWN) == len(report.OWN)


def test_what_the_rival_does_not_do_is_not_held_against_it():
    assert report.cpu(NIGHT) == report.cpu(NIGHT, report.OWN) + 1


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("memory of the largest process", lambda f: f["sizes"][1]["steps"]["plan"].update(peak_mb=1025)),
        ("LiveRamp file, rows in order, written and sealed, beside `to_csv` with gzip",
         lambda f: f["feeds"]["ours"].update(writing_us=3.0)),
        ("gates, of the night's CPU", lambda f: None),
        ("reading, of COPY BINARY's rate: ads",
         lambda f: f["sizes"][1]["limits"]["reading"]["ads"].update(copy={"wall_s": 1.0})),
        ("hmac, of libcrypto's rate, one core", lambda f: f["sizes"][1]["limits"]["ours_ns"].update(hmac=400.0)),
        ("wall, of COPY BINARY's over the same columns", lambda f: None),
        ("time per four times the rows, from 100,000 to 400,000 members", lambda f: None),
        ("memory per four times the rows, from 100,000 to 400,000 members",
         lambda f: f["sizes"][1]["steps"]["plan"].update(peak_mb=400)),
    ],
)  # fmt: skip
def test_a_bar_that_is_missed_says_no(what, change):
    figures = copy.deepcopy(found())
    change(figures)
    assert held(figures)[what] is False


def test_a_bar_that_is_reached_says_yes():
    told = held(found())
    assert told["memory of the largest process"] and told["hmac, of libcrypto's rate, one core"]
    assert told["memory per four times the rows, from 100,000 to 400,000 members"]
    assert told["reading, of COPY BINARY's rate: ads"]


@pytest.mark.parametrize(
    ("naive_cpu", "peak", "hmac", "status"), [(36, 500, 300, 0), (8, 500, 300, 1), (36, 1025, 300, 1), (36, 5, 700, 1)]
)
def test_the_short_form_fails_below_a_floor_and_above_the_ceiling(naive_cpu, peak, hmac, status):
    naive = NAIVE | {"laps": {"read": {"wall_s": 60, "cpu_s": naive_cpu}}}
    assert report.judge(naive, NIGHT | {"peak_mb": peak}, NANOSECONDS[0], NANOSECONDS[1] | {"hmac": hmac}) == status


def test_the_same_figures_make_the_same_files(tmp_path):
    for place in (tmp_path / "one", tmp_path / "two"):
        report.write(found(), place)
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two
    assert one.keys() == {"performance.md", "memory.svg", "time.svg", "nights-100000.svg"}


def test_laps_have_wall_and_cpu():
    watch = Watch()
    watch.lap("one")
    sum(range(1_000_000))
    watch.lap("two")
    assert watch.laps["two"]["cpu_s"] > 0 and watch.laps["two"]["wall_s"] > 0


def test_our_digests_are_compared_with_those_of_libcrypto():
    told = limits.ours()
    assert 0 < told["sha256"] < told["hmac"]
