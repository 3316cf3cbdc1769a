"""
Who imports what, and what no module may do.

Every rule is a function of (path, source) to its violations, so that each can be shown to
fail on a snippet; a rule that cannot fail protects nothing.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anonymizers.disclosure import Release
from delivery.consent import Permitted

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {"anonymizers": 0, "expectations": 1, "transforms": 2, "delivery": 3, "dags": 4, "sudare": 4}
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for package in LAYERS
    for path in sorted((ROOT / package).rglob("*.py"))
}

HOMES = {
    "airflow": ("dags/",),
    "openlineage": ("dags/telemetry.py",),
    "presidio_analyzer": ("anonymizers/text/",),
    "presidio_anonymizer": ("anonymizers/text/",),
    "sudachipy": ("anonymizers/text/",),
    "spacy": (),
    "great_expectations": ("expectations/validation.py",),
    "adbc_driver_postgresql": ("transforms/source.py",),
    "adbc_driver_manager": ("transforms/source.py",),
    # dags/guard.py: only to put an Airflow connection's parts together as a URL; see `only_urls` below
    "sqlalchemy": (
        *("delivery/warehouse.py", "delivery/records.py", "delivery/ledger.py", "delivery/ledger_tables.py"),
        *("delivery/ledger_retention.py", "delivery/databases.py", "dags/guard.py"),
    ),
    "psycopg": ("sudare/",),
    "psycopg2": (),
    "scipy": ("anonymizers/perturbation_design.py", "expectations/intervals.py"),
    "typer": ("sudare/",),
    "rich": ("sudare/",),
    "faker": ("sudare/",),
    "celery": (),
    "gnupg": ("delivery/sealing.py",),
    "paramiko": ("delivery/sending/sftp.py",),
    "s3fs": ("delivery/sending/bucket.py",),
    # transforms/places.py: only to tell its exceptions apart
    "botocore": ("delivery/sending/bucket.py", "transforms/places.py"),
    "upath": ("transforms/places.py",),
    "phonenumbers": ("anonymizers/text/recognizers/", "delivery/identifiers/"),
    "email_validator": ("delivery/identifiers/",),
    "babel": ("delivery/identifiers/",),
    "idna": ("delivery/match_keys.py",),
}
"""Where each heavy library lives: folders end in a slash; an empty tuple is nowhere."""

BLIND_HANDLERS = ("dags/guard.py", "expectations/validation.py", "anonymizers/text/redaction.py")
"""Where any failure at all has to be caught: each turns it into a refusal, a red check or a dropped row."""

VAGUE_NAMES = ("util", "utils", "helper", "helpers", "manager", "common", "base", "misc", "scrub")

GATE_TYPES = {"Release": "anonymizers/disclosure.py", "Permitted": "delivery/consent.py"}


def imports(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, at any depth, also relative ones and those by a constant name."""
    package = path.rsplit("/", 1)[0].split("/")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield node.lineno, ".".join([*above, *([node.module] if node.module else [])])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant):
                yield node.lineno, str(name.value)


def runs_downward(path: str, source: str) -> list[str]:
    """sudare, dags → delivery → transforms → expectations → anonymizers, and no other arrow."""
    here = path.split("/")[0]
    return [
        f"{path}:{line} imports {name}"
        for line, name in imports(path, ast.parse(source))
        if (there := name.split(".")[0]) in LAYERS and there != here and LAYERS[there] >= LAYERS[here]
    ]


def lives_at_home(path: str, source: str) -> list[str]:
    """A heavy library is imported in its one home only."""
    return [
        f"{path}:{line} imports {name}"
        for line, name in imports(path, ast.parse(source))
        if (library := name.split(".")[0]) in HOMES
        and not any(path == home or (home.endswith("/") and path.startswith(home)) for home in HOMES[library])
    ]


def only_urls(path: str, source: str) -> list[str]:
    """dags/guard.py may use SQLAlchemy's URL and nothing else of it."""
    if path != "dags/guard.py":
        return []
    tree = ast.parse(source)
    named = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] == "sqlalchemy"
    }
    used = [
        (node.lineno, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in named
    ]
    taken = [
        (node.lineno, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy"
        for alias in node.names
    ]
    return [f"{path}:{line} uses sqlalchemy.{name}" for line, name in used + taken if name != "URL"]


def has_no_assert(path: str, source: str) -> list[str]:
    """A guard is a raise: `python -O` removes assertions."""
    return [f"{path}:{node.lineno} assert" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]


def catches_by_name(path: str, source: str) -> list[str]:
    """No bare except anywhere, and whoever catches everything is on the list."""
    caught = [
        (node.lineno, "" if node.type is None else ast.unparse(node.type))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ExceptHandler)
    ]
    blind = [(line, what) for line, what in caught if re.search(r"\b(Base)?Exception\b", what)]
    waived = [(n, "noqa") for n, text in enumerate(source.splitlines(), 1) if re.search(r"#\s*noqa:.*BLE001", text)]
    found = [(line, "bare except") for line, what in caught if not what]
    return [f"{path}:{line} {what}" for line, what in found + (blind + waived if path not in BLIND_HANDLERS else [])]


def says_what_it_is(path: str, source: str) -> list[str]:
    """No file is named for being useful."""
    return [f"{path} is called {part}" for part in re.split(r"[/_.]", path) if part in VAGUE_NAMES]


def never_prints(path: str, source: str) -> list[str]:
    """People are spoken to by the command, through rich; a print is a row in a log waiting to happen."""
    return [
        f"{path}:{node.lineno} print"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "pprint")
    ]


