"""What the documents and deployment files say is so: settings, statuses, commands, files."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from anonymizers import errors
from delivery.notices import runbook

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = [
    path
    for package in ("anonymizers", "expectations", "transforms", "delivery", "dags", "sudare")
    for path in sorted((ROOT / package).rglob("*.py"))
]
README = (ROOT / "README.md").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
HELM = yaml.safe_load((ROOT / "helm" / "values.yaml").read_text())

KNOWN_OPTIONS = """
import json
from airflow.configuration import conf
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

@providers_configuration_loaded
def known():
    return [[s, o] for s, told in conf.configuration_description.items() for o in told["options"]]

print("KNOWN", json.dumps(known()))
"""

READS = re.compile(
    r'(?:environ(?:ment)?(?:\.get\(|\[)|_(?:database|number|positive)\(environment, |[A-Z_]+ = )"(SUDARE_[A-Z_]+)"'
)


@pytest.fixture(scope="module")
def services() -> dict:
    """The services of docker-compose.yml, anchors and merges resolved."""
    return yaml.safe_load(COMPOSE)["services"]


@pytest.fixture(scope="module")
def variables() -> set[str]:
    """The names of the SUDARE_ variables that product code reads."""
    return {name for path in PRODUCT for name in READS.findall(path.read_text())}


def _lines_beginning(text: str, pattern: str) -> set:
    return set(re.findall(pattern, text, flags=re.MULTILINE))


def test_airflow_knows_every_setting(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", KNOWN_OPTIONS],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    line = next(line for line in told.splitlines() if line.startswith("KNOWN "))
    known = {(section.lower(), option.lower()) for section, option in json.loads(line.removeprefix("KNOWN "))}
    texts = [README, COMPOSE, *(path.read_text() for path in PRODUCT)]
    named = {pair for text in texts for pair in re.findall(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+[A-Z])", text)}
    named |= {(section, option) for section, told in HELM["config"].items() for option in told}

    assert ("celery", "broker_url") in known
    assert named
    assert {pair for pair in named if (pair[0].lower(), pair[1].lower()) not in known} == set()


def test_code_reads_every_variable_that_the_documents_name(variables):
    named = set(re.findall(r"\bSUDARE_[A-Z_]*[A-Z]\b", README + COMPOSE))

    assert named - variables == set()


def test_compose_gives_each_secret_only_from_outside():
    substituted = re.findall(r"\$\{([^}]*)\}", COMPOSE.split("\nx-airflow:", 1)[1])
    secret_lines = [
        line for line in COMPOSE.splitlines() if re.search(r"^ +\w*(SECRET|PASSWORD|KEY|_CONN|_URL)\w*:", line)
    ]
    # What has no value is passed on as it is set.
    open_values = [line for line in secret_lines if "${" not in line and not line.endswith(":")]

    assert all(re.fullmatch(r"[A-Z_]+:\?.+", each) for each in substituted)
    assert {line.split(":")[0].strip() for line in open_values} <= {
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
        "SUDARE_NOTICE_URL",  # passed on as it is set outside, or not at all
    }


def test_every_service_has_an_image_and_one_that_is_waited_for_has_a_health_check(services):
    assert all("image" in service or "build" in service for service in services.values())
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services, name
            assert wait["condition"] != "service_healthy" or "healthcheck" in services[other], (name, other)


def test_images_are_pinned_and_ports_are_local(services):
    images = [service["image"] for service in services.values()]
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert all(re.search(r":\d+\.\d+", image) for image in images)
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


PLACES = {"SUDARE_STAGING_URL", "SUDARE_PUBLISHED", "SUDARE_OUTBOX", "SUDARE_INTAKE"}


def test_workers_share_no_volume_and_nobody_else_has_the_secrets(services):
    """Every place is a URL from outside; a volume that has no name is a container's own."""
    workers_only = {*PLACES, "SUDARE_SECRET", "SUDARE_SOURCE_URL", "AWS_SECRET_ACCESS_KEY"}
    worker = services["worker"]

    assert worker["deploy"]["replicas"] == 2
    assert worker["volumes"] == ["/var/lib/sudare"]
    assert all(worker["environment"][name].startswith(f"${{{name}:?") for name in workers_only)
    for name, service in services.items():
        assert name == "worker" or not workers_only & set(service["environment"])


