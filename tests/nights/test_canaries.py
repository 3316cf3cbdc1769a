"""
The canaries of the demo site are found nowhere outside it: not in outputs, logs, XCom, rendered fields or staging.

Two nights on the real DAG: a green one, and one in which every task fails with rows in hand.
"""

import datetime
import fcntl
import gzip
import json
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pyarrow.parquet as pq
import pytest

from delivery.destinations.liveramp import DESTINATION as LIVERAMP
from sudare.demo.canaries import CANARY_PATTERN
from sudare.demo.partner_list import write_partner_list
from sudare.demo.site import DEMO_DAY
from sudare.deployment import DEMO_AGREEMENTS, environment
from tests.databases import copy_database
from tests.delivery.webhooks import webhook
from tests.nights.collectors import collector
from tests.nights.failing_night import STEPS
from transforms.datasets import DATASETS
from transforms.spec import Reader
from transforms.tables import catalogue

ROOT = Path(__file__).resolve().parents[2]


def readings(content: bytes, name: str) -> Iterator[str]:
    """Everything a reader could make of a file: as it is, unpacked, and as a table."""
    if name.endswith(".parquet"):
        yield str(pq.read_table(name).to_pydict())
        return
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    for decode in ("utf-8", "unicode_escape"):
        yield content.decode(decode, errors="replace")


def surfaces(home: Path) -> Iterator[tuple[str, str]]:
    """Every file below a deployment's home but the database's own."""
    for path in sorted(p for p in home.rglob("*") if p.is_file() and "postgres" not in p.relative_to(home).parts):
        for text in readings(path.read_bytes(), str(path)):
            yield str(path.relative_to(home)), text


def rows_of(url: str) -> Iterator[tuple[str, str]]:
    """Every row of every table of a database, binary columns unpacked."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, name in tables:
            for row in connection.execute(f'select * from {schema}."{name}"'):
                yield f"{schema}.{name}", " ".join(map(legible, row))


def legible(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        try:
            return zlib.decompress(bytes(value)).decode(errors="replace")
        except zlib.error:
            return bytes(value).decode(errors="replace")
    return json.dumps(value, ensure_ascii=False, default=str)


def traces(found: Iterator[tuple[str, str]]) -> dict[str, int]:
    """Places in which a canary shows, with how often; the canaries themselves are not repeated."""
    counts: dict[str, int] = {}
    for place, text in found:
        hits = len(CANARY_PATTERN.findall(unicodedata.normalize("NFKC", text)))
        if hits:
            counts[place] = counts.get(place, 0) + hits
    return counts


@pytest.fixture(scope="module")
def deployment(server, tmp_path_factory) -> dict[str, str]:
    """A deployment on one machine over a copy of the demo site."""
    home = tmp_path_factory.mktemp("deployment")
    site = copy_database(server, "site")
    write_partner_list(site, home / "intake")
    metadata = copy_database(server).replace("postgresql://", "postgresql+psycopg2://")
    return environment(
        {
            "PATH": "/usr/bin:/bin",
            "SUDARE_HOME": str(home),
            "SUDARE_SOURCE_URL": site,
            "SUDARE_AGREEMENTS": str(DEMO_AGREEMENTS),
            "SUDARE_WAREHOUSE_URL": copy_database(server),
            "SUDARE_SECRET": "a secret of the tests, long enough to be one",
            "SUDARE_MEMBERS_PER_SHARD": "1500",
            "SUDARE_SHARDS_PER_TASK": "1",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        }
    )


def command(deployment: dict[str, str], *arguments: str, **changes: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**deployment, **changes},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=800,
    )


def through_airflow(deployment: dict[str, str]) -> dict[str, str]:
    """The same deployment, with its databases as Airflow connections and its secret as a Variable."""

    def connection(url: str) -> str:
        parts = urlsplit(url)
        extra = dict(parse_qsl(parts.query))
        return json.dumps({"conn_type": "postgres", "login": parts.username, "schema": parts.path[1:], "extra": extra})

    rest = {name: value for name, value in deployment.items() if name not in ("SUDARE_SOURCE_URL", "SUDARE_SECRET")}
    return {
        **{name: value for name, value in rest.items() if name != "SUDARE_WAREHOUSE_URL"},
        "CANARY_SOURCE_URL": deployment["SUDARE_SOURCE_URL"],
        "AIRFLOW_CONN_SUDARE_SOURCE": connection(deployment["SUDARE_SOURCE_URL"]),
        "AIRFLOW_CONN_SUDARE_WAREHOUSE": connection(deployment["SUDARE_WAREHOUSE_URL"]),
        "AIRFLOW_VAR_SUDARE_SECRET": deployment["SUDARE_SECRET"],
    }


def require_no_trace(deployment: dict[str, str], *outputs: str) -> None:
    metadata = deployment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
    assert traces(surfaces(Path(deployment["SUDARE_HOME"]))) == {}
    assert traces(rows_of(metadata)) == {}
    assert traces(rows_of(deployment["SUDARE_WAREHOUSE_URL"])) == {}
    assert traces(("output", text) for text in outputs) == {}


def require_owner_only(home: Path) -> None:
    """Staged rows, feeds and logs are nobody else's to read."""
    files = [path for place in ("staging", "outbox", "logs") for path in (home / place).rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_the_scan_sees_a_canary_where_there_is_one(deployment, tmp_path):
    """In every form it is to see through: full width, spaced, packed, in a table of a database."""
    (tmp_path / "a.txt").write_text("花 ＣＡＮＡＲＹ 花子")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress("ｃａｎａｒｙ＋001＠ｅｘａｍｐｌｅ．ｊｐ".encode()))
    (tmp_path / "c.json").write_text(json.dumps("CANARY花子"))
    assert set(traces(surfaces(tmp_path))) == {"a.txt", "b.csv.gz", "c.json"}
    assert "public.members" in traces(rows_of(deployment["SUDARE_SOURCE_URL"]))