def makers(source: str, name: str) -> list[int]:
    """The lines that make an object of a gate type, by any of the ways there are."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        arguments = [ast.unparse(argument).split(".")[-1] for argument in node.args]
        made = called.split(".")[-1] == name
        allocated = called.endswith("__new__") and (arguments[:1] == [name] or called.split(".")[-2] == name)
        if made or allocated:
            lines.append(node.lineno)
    return lines


def makes_no_gate_type(path: str, source: str) -> list[str]:
    """A `Release` and a `Permitted` are made in one module each."""
    return [
        f"{path}:{line} makes a {name}"
        for name, home in GATE_TYPES.items()
        if path != home
        for line in makers(source, name)
    ]


RULES: list[tuple[Callable[[str, str], list[str]], str, str]] = [
    (runs_downward, "anonymizers/keys.py", "from transforms.spec import Table"),
    (runs_downward, "expectations/gate.py", "def f():\n    import delivery.consent"),
    (runs_downward, "dags/nightly.py", "from sudare.cli import main"),
    (runs_downward, "sudare/cli.py", "import dags.nightly"),
    (runs_downward, "transforms/source.py", "import importlib\nimportlib.import_module('delivery.feeds')"),
    (lives_at_home, "delivery/night.py", "from airflow.sdk import task"),
    (lives_at_home, "transforms/texts.py", "import presidio_analyzer.nlp_engine"),
    (lives_at_home, "expectations/gate.py", "def f():\n    import great_expectations as gx"),
    (lives_at_home, "transforms/extraction.py", "import adbc_driver_postgresql.dbapi as adbc"),
    (lives_at_home, "delivery/publication.py", "import sqlalchemy as sa"),
    (lives_at_home, "delivery/warehouse.py", "import psycopg"),
    (lives_at_home, "transforms/audit.py", "from scipy.optimize import linprog"),
    (lives_at_home, "delivery/outbox.py", "import gnupg"),
    (lives_at_home, "delivery/sealing.py", "import paramiko"),
    (lives_at_home, "delivery/sending/folder.py", "import gnupg"),
    (lives_at_home, "delivery/sending/bucket.py", "import paramiko"),
    (lives_at_home, "transforms/staging.py", "from s3fs import S3FileSystem"),
    (lives_at_home, "delivery/night.py", "from botocore.exceptions import ClientError"),
    (lives_at_home, "delivery/feeds.py", "import phonenumbers"),
    (only_urls, "dags/guard.py", "import sqlalchemy as sa\nsa.create_engine('x')"),
    (only_urls, "dags/guard.py", "from sqlalchemy import create_engine"),
    (has_no_assert, "delivery/fence.py", "assert 1 == 1"),
    (catches_by_name, "dags/guard.py", "try:\n    pass\nexcept:\n    pass"),
    (catches_by_name, "delivery/night.py", "try:\n    pass\nexcept Exception:\n    pass"),
    (catches_by_name, "delivery/night.py", "try:\n    pass\nexcept (OSError, BaseException):\n    pass"),
    (catches_by_name, "delivery/night.py", "x = 1  # noqa: E501, BLE001"),
    (says_what_it_is, "transforms/utils.py", ""),
    (says_what_it_is, "delivery/feed_helpers.py", ""),
    (says_what_it_is, "anonymizers/common/text.py", ""),
    (never_prints, "transforms/texts.py", "print('x')"),
    (makes_no_gate_type, "delivery/feeds.py", "object.__new__(Permitted)"),
    (makes_no_gate_type, "transforms/release.py", "object.__new__(disclosure.Release)"),
    (makes_no_gate_type, "delivery/publication.py", "Release.__new__(Release)"),
    (makes_no_gate_type, "delivery/night.py", "Permitted()"),
]
RULE_FUNCTIONS = list(dict.fromkeys(rule for rule, _, _ in RULES))


@pytest.mark.parametrize("rule", RULE_FUNCTIONS, ids=lambda rule: rule.__name__)
def test_the_product_keeps_the_rule(rule):
    assert [violation for path, source in FILES.items() for violation in rule(path, source)] == []


@pytest.mark.parametrize(
    ("rule", "path", "snippet"), RULES, ids=[f"{rule.__name__}-{n}" for n, (rule, _, _) in enumerate(RULES, 1)]
)
def test_the_rule_can_fail(rule, path, snippet):
    assert len(rule(path, snippet)) == 1


@pytest.mark.parametrize(
    ("rule", "path", "snippet"),
    [
        (
            runs_downward,
            "delivery/fence.py",
            "from transforms.spec import Reader\nfrom . import feeds\nimport delivery",
        ),
        (lives_at_home, "dags/guard.py", "import sqlalchemy as sa\nfrom airflow.sdk import task"),
        (lives_at_home, "anonymizers/text/recognizers/email.py", "import presidio_analyzer"),
        (only_urls, "dags/guard.py", "import sqlalchemy as sa\nsa.URL.create('x')"),
        (catches_by_name, "dags/guard.py", "try:\n    pass\nexcept Exception:  # noqa: BLE001\n    pass"),
        (catches_by_name, "delivery/night.py", "try:\n    pass\nexcept OSError:\n    pass"),
        (says_what_it_is, "delivery/match_keys.py", ""),
        (never_prints, "sudare/summary.py", "out.print('x')"),
        (makes_no_gate_type, "delivery/consent.py", "object.__new__(Permitted)"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_rule_lets_good_code_pass(rule, path, snippet):
    assert rule(path, snippet) == []


def test_every_package_was_walked():
    assert {path.split("/")[0] for path in FILES} == set(LAYERS)
    assert len(FILES) > 60


@pytest.mark.parametrize("name", GATE_TYPES)
def test_a_gate_type_is_made_in_exactly_one_place(name):
    places = [(path, line) for path, source in FILES.items() for line in makers(source, name)]
    assert [path for path, _ in places] == [GATE_TYPES[name]]


@pytest.mark.parametrize("gate_type", [Release, Permitted], ids=lambda gate_type: gate_type.__name__)
def test_a_gate_type_cannot_be_called(gate_type):
    with pytest.raises(TypeError, match=f"^a {gate_type.__name__} is made by "):
        gate_type()
    with pytest.raises(TypeError):
        gate_type(*range(4))


SPEC_MODULES = [
    "anonymizers.bands",
    "anonymizers.controls",
    "anonymizers.errors",
    "expectations.checks",
    "expectations.gate",
    "transforms.spec",
    "transforms.datasets",
    "transforms.dimensions",
    "transforms.prefectures",
    "transforms.purposes",
    "transforms.suites",
    "delivery.spec",
    *(
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in FILES
        if path.startswith(("transforms/tables/", "delivery/destinations/"))
    ),
]
HEAVY = (
    "phonenumbers",
    "pandas",
    "pyarrow",
    "polars",
    "numpy",
    "scipy",
    "airflow",
    "sqlalchemy",
    "great_expectations",
    "cryptography",
)


def loaded_after(statement: str) -> set[str]:
    """Which of the heavy libraries a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*(m for m in {HEAVY!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_specs_load_no_heavy_library():
    """Airflow parses the modules that import these, again and again."""
    assert loaded_after(f"import {', '.join(SPEC_MODULES)}") == set()
    assert "transforms.tables.members_by_prefecture" in SPEC_MODULES
    assert "delivery.destinations.liveramp" in SPEC_MODULES


def test_a_heavy_import_would_be_seen():
    assert loaded_after("import transforms.spec, numpy") == {"numpy"}


def loaded_on_import(path: str, files: dict[str, str]) -> set[str]:
    """Names of all libraries that importing a module loads, through our own modules as well."""
    seen, found, todo = set(), set(), [path]
    while todo:
        here = todo.pop()
        if here in seen or here not in files:
            continue
        seen.add(here)
        tree = ast.parse(files[here])
        tree.body = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        for _, name in imports(here, tree):
            found.add(name.split(".")[0])
            stem = name.replace(".", "/")
            todo += [f"{stem}.py", f"{stem}/__init__.py"]
        for node in (n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module):
            todo += [f"{node.module.replace('.', '/')}/{alias.name}.py" for alias in node.names]
    return found


def test_parsing_the_dag_loads_no_data_library():
    loaded = loaded_on_import("dags/nightly.py", FILES)
    assert {"airflow", "dags", "anonymizers"} <= loaded
    assert not loaded & {"pandas", "polars", "pyarrow", "numpy", "scipy", "sqlalchemy", "presidio_analyzer"}


def test_a_data_library_behind_two_imports_would_be_seen():
    files = {"dags/nightly.py": "from dags import guard", "dags/guard.py": "import polars as pl"}
    assert "polars" in loaded_on_import("dags/nightly.py", files)
