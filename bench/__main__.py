"""
The night beside the naive night, SQL alone and the machine's own limits, in one run; what it finds goes to docs/.

    python -m bench [--members 100000 1000000] [--rounds 3] [--steps-only-from 2000000] [--text] [--short]

A demo site is made once per size, in an embedded PostgreSQL below ``SUDARE_HOME``, and used again; there are three
postings to a member. Figures of a busy machine are worth their ratios only; the load is printed. ``--short`` takes
about a minute and writes nothing: it fails where a ratio is below its floor.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench import feeds, limits, report, site
from bench.watch import STARTED, machine, server_cpu_s

DOCS = Path(__file__).resolve().parent.parent / "docs"
SHORT = 60_000
"""Members of the short form."""

STEPS = (
    ("plan", ""),
    ("extract", "shards"),
    ("tabulate", "shards"),
    ("stand_in", ""),
    ("merge_cells", ""),
    ("disclose", ""),
    ("gate_tables", ""),
    ("publish", ""),
    ("build_feed", "feeds"),
    ("gate_feed", "feeds"),
    ("hand_over", "feeds"),
    ("remove", "feeds"),
)
"""Steps of the night with what each is mapped over."""


def main() -> None:
    """Measure, then write or judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.strip().splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[100_000], help="sizes of the demo site")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each night, in turn (default: 3)")
    parser.add_argument(
        "--steps-only-from",
        type=int,
        default=2_000_000,
        help="members from which the rivals, which hold everything in memory, are left out",
    )
    parser.add_argument("--text", action="store_true", help="the naive redactor as well; installs Presidio and GiNZA")
    parser.add_argument("--short", action="store_true", help="ratios against their floors; writes nothing")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the table and the plots go")
    given = parser.parse_args()
    os.umask(0o077)
    home = Path(os.environ.get("SUDARE_HOME") or ".sudare").resolve()
    if given.short:
        ready = site.prepare(home, SHORT, 3 * SHORT)
        sys.exit(report.judge(_night(ready, "naive"), _night(ready, "own"), limits.libcrypto(), limits.ours()))
    sizes = [
        _measure(home, members, given.rounds, rivals=members < given.steps_only_from)
        for members in sorted(given.members)
    ]
    found = {
        "machine": machine(),
        "command": _command(given),
        "sizes": sizes,
        "feeds": feeds.measure(1_000_000, 200_000, given.rounds),
    }
    if given.text:
        found["text"] = _redactor()
    os.umask(0o022)  # what a night leaves is its owner's only, the report is everybody's
    report.write(found, given.docs)
    print((given.docs / "performance.md").read_text())


def _command(given: argparse.Namespace) -> str:
    text = " --text" if given.text else ""
    return f"python -m bench --members {' '.join(map(str, given.members))} --rounds {given.rounds}{text}"


def _measure(home: Path, members: int, rounds: int, *, rivals: bool) -> dict:
    """All figures of one size."""
    ready = site.prepare(home, members, 3 * members)
    found: dict = {"members": members, "postings": 3 * members, "steps": _steps(ready)}
    runs = [_run(ready, ["bench.limits"]) for _ in range(rounds if rivals else 1)]
    # The least disturbed one: a limit is what can be reached.
    found["limits"] = min(runs, key=lambda run: run["reading"]["statistics"]["copy"]["wall_s"])
    if not rivals:
        return found
    nights: dict[str, list[dict]] = {"naive": [], "sql": [], "same": [], "whole": []}
    for _ in range(rounds):
        for name, runs in nights.items():
            runs.append(_night(ready, name))
    found["nights"] = {name: _median(runs) for name, runs in nights.items()}
    site.tell("comparing the outputs")
    found["differences"] = _compare(ready)
    return found