@pytest.mark.timeout(900)
def test_green_nights_on_the_real_dag_leave_no_canary_anywhere(deployment):
    """A backfill of two days. The older one makes no feed; what a machine is told of both says what happened."""
    first, last = DEMO_DAY - datetime.timedelta(days=1), DEMO_DAY
    asked = ("-m", "sudare.cli", "backfill", "--from", first.isoformat(), "--to", last.isoformat(), "--json")
    assert command(deployment, *asked).returncode == 13  # nobody is there to be asked
    log = Path(deployment["SUDARE_HOME"]) / "lineage.jsonl"
    with collector() as metrics:
        nights = command(
            deployment,
            *(*asked, "--yes"),
            AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps({"type": "file", "log_file_path": str(log), "append": True}),
            AIRFLOW__METRICS__OTEL_ON="True",
            OTEL_EXPORTER_OTLP_ENDPOINT=metrics.url,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        )
    assert nights.returncode == 0, nights.stdout[-2000:]
    require_lineage(log)
    require_counts(metrics.points)
    told = json.loads(nights.stdout)
    assert [one["night"] for one in told["runs"]] == [first.isoformat(), last.isoformat()]
    assert set(told["runs"][0]["steps"]) == set(STEPS) - {"build_feed", "gate_feed", "hand_over"}
    assert set(told["runs"][1]["steps"]) == set(STEPS)
    again = json.loads(command(deployment, *asked, "--plan").stdout)
    assert [one["verdict"] for one in again["plan"]["nights"]] == ["published", "published"]
    require_owner_only(Path(deployment["SUDARE_HOME"]))
    require_no_trace(deployment, nights.stdout, nights.stderr)


def require_lineage(log: Path) -> None:
    """Every step that reads or makes something says which datasets, and which columns its role is granted."""
    events = [json.loads(line) for line in log.read_text().splitlines()]
    told = {(event["job"]["name"].split(".")[-1], event["eventType"]): event for event in events if event.get("inputs")}
    read = {one["name"].split(".")[-1]: columns_of(one) for one in told["extract", "RUNNING"]["inputs"]}
    granted = {name: [c.name for c in one.read_by(Reader.STATISTICS)] for name, one in DATASETS.items()}
    assert read == {name: columns for name, columns in granted.items() if columns}
    made = {one["name"].split(".")[-1]: columns_of(one) for one in told["publish", "RUNNING"]["outputs"]}
    assert {name: list(table.columns) for name, table in catalogue().items()} == {n: made[n] for n in catalogue()}
    (feed,) = told["hand_over", "RUNNING"]["outputs"]
    assert (feed["name"], columns_of(feed)) == ("feeds/liveramp", [h for h, _ in LIVERAMP.columns])
    assert "a secret of the tests" not in log.read_text()


