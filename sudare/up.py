"""
The Airflow UI on this machine, with a scheduler and parallel tasks, until Ctrl-C.

It has no password: everybody is its administrator. So it listens on 127.0.0.1 and nowhere
else, and no component opens another port.
"""

import base64
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from anonymizers.errors import Fault, SettingRefused
from delivery.settings import home

HOST = "127.0.0.1"
DAG = "nightly"
COMPONENTS = {
    "api-server": ("api-server",),
    # Task logs are read from the disk they were written to, so nobody needs to serve them.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
START_S = 240
"""Seconds in which everything must have become healthy."""

END_S = 15
"""Seconds a child has to end by itself."""

_PORTS = 50

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def up(environment: Mapping[str, str]) -> int:
    """
    Serve the Airflow UI until Ctrl-C or SIGTERM.

    Args:
        environment: From `sudare.deployment.environment`. ``AIRFLOW__API__PORT`` is the port to
            try first, 8080 by default; the next free one is taken.

    Returns:
        The exit status: 0 if somebody ended it.

    Raises:
        SettingRefused: the port is none, or another host than 127.0.0.1 is asked for.
        Fault: a component ended by itself, or did not become healthy.
    """
    keyed = {"AIRFLOW__CORE__FERNET_KEY": fernet_key(Path(environment["AIRFLOW_HOME"])), **environment}
    settings = served(keyed, free_port(_wanted_port(environment)))
    url = settings["AIRFLOW__API__BASE_URL"]
    logs = home(environment) / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with _stop_signals() as stop, _children() as start:
        with err.status("preparing Airflow's database"):
            migration = start("migrate", ["-m", "dags.run", "migrate"], settings, logs)
            _wait(lambda: migration.process.poll() is not None, "the migration", [], stop)
            if migration.process.returncode and not stop.is_set():
                raise Fault(f"Airflow's database could not be brought to this version; see {migration.log}")
        with err.status("starting Airflow"):
            running = [
                start(name, ["-m", "airflow", *arguments], settings, logs)
                for name, arguments in COMPONENTS.items()
                if not stop.is_set()
            ]
            _wait(lambda: _healthy(url), "Airflow", running, stop)
            _wait(lambda: _unpause(url), f"the DAG {DAG}", running, stop)
        if not stop.is_set():
            _tell(url, logs)
        while not stop.wait(1):
            _check(running)
        err.print("ending Airflow")
    return 0


def served(environment: Mapping[str, str], port: int) -> dict[str, str]:
    """
    The environment of Airflow's components when they are served on this port.

    Nothing runs on a schedule unless ``AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE`` is set: the DAG is not
    paused, so that a night by hand starts at once, and a demo has no last night to catch up with.
    """
    if environment.get("AIRFLOW__API__HOST", HOST) != HOST:
        raise SettingRefused(f"AIRFLOW__API__HOST: `sudare up` has no password and listens on {HOST} only")
    url = f"http://{HOST}:{port}"
    return {
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        # The components must agree on these; they are worth nothing after this run.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
        **environment,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
    }


def fernet_key(airflow: Path) -> str:
    """
    The key under which Airflow keeps connections and triggers, the same for all components and every start.

    Without one Airflow makes it when it first writes its configuration; of components that start at once one may read
    none, and then cannot read what the others have written.
    """
    kept, written = airflow / "fernet.key", airflow / "airflow.cfg"
    if not kept.exists():
        found = re.search(r"^fernet_key = (\S+)$", written.read_text(), re.MULTILINE) if written.exists() else None
        airflow.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(found[1] if found else base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    return kept.read_text()


def _wanted_port(environment: Mapping[str, str]) -> int:
    text = environment.get("AIRFLOW__API__PORT") or "8080"
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise SettingRefused("AIRFLOW__API__PORT is no port")
    return int(text)


def free_port(first: int) -> int:
    """The first port from this one on that nobody listens on."""
    for port in range(first, min(first + _PORTS, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise SettingRefused(f"AIRFLOW__API__PORT: no port from {first} on is free")


@dataclass(frozen=True)
class _Child:
    name: str
    process: subprocess.Popen
    log: Path


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set."""
    stop = threading.Event()
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in asked}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _children() -> Iterator[Callable[..., _Child]]:
    """A function that starts children; whatever happens, they and what they started have ended afterwards."""
    children: list[_Child] = []

    def start(name: str, arguments: list[str], environment: Mapping[str, str], logs: Path) -> _Child:
        log = logs / f"up-{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches it through us, once, and in order.
                start_new_session=True,
            )
        children.append(_Child(name, process, log))
        return children[-1]

    try:
        yield start
    finally:
        _end(children)


def _end(children: list[_Child]) -> None:
    """First politely, all at once; then whoever is left of each child's group."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + END_S
    for child in children:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
    for child in children:
        try:
            os.killpg(child.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _wait(done: Callable[[], bool], what: str, running: list[_Child], stop: threading.Event) -> None:
    """Until it is done, or somebody stops us."""
    deadline = time.monotonic() + START_S
    while not stop.is_set() and not done():
        _check(running)
        if time.monotonic() > deadline:
            raise Fault(f"{what} was not ready after {START_S} s; its logs are below SUDARE_HOME/logs")
        stop.wait(0.5)


def _check(running: list[_Child]) -> None:
    for child in running:
        if child.process.poll() is not None:
            raise Fault(f"{child.name} ended by itself with status {child.process.returncode}; see {child.log}")


def _healthy(url: str) -> bool:
    """Whether the metadata database and all components are up."""
    told = _ask(f"{url}/api/v2/monitor/health") or {}
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return all((told.get(part) or {}).get("status") == "healthy" for part in parts)


def _unpause(url: str) -> bool:
    """Let the DAG run when it is triggered; false while it is not parsed yet."""
    told = _ask(f"{url}/api/v2/dags/{DAG}?update_mask=is_paused", {"is_paused": False})
    return bool(told) and told.get("is_paused") is False


def _ask(url: str, patch: dict | None = None) -> dict | None:
    """The answer of our own server, or nothing while it cannot give one."""
    request = urllib.request.Request(url)  # noqa: S310  our own http address
    if patch is not None:
        request = urllib.request.Request(  # noqa: S310
            url, json.dumps(patch).encode(), {"Content-Type": "application/json"}, method="PATCH"
        )
    # Never through a proxy that the environment may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _tell(url: str, logs: Path) -> None:
    out.print(f"Airflow: {url}  (this machine only; no password; logs in {logs})")
    out.print(f"A night: {url}/dags/{DAG}, Trigger, parameter day = 2026-10-31; or")
    out.print(
        f"  curl -X POST {url}/api/v2/dags/{DAG}/dagRuns -H 'Content-Type: application/json' "
        """-d '{"logical_date": null, "conf": {"day": "2026-10-31"}}'""",
        markup=False,
    )
    out.print("Ctrl-C ends it.")