def _night(ready: site.Site, name: str) -> dict:
    """One night in a fresh process, with the server's CPU."""
    postgres = ready.place / site.POSTGRES
    site.tell(f"night: {name}")
    before, started = server_cpu_s(postgres), time.monotonic()
    if name == "sql":
        command = [
            limits.psql(),
            ready.url,
            "-v",
            f"day={site.DAY}",
            "-f",
            str(Path(__file__).with_name("sql_night.sql")),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        told = {"wall_s": round(time.monotonic() - started, 3), "cpu_s": 0.0}
    elif name == "naive":
        url = ready.url.replace("postgresql://", "postgresql+psycopg://", 1)
        told = _run(ready, ["bench.naive_night", url, site.DAY.isoformat(), str(ready.place / "naive")])
    else:
        site.forget_nights(ready)
        extent = [] if name == "whole" else [name]
        told = _run(ready, ["bench.night", site.DAY.isoformat(), str(ready.place / "ours"), *extent])
    # Of our night the server's part is that of the same outputs, which the night itself has taken.
    return {"server_s": round(server_cpu_s(postgres) - before, 2)} | told | {"load": round(os.getloadavg()[0], 1)}


def _steps(ready: site.Site) -> dict[str, dict]:
    """Every step of the night, each task of it in a process of its own."""
    site.forget_nights(ready)
    told: dict[str, dict] = {}
    over = {"": [None], "shards": [], "feeds": [json.dumps("liveramp")]}
    for name, mapped in STEPS:
        site.tell(f"step: {name}")
        tasks = [_task(ready, name, of) for of in over[mapped]]
        if name == "plan":
            over["shards"] = [json.dumps(task) for task in tasks[0].pop("result")]
        told[name] = _sum_of(tasks)
    return told


def _task(ready: site.Site, name: str, of: str | None) -> dict:
    postgres = ready.place / site.POSTGRES
    before = server_cpu_s(postgres)
    with _Space(ready.place / "staging", ready.place / "outbox") as space:
        told = _run(ready, ["bench.step", name, *([of] if of else [])])
    return told | {"server_s": server_cpu_s(postgres) - before, "space_mb": space.most / 2**20}


def _sum_of(tasks: list[dict]) -> dict:
    return {
        "tasks": len(tasks),
        "start_s": round(statistics.median(t["start"]["cpu_s"] for t in tasks), 2),
        "wall_s": round(sum(t["step"]["wall_s"] for t in tasks), 2),
        "cpu_s": round(sum(t["step"]["cpu_s"] for t in tasks), 2),
        "server_s": round(sum(t["server_s"] for t in tasks), 2),
        "peak_mb": max(t["peak_mb"] for t in tasks),
        "space_mb": round(max(t["space_mb"] for t in tasks)),
    }


class _Space:
    """The most bytes that files in some folders have had while it was entered."""

    def __init__(self, *folders: Path) -> None:
        self._folders, self._over, self.most = folders, threading.Event(), 0

    def __enter__(self) -> "_Space":
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while True:
            self.most = max(self.most, sum(_size(folder) for folder in self._folders))
            if self._over.wait(0.2):
                return

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size
        except OSError:  # deleted since it was listed
            continue
    return size


def _run(ready: site.Site, command: list[str]) -> dict:
    """A process that measures itself; its parent says when it was started."""
    started = {STARTED: repr(time.monotonic())}
    done = subprocess.run(
        [sys.executable, "-m", *command], env={**ready.environment, **started}, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


def _median(runs: list[dict]) -> dict:
    """The run with the median wall time, and what the others took."""
    middle = sorted(runs, key=lambda run: run["wall_s"])[(len(runs) - 1) // 2]
    return middle | {"runs": [{name: run[name] for name in ("wall_s", "cpu_s", "server_s", "load")} for run in runs]}


def _compare(ready: site.Site) -> dict:
    from bench.comparison import compare, compare_feeds

    naive = ready.place / "naive"
    (ours,) = (ready.place / "outbox" / "liveramp").glob(f"sudare_liveramp_{site.DAY:%Y%m%d}_*.csv.gz")
    tables = compare(ready.url, site.DAY, site.NOW, naive, ready.place / "ours")
    return {"feed": compare_feeds(ready.url, site.DAY, site.NOW, naive / "feed.csv.gz", ours), **tables}


def _redactor() -> dict:
    """Texts a second of the product and of the naive redactor, from `bench.text`."""
    done = subprocess.run([sys.executable, "-m", "bench.text", "--rival", "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["speed"]


if __name__ == "__main__":
    main()
