"""
The documents and deployment files say what the code does: what they name exists, and what exists they name.
"""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from anonymizers import errors
from delivery.destinations import destinations
from sudare.cli import app
from transforms.tables import catalogue

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
CODE = {
    path: path.read_text(encoding="utf-8")
    for package in ("anonymizers", "expectations", "transforms", "delivery", "dags", "sudare")
    for path in sorted((ROOT / package).rglob("*.py"))
}

_VARIABLE = re.compile(r"\bSUDARE_[A-Z][A-Z_]*[A-Z]\b")
_AIRFLOW = re.compile(r"\bAIRFLOW__[A-Z0-9_]+\b")

INTERNAL = {"SUDARE_STEPS_FILE"}
"""Set by one part of the code for another; nobody else sets it."""


def read_by_the_code() -> set[str]:
    """Every string of the code that is a variable's name, whole."""
    constants = (
        node.value
        for source in CODE.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {text for text in constants if _VARIABLE.fullmatch(text)}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def section(title: str) -> str:
    """The text of one section of the README."""
    return re.split(r"^## ", README.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.fixture(scope="module")
def airflow_options() -> set[str]:
    """Every option that the installed Airflow knows, as the variable that sets it."""
    from airflow.configuration import conf

    described = conf.configuration_description
    return {
        f"AIRFLOW__{name}__{option}".upper().replace(".", "_")
        for name, options in described.items()
        for option in options["options"]
    }


@pytest.mark.parametrize("name", sorted(set(_AIRFLOW.findall(COMPOSE + DOCKERFILE + README))))
def test_airflow_knows_every_variable_the_deployment_sets(name, airflow_options):
    assert name in airflow_options


def test_airflow_knows_every_variable_the_code_sets(airflow_options):
    named = {name for source in CODE.values() for name in _AIRFLOW.findall(source)}
    assert named - airflow_options == set()


def test_an_option_that_airflow_does_not_have_is_found(airflow_options):
    assert "AIRFLOW__WEBSERVER__WEB_SERVER_PORT" not in airflow_options
    assert "AIRFLOW__CORE__EXECUTOR" in airflow_options


@pytest.mark.parametrize("name", sorted(set(_VARIABLE.findall(README + COMPOSE + DOCKERFILE))))
def test_a_variable_that_is_promised_is_read(name):
    assert name in read_by_the_code()


@pytest.mark.parametrize("name", sorted(read_by_the_code() - INTERNAL))
def test_a_variable_that_is_read_is_explained(name):
    assert f"`{name}`" in README


def test_what_a_deployment_sets_reaches_the_workers():
    worker = SERVICES["worker"]["environment"]
    settings = set(_VARIABLE.findall((ROOT / "delivery" / "settings.py").read_text(encoding="utf-8")))
    one_night_only = {"SUDARE_ACCEPT_FEWER_STOP_SIGNALS"}
    assert settings - one_night_only <= worker.keys()
    assert one_night_only.isdisjoint(worker)


def test_only_workers_have_the_secrets_of_the_site():
    for name, service in SERVICES.items():
        has = {"SUDARE_SOURCE_URL", "SUDARE_WAREHOUSE_URL", "SUDARE_SECRET"} & service.get("environment", {}).keys()
        assert bool(has) == (name == "worker"), name


def test_no_secret_stands_in_the_deployment_files():
    secret = re.compile(r"(?i)(password|secret|fernet_key)$")
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if secret.search(name) or name.startswith(("SUDARE_SOURCE", "SUDARE_WAREHOUSE", "AIRFLOW__API__SECRET")):
                assert re.fullmatch(r"\$\{[A-Z_]+(:\?.*)?\}", value), name
    assert not re.search(r"://[^/\s:$]+:[^@\s$]+@", COMPOSE)


def test_every_service_is_pinned_healthy_unprivileged_and_local():
    for name, service in SERVICES.items():
        assert re.search(r":\d+\.\d+", service["image"]), name
        assert "healthcheck" in service or name == "airflow-init", name
        assert not service.get("privileged"), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        for dependency, how in service.get("depends_on", {}).items():
            assert dependency in SERVICES, name
            assert how["condition"] in ("service_healthy", "service_completed_successfully"), name
    assert re.search(r"^USER (?!root)", DOCKERFILE, re.MULTILINE)


def test_services_share_what_they_must_agree_on():
    shared = ("JWT_SECRET", "JWT_ISSUER", "FERNET_KEY", "SQL_ALCHEMY_CONN", "EXECUTOR", "EXECUTION_API_SERVER_URL")
    ours = [s["environment"] for s in SERVICES.values() if s["image"].startswith("sudare-airflow:")]
    assert len(ours) == 6
    for option in shared:
        assert len({next(v for k, v in one.items() if k.endswith(f"__{option}")) for one in ours}) == 1, option


def test_the_image_is_of_this_release_and_holds_every_package():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    assert SERVICES["worker"]["image"] == f"sudare-airflow:{project['project']['version']}"
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages == set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))


LEAVES = {
    leaf.exit_status: leaf("x").reason for kind in (errors.Transient, errors.Terminal) for leaf in kind.__subclasses__()
}


def test_the_runbook_has_a_line_for_every_exit_status_and_no_other():
    lines = re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", section("Runbook"), re.MULTILINE)
    assert [(int(status), reason) for status, reason in lines] == sorted(LEAVES.items())


def test_every_exit_status_is_one_cause():
    assert len(LEAVES) == len(errors.Transient.__subclasses__()) + len(errors.Terminal.__subclasses__())


def test_the_commands_of_the_readme_and_those_of_sudare_are_the_same():
    commands = get_command(app).commands
    code = re.findall(r"`([^`\n]+)`|```[a-z]*\n(.*?)```", README, re.DOTALL)
    text = "\n".join(one or many for one, many in code)
    named = set(re.findall(r"(?:^|[\s|])sudare ([a-z]+)", text, re.MULTILINE))
    assert named == set(commands)
    for command, options in re.findall(r"sudare ([a-z]+)((?: [^\s`|]+)*)", text):
        known = {name for parameter in commands[command].params for name in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", options)) <= known, command


def test_the_make_targets_of_the_readme_exist_and_the_other_way_round():
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)) - {"lock", "setup"}
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)) - {"lock", "setup"} == targets


def test_what_the_readme_points_at_is_there():
    paths = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", README)) - {"published/latest/"}
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    anchors = {
        re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", README, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors


@pytest.mark.parametrize("name", [*catalogue(), *destinations()])
def test_every_table_and_destination_is_in_the_changelog(name):
    assert name in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").lower()


MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home|Users|private)/|(?<![\w.])/tmp/w/")
INDEX = re.compile(r"(?i)pypi\.|pythonhosted|--(?:extra-)?index-url|--find-links|simple/(?:\s|$)")


def test_no_path_of_a_machine_and_no_package_index_stands_in_a_tracked_file():
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path == Path(__file__).resolve():
            continue
        found += [f"{path.relative_to(ROOT)}: {what}" for what in MACHINE.findall(text) + INDEX.findall(text)]
    assert found == []


@pytest.mark.parametrize("line", ["see /work/x", "--index-url=https://host/simple/", "https://pypi.example/x"])
def test_such_a_path_or_index_would_be_found(line):
    assert MACHINE.search(line) or INDEX.search(line)
