"""
Run both nights, in turn, each in a process of its own, and compare them.

    python -m bench [--members 1000000 --postings 3000000] [--rounds 3] [--json]

The demo site is made once per size, in an embedded PostgreSQL below ``SUDARE_HOME``, and
is used again. Figures of a busy machine are worth their ratios only; the load is printed.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.watch import STARTED

DAY = datetime.date(2026, 10, 31)
NOW = datetime.datetime(2026, 11, 1, 2, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=9)))
MEASURES = {"wall_s": "wall, s", "cpu_s": "CPU of the process, s", "peak_rss_mb": "peak memory, MiB"}
GOAL_RATIO, GOAL_MB = 5, 1024


def main() -> None:
    """Make or reuse the site, run the rounds, print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.strip().splitlines()[0])
    parser.add_argument("--members", type=int, default=100_000, help="members of the demo site (default: 100000)")
    parser.add_argument("--postings", type=int, default=300_000, help="postings in 28 days (default: 300000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each night, in turn (default: 3)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args()
    os.umask(0o077)
    place = Path(os.environ.get("SUDARE_HOME") or ".sudare").resolve() / "bench" / f"{given.members}-{given.postings}"
    environment = _prepare(place, given.members, given.postings)
    runs: dict[str, list[dict]] = {"naive": [], "ours": []}
    for number in range(1, given.rounds + 1):
        for name, command in _commands(environment, place).items():
            _tell(f"round {number} of {given.rounds}: {name}")
            runs[name].append(_run(command, environment))
    _tell("comparing the outputs")
    result = {
        "machine": _machine(),
        "members": given.members,
        "postings": given.postings,
        "nights": {name: _median(found) for name, found in runs.items()},
        "differences": _compare(environment["SUDARE_SOURCE_URL"], place),
    }
    print(json.dumps(result, ensure_ascii=False, indent=1) if given.json else _report(result))


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _prepare(place: Path, members: int, postings: int) -> dict[str, str]:
    """Start the database, make the site where there is none, grant the readers; the nights' environment."""
    from anonymizers.keys import DEMO_SECRET
    from sudare import grants, postgres
    from sudare.demo.site import make_site

    server = postgres.start(place)
    _tell(f"the site: {members:,} members, {postings:,} postings")
    # This database is the benchmark's own, so a site that an earlier edition of the demo made is made anew.
    made = make_site(server.urls["site"], members=members, postings=postings, until=DAY, replace=True)
    if made.created:
        _forget_nights(place, server.urls["warehouse"])
    grants.apply(server.urls["site"])
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SUDARE_")}
    return {**settings, **server.environment, "SUDARE_HOME": str(place), "SUDARE_SECRET": DEMO_SECRET}


def _forget_nights(place: Path, warehouse: str) -> None:
    """Another site has no last night: its fewer stop signals would rightly stop the first."""
    import psycopg

    with psycopg.connect(warehouse) as connection:
        connection.execute("drop schema if exists stats cascade")
        connection.execute("drop schema if exists sudare cascade")
    for left in ("naive", "ours", "outbox", "published", "staging"):
        shutil.rmtree(place / left, ignore_errors=True)


def _commands(environment: dict[str, str], place: Path) -> dict[str, list[str]]:
    url = environment["SUDARE_SOURCE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    return {
        "naive": ["bench.naive_night", url, DAY.isoformat(), str(place / "naive")],
        "ours": ["bench.night", DAY.isoformat(), str(place / "ours")],
    }


def _run(command: list[str], environment: dict[str, str]) -> dict:
    """One night in a fresh process, which measures itself; its parent says when it was started."""
    started = {STARTED: repr(time.monotonic())}
    done = subprocess.run(
        [sys.executable, "-m", *command], env={**environment, **started}, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


def _median(runs: list[dict]) -> dict:
    """The run with the median wall time, with the measures of all beside it."""
    middle = sorted(runs, key=lambda run: run["wall_s"])[(len(runs) - 1) // 2]
    spread = {name: [run[name] for run in runs] for name in MEASURES}
    return {**middle, **{name: statistics.median(values) for name, values in spread.items()}, "runs": spread}


def _compare(url: str, place: Path) -> dict:
    from bench.comparison import compare, compare_feeds

    naive, outbox = place / "naive", place / "outbox" / "liveramp"
    (ours,) = outbox.glob(f"sudare_liveramp_{DAY:%Y%m%d}_*.csv.gz")
    tables = compare(url, DAY, NOW, naive, place / "ours")
    return {"feed": compare_feeds(url, DAY, NOW, naive / "feed.csv.gz", ours), **tables}


def _machine() -> dict:
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu.partition(":")[2].strip() or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.split()[1]) / 2**20),
        "load_1_min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def _report(result: dict) -> str:
    machine, naive, ours = result["machine"], result["nights"]["naive"], result["nights"]["ours"]
    rows = [("", "naive", "Sudare", "ratio")]
    for name, title in MEASURES.items():
        rows.append((title, _number(naive[name]), _number(ours[name]), f"{naive[name] / ours[name]:.1f}"))
    for name in naive["rows"]:
        rows.append((f"rows: {name}", _number(naive["rows"][name]), _number(ours["rows"][name]), ""))
    also = ours["also"]
    met = naive["wall_s"] / ours["wall_s"] >= GOAL_RATIO and ours["peak_rss_mb"] < GOAL_MB
    return "\n".join(
        [
            f"{result['members']:,} members, {result['postings']:,} postings of 28 days; "
            f"{len(naive['runs']['wall_s'])} runs each in turn, medians",
            f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
            f"load {machine['load_1_min']}, Python {machine['python']}; PostgreSQL's own CPU is not counted",
            "",
            *_aligned(rows),
            "",
            f"goals (wall {GOAL_RATIO} times, memory under {GOAL_MB} MiB): {'met' if met else 'not met'}",
            f"laps, naive:  {_laps(naive['laps'])}",
            f"laps, Sudare: {_laps(ours['laps'])} ({ours['shards']} shards)",
            f"and beyond the naive night: {_laps(also['laps'])}; peak {also['peak_rss_mb']} MiB",
            "",
            *(line for name, found in result["differences"].items() for line in _told(name, found)),
        ]
    )


def _number(value: float) -> str:
    return f"{value:,.1f}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}"


def _laps(laps: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in laps.items())


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    first, *others = (max(len(row[n]) for row in rows) for n in range(len(rows[0])))
    return [
        "  ".join([row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], others, strict=True))]) for row in rows
    ]


def _told(name: str, found: dict) -> list[str]:
    plain = ", ".join(f"{key} {value:,}" for key, value in found.items() if not isinstance(value, dict))
    nested = [
        f"  {key}: " + ", ".join(f"{reason} {count:,}" for reason, count in value.items())
        for key, value in found.items()
        if isinstance(value, dict)
    ]
    return [f"{name}: {plain}", *nested]


if __name__ == "__main__":
    main()
