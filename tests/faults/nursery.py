"""
Nights that are killed: each in a process of its own, forked from one that has imported what takes long.

Started as `python -m tests.faults.nursery`; takes a request a line on its input, answers with a line each. A child is
killed by SIGKILL: from outside, so many seconds after a step has begun, or by its own hand at the entry or the exit of
a function of the product. No handler runs, nobody says goodbye to a server.
"""

import datetime
import functools
import importlib
import json
import os
import selectors
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

HARMLESS = {"python", "python3", "python3.11", "jemalloc_bg_thd", "polars-ooc-clea"}
"""Threads that may run before a fork: none of them holds a lock that a child needs."""


def warm() -> None:
    """Import what takes seconds, and nothing that computes: the pools of polars and Arrow start in each child."""
    import adbc_driver_postgresql.dbapi  # noqa: F401
    import great_expectations.expectations.core  # noqa: F401
    import paramiko  # noqa: F401
    import scipy.optimize  # noqa: F401

    from anonymizers.text.policy import ANALYSIS
    from anonymizers.text.redaction import redact_each

    redact_each(["図書館で会いました"], threads=[1], known={1: ["花子"]}, policy=ANALYSIS, key=bytes(32))
    threads = {Path(f"/proc/self/task/{number}/comm").read_text().strip() for number in os.listdir("/proc/self/task")}
    if threads - HARMLESS:
        raise SystemExit(f"threads run before the fork: {threads - HARMLESS}")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def mine(where: str, edge: str, nth: int) -> None:
    """Let the process die at the n-th entry or exit of a function, `package.module:name` or `…:Class.name`."""
    module, _, path = where.partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    work, calls = getattr(owner, name), []

    @functools.wraps(work)
    def doomed(*arguments, **named):
        calls.append(name)
        if edge == "before" and len(calls) == nth:
            die()
        result = work(*arguments, **named)
        if edge == "after" and len(calls) == nth:
            die()
        return result

    setattr(owner, name, doomed)


def child(request: dict, tell) -> None:
    os.environ.update(request["environment"])
    tempfile.tempdir = request["temporary"]
    os.umask(0o077)
    from delivery import night as nights
    from delivery.night import Night
    from delivery.settings import read_settings
    from tests.faults import variants
    from tests.faults.campaign import some_tables
    from tests.nights.sites import over

    day = datetime.date.fromisoformat(request["day"])
    night = Night(read_settings(), day, datetime.datetime.fromisoformat(request["now"]), request["run"])
    nights.catalogue = some_tables
    if request.get("variant"):
        getattr(variants, request["variant"])()
    for name in request["steps"]:
        step, kill = getattr(nights, name), request.get("kill") or {}
        if kill.get("step") == name and "where" in kill:
            mine(kill["where"], kill["edge"], kill.get("nth", 1))
        for number, of in enumerate(over(night, name)):
            tell({"begin": name, "number": number})
            step(night) if of is None else step(night, of)
            tell({"end": name, "number": number})
            if kill.get("step") == name and kill.get("edge") == "end" and number == kill.get("number", 0):
                die()


def raise_night(request: dict) -> dict:
    """Fork a night, kill it if that is asked for, and say what became of it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        status = 1
        try:
            with os.fdopen(writing, "w", buffering=1) as pipe:
                child(request, lambda line: pipe.write(json.dumps({**line, "at": time.monotonic()}) + "\n"))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    told = follow(pid, reading, request.get("kill") or {})
    _, status = os.waitpid(pid, 0)
    return {"told": told, "killed": os.WIFSIGNALED(status), "status": os.waitstatus_to_exitcode(status)}


def follow(pid: int, reading: int, kill: dict) -> list[dict]:
    """What the child tells, until it is gone; it is killed on the way."""
    told, rest, due = [], b"", None
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while True:
            if not selector.select(None if due is None else max(0.0, due - time.monotonic())):
                os.kill(pid, signal.SIGKILL)
                due = None
                continue
            data = os.read(reading, 65_536)
            if not data:
                os.close(reading)
                return told
            *lines, rest = (rest + data).split(b"\n")
            for line in map(json.loads, lines):
                told.append(line)
                begun = (line.get("begin"), line["number"]) == (kill.get("step"), kill.get("number", 0))
                if begun and "after" in kill:
                    due = line["at"] + kill["after"]


def main() -> None:
    warm()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(raise_night(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
