"""
The mapped part of a night on one worker and on two: `python -m bench.workers [--members 60000]`.

A worker is one core (`taskset`) that takes the next task when it has done one, each in a process of its own as under
Airflow, which is left out. The database is nobody's core: one worker leaves it a whole one, two leave it none, so what
reads from it gains less here than where it is another machine. Printed are seconds of wall by step.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import site

SHARDS = 8
"""Of members; as many tasks."""

CORES = sorted(os.sched_getaffinity(0))[:2]


def main() -> None:
    """Run every mapped task on one worker, then on two, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=60_000)
    members = parser.parse_args().members
    if len(CORES) < 2:
        sys.exit("this machine has one core, so there is nothing to compare")
    ready = site.prepare(Path(os.environ.get("SUDARE_HOME") or ".sudare").resolve(), members, 3 * members)
    each = str(-(-members // SHARDS))
    ready.environment.update(
        SUDARE_MEMBERS_PER_SHARD=each, SUDARE_SHARDS_PER_TASK="1", SUDARE_POSTINGS_PER_TEXT_SHARD=each
    )
    took: dict[tuple[str, int], float] = {}
    for workers in (1, 2):
        site.forget_nights(ready)
        tasks = {"extract": _step(ready, CORES, "plan")}
        tasks["tabulate"] = tasks["extract"]
        tasks["redact"] = list(range(len(_planned(ready)["text_shards"])))
        for name, mapped in tasks.items():
            started = time.monotonic()
            _work(ready, name, mapped, CORES[:workers])
            took[name, workers] = time.monotonic() - started
    for name in (*tasks, "all"):
        one, two = (sum(s for (step, w), s in took.items() if w == n and name in (step, "all")) for n in (1, 2))
        count = sum(map(len, tasks.values())) if name == "all" else len(tasks[name])
        print(f"{name.ljust(9)} {count:3} tasks, one worker {one:7.1f} s, two {two:7.1f} s: {one / two:.2f} times")


def _work(ready: site.Site, name: str, tasks: list, cores: list[int]) -> None:
    free: queue.SimpleQueue[int] = queue.SimpleQueue()
    for core in cores:
        free.put(core)

    def work(task: object) -> None:
        core = free.get()
        _step(ready, [core], name, json.dumps(task))
        free.put(core)

    with ThreadPoolExecutor(len(cores)) as pool:
        list(pool.map(work, tasks))


def _step(ready: site.Site, cores: list[int], *of: str) -> object:
    command = ["taskset", "-c", ",".join(map(str, cores)), sys.executable, "-m", "bench.step", *of]
    done = subprocess.run(command, env=ready.environment, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["result"]


def _planned(ready: site.Site) -> dict:
    from transforms.staging import Staging

    return Staging(str(ready.place / "staging"), site.DAY).read_json("plan.json")


if __name__ == "__main__":
    main()