@pytest.mark.parametrize(
    ("part", "service"), [("workers", "worker"), ("triggerer", "triggerer"), ("dagProcessor", "dag-processor")]
)
def test_on_kubernetes_a_part_has_the_variables_of_its_service_and_every_value_of_them_is_a_secrets(
    services, part, service
):
    shared = yaml.safe_load(COMPOSE)["x-airflow"]["environment"]
    asked = {name: value for name, value in services[service]["environment"].items() if name not in shared}
    given = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in HELM[part]["env"]}

    assert given.keys() == asked.keys()
    assert {name for name, told in given.items() if told.get("optional")} == {n for n, v in asked.items() if v is None}
    assert all(told["key"] == name for name, told in given.items())
    assert part != "workers" or given.keys() >= PLACES


def test_kubernetes_and_docker_have_one_configuration(services):
    shared = yaml.safe_load(COMPOSE)["x-airflow"]["environment"]
    set_here = {(s.upper(), o.upper()): str(v) for s, told in HELM["config"].items() for o, v in told.items()}
    for (section, option), value in set_here.items():
        assert shared.get(f"AIRFLOW__{section}__{option}", value) == value, option
    assert ("CORE", "DAGS_FOLDER") in set_here
    valued = {one["name"]: one["value"] for one in HELM["env"]}
    passed_on = yaml.safe_load(HELM["extraEnv"])
    assert valued == {name: value for name, value in shared.items() if name in valued}
    for one in passed_on:
        assert one["valueFrom"]["secretKeyRef"] == {"name": "sudare", "key": one["name"], "optional": True}
    assert {one["name"] for one in passed_on} == {name for name, value in shared.items() if value is None}
    ours = {name for name in shared if not name.startswith("AIRFLOW_")}
    assert ours == {*valued, *(one["name"] for one in passed_on)}
    assert HELM["airflowHome"] == shared["AIRFLOW_HOME"]
    for image in HELM["images"].values():
        assert f"{image['repository']}:{image['tag']}" == services["worker"]["image"]
    assert HELM["migrateDatabaseJob"]["command"] == services["airflow-init"]["command"]
    assert f"{HELM['uid']}:{HELM['gid']}" == services["worker"]["user"]
    assert f'"apache-airflow=={HELM["airflowVersion"]}"' in (ROOT / "pyproject.toml").read_text()


NOT_PASSED_ON = {
    "SUDARE_<DESTINATION>_LOGIN": "a name for every partner; the Airflow connection of the partner says it",
    "SUDARE_<DESTINATION>_PASSWORD": "the same",
    "SUDARE_<DESTINATION>_PRIVATE_KEY": "the same",
}
"""What the README's table of settings has and docker-compose.yml has not, and why."""


def test_every_setting_of_the_readme_reaches_the_parts_that_read_it(services):
    table = README.split("## Your own site\n", 1)[1].split("\n1. ", 1)[0]
    named = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    settings = {name for names in named for name in re.findall(r"`(\S+)`", names)}
    worker = set(services["worker"]["environment"])

    assert len(settings) > 20
    assert settings - worker == NOT_PASSED_ON.keys()
    assert {name for name in worker if name.startswith("SUDARE_")} - settings == set()
    # Whoever tells what is out asks warehouse and ledger; retries and deadline are the parsed DAG's.
    for service in ("worker", "triggerer", "dag-processor"):
        assert set(services[service]["environment"]) >= {
            *("SUDARE_WAREHOUSE_URL", "SUDARE_LEDGER_URL", "SUDARE_NOTICE_URL"),
            *("SUDARE_RETRIES", "SUDARE_RETRY_SECONDS", "SUDARE_DEADLINE"),
        }


