"""
Running one night on this machine: the real DAG in a process of its own, followed step by step.
"""

import datetime
import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anonymizers.errors import Fault, NightRunning
from delivery.settings import home

POLL_S = 0.2


@dataclass(frozen=True)
class Run:
    """A night that ran: its steps in the order they ended, and where its log is."""

    steps: list[dict]
    log: Path
    seconds: float
    exit_status: int

    @property
    def failures(self) -> list[dict]:
        """Steps that failed and were not retried to success."""
        last = {(one["step"], one["shard"]): one for one in self.steps}
        return [one for one in last.values() if "reason" in one]


def run_night(
    environment: Mapping[str, str], day: datetime.date, on_step: Callable[[dict], None], *, feeds: bool = True
) -> Run:
    """
    Run the DAG for one day and wait for it.

    Args:
        environment: From `sudare.deployment.environment`.

        day: Asia/Tokyo.

        on_step: Called with each step's record as it ends: name, shard, seconds, counts or reason.

        feeds: Also make and send feeds. Removals are sent either way.

    Returns:
        The run; its exit status is that of the first step that failed, or 0.

    Raises:
        NightRunning: a night is running in this home already.
    """
    place = home(environment)
    place.mkdir(parents=True, exist_ok=True)
    with (place / "night.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NightRunning("a night is running in this SUDARE_HOME; wait for it and run again") from None
        return _run_alone(environment, place, day, on_step, feeds)


def _run_alone(
    environment: Mapping[str, str], place: Path, day: datetime.date, on_step: Callable[[dict], None], feeds: bool
) -> Run:
    stamp = f"{day}-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}"
    log, steps = place / "logs" / f"{stamp}.log", place / "logs" / f"{stamp}.steps.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    steps.touch()
    started, seen = time.monotonic(), 0
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dags.run", day.isoformat(), *([] if feeds else ["without-feeds"])],
            # Somebody is waiting: a cause that passes by itself is tried again once, and soon.
            env={"SUDARE_RETRIES": "1", "SUDARE_RETRY_SECONDS": "5", **environment, "SUDARE_STEPS_FILE": str(steps)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                seen = _follow(steps, seen, on_step)
                time.sleep(POLL_S)
        finally:
            process.terminate()
        _follow(steps, seen, on_step)
    records = _read(steps)
    run = Run(records, log, time.monotonic() - started, 0)
    status = _status(run, process.returncode)
    return Run(records, log, run.seconds, status)


def _status(run: Run, returned: int) -> int:
    if run.failures:
        return run.failures[0]["exit_status"]
    return Fault.exit_status if returned else 0


def _read(steps: Path) -> list[dict]:
    return [json.loads(line) for line in steps.read_text().splitlines(keepends=True) if line.endswith("\n")]


def _follow(steps: Path, seen: int, on_step: Callable[[dict], None]) -> int:
    records = _read(steps)
    for record in records[seen:]:
        on_step(record)
    return len(records)