def columns_of(dataset: dict) -> list[str]:
    return [one["name"] for one in dataset["facets"]["schema"]["fields"]]


def require_counts(points: list[tuple[str, dict, float]]) -> None:
    """Airflow's OpenTelemetry carries seconds by step, and rows by step, dataset and reason."""
    timed = {tags["step"] for name, tags, _ in points if name.endswith("sudare.step")}
    assert timed == set(STEPS)
    rows: dict[str, float] = {}
    for name, tags, value in points:
        if name.endswith("sudare.count") and tags["step"] == "extract":
            rows[tags["what"]] = max(rows.get(tags["what"], 0), value)
    dropped = sum(value for what, value in rows.items() if what.startswith("members.dropped."))
    assert rows["members.read"] == rows["members.kept"] + dropped
    assert dropped > 0


def test_a_night_in_which_every_task_fails_with_rows_in_hand_leaves_no_canary_anywhere(deployment):
    """Here the settings are Airflow's connections and a Variable, as on a cluster."""
    with webhook() as server:
        night = command(
            through_airflow(deployment),
            *("-m", "tests.nights.failing_night", DEMO_DAY.isoformat()),
            SUDARE_NOTICE_URL=server.url,
        )
    assert night.returncode == 0, night.stdout[-2000:]
    assert server.taken == []  # all of them were tried again, with success
    log = night.stdout + night.stderr
    assert log.count("Fault") >= len(STEPS)
    require_no_trace(deployment, night.stdout, night.stderr)


FAILURES = {
    "a key that is too short": (11, {"SUDARE_SECRET": "short"}),
    "no key": (10, {"SUDARE_SECRET": ""}),
    "a threshold under five": (14, {"SUDARE_THRESHOLD": "3"}),
    "a threshold that is no number": (13, {"SUDARE_THRESHOLD": "many"}),
    "a source that is no URL": (13, {"SUDARE_SOURCE_URL": "elsewhere"}),
    "a source that does not answer": (20, {"SUDARE_SOURCE_URL": "postgresql://nobody@127.0.0.1:9/site"}),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_has_an_exit_status_of_its_own(deployment, what):
    status, changes = FAILURES[what]
    night = command(deployment, "-m", "sudare.cli", "night", **changes)
    assert night.returncode == status
    assert "Traceback" not in night.stderr


def test_a_failure_inside_the_dag_has_its_exit_status_too(deployment):
    """The reason travels from a task to the command that started the night, to a webhook and to the monitor."""
    with webhook() as server:
        asked = ("-m", "sudare.cli", "night", "--date", "2036-01-01", "--json")
        night = command(deployment, *asked, SUDARE_NOTICE_URL=server.url)
    assert night.returncode == 16
    (failure,) = json.loads(night.stdout)["failures"]
    assert (failure["step"], failure["reason"]) == ("plan", "DAY_REFUSED")
    (notice,) = server.taken
    told = {name: notice[name] for name in ("dag", "step", "day", "reason", "exit_status", "retry_may_help")}
    assert told == {
        **{"dag": "nightly", "step": "plan", "day": "2036-01-01"},
        **{"reason": "DAY_REFUSED", "exit_status": 16, "retry_may_help": False},
    }
    assert notice["out"] == {"tables": False, "feeds": []}
    assert "a-token-of-a-test" not in "".join(text for _, text in surfaces(Path(deployment["SUDARE_HOME"])))
    status = command(deployment, "-m", "sudare.cli", "status", "--date", "2036-01-01", "--json")
    assert [one["step"] for one in json.loads(status.stdout)["failures"]] == ["plan"]


def test_a_second_night_in_the_same_home_is_turned_away(deployment):
    with (Path(deployment["SUDARE_HOME"]) / "night.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert command(deployment, "-m", "sudare.cli", "night").returncode == 18


def test_the_privacy_officer_can_verify_and_the_analyst_can_read(deployment):
    """After the nights above; the commands that people type."""
    assert command(deployment, "-m", "sudare.cli", "verify").returncode == 0
    shown = command(deployment, "-m", "sudare.cli", "show", "activity_by_hour", "--rows", "3")
    assert "時間帯" in shown.stdout
    feeds = json.loads(command(deployment, "-m", "sudare.cli", "feeds", "--json").stdout)
    assert feeds[0]["last_feed"]["sent"] > 25
    assert len(json.loads(command(deployment, "-m", "sudare.cli", "tables", "--json").stdout)) == 8