def test_the_tests_run_what_compose_says():
    """Only addresses, and what is hurried, are otherwise."""
    from tests.nights.cluster import HURRIED, _addresses, _env_file, composed

    ports = dict.fromkeys(("api", "broker", "store"), 1)
    ours = {*_addresses("postgresql+psycopg2://x/airflow", ports, "x"), *HURRIED}
    env_file = _env_file("postgresql://x/site", "postgresql://x/warehouse", 1)
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE))
    run = composed("worker", env_file)

    assert asked <= env_file.keys()
    assert env_file.keys() - asked <= {name for name, value in _worker().items() if value is None}
    assert run["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert {name for name in ours if not name.startswith(("AIRFLOW__", "SUDARE_RETR"))} == set()
    assert not ours & {"AIRFLOW__CORE__EXECUTOR", *PLACES}


def _worker() -> dict:
    return yaml.safe_load(COMPOSE)["services"]["worker"]["environment"]


def test_dockerfile_installs_the_lock_and_is_not_root():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {line.split()[1] for line in lines if line.startswith("COPY ")}

    assert "RUN pip install --no-deps --require-hashes -r requirements.lock" in lines
    assert {path.relative_to(ROOT).parts[0] for path in PRODUCT} <= copied
    assert re.match(r"USER [1-9]", [line for line in lines if line.startswith("USER ")][-1])


def _leaves() -> set[tuple[str, str]]:
    """Exit status and reason of every error there is."""

    def leaves(kind):
        below = kind.__subclasses__()
        return [leaf for each in below for leaf in leaves(each)] if below else [kind]

    return {
        (str(leaf.exit_status), leaf("").reason)
        for leaf in leaves(errors.SudareError)
        if leaf.__module__ == errors.__name__
    }


def test_runbook_has_exactly_the_exit_statuses():
    assert _lines_beginning(README, r"^\| (\d+) \| ([A-Z_]+) \|") == _leaves()


def test_a_notice_knows_what_to_do_about_every_reason():
    assert set(runbook()) == {reason for _, reason in _leaves()}
    assert all(english and japanese for english, japanese in runbook().values())


def test_readme_names_exactly_the_commands():
    from sudare.cli import app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}

    assert set(re.findall(r"`sudare ([a-z]+)", README)) == commands


def test_makefile_has_every_target_that_the_readme_names():
    targets = _lines_beginning((ROOT / "Makefile").read_text(), r"^([a-z]+):")
    named = set(re.findall(r"`make ([a-z]+)", README)) | _lines_beginning(README, r"^make ([a-z]+) ")

    assert named
    assert named - targets == set()


def test_make_faults_runs_what_make_test_leaves_out():
    asked = subprocess.run(["make", "--dry-run", "faults"], cwd=ROOT, capture_output=True, text=True, check=True)
    runs = [line.partition("pytest ")[2] for line in asked.stdout.splitlines() if "pytest" in line]

    assert [re.sub(r"-n 2 \S+ \S+ \S+ ", "", run) for run in runs] == [
        "tests/faults --kills 100 -m 'long or not long'",
        "--ignore tests/faults -m long",
    ]


def test_every_test_that_the_readme_names_exists():
    named = set(re.findall(r"tests/[a-z_/]+\.py", README))

    assert named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_no_tracked_file_names_a_machine_or_an_index():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    machine = re.compile(r"(?<![\w.~}])/(?:home|root|work|Users)/\w")
    index = re.compile(r"https?://\S+/simpl[e]\b|index[-]url|find[-]links")
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        text = path.read_bytes().decode(errors="replace")
        for flag in ("index-" + "url", "find-" + "links"):
            text = text.replace(f"--no-emit-{flag}", "")
        found += [f"{name}: {match[0]}" for pattern in (machine, index) for match in pattern.finditer(text)]

    assert found == []
