"""The rules of the house, read from the source text; each is shown to fail on a bad snippet."""

import ast
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from anonymizers.disclosure import Release
from delivery.consent import Permitted

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "anonymizers": set(),
    "expectations": {"anonymizers"},
    "transforms": {"expectations", "anonymizers"},
    "delivery": {"transforms", "expectations", "anonymizers"},
    "dags": {"delivery", "transforms", "expectations", "anonymizers"},
    "sudare": {"delivery", "transforms", "expectations", "anonymizers"},
}
HOMES = {
    "airflow": ("dags/",),
    "presidio_analyzer": ("anonymizers/text/",),
    "presidio_anonymizer": ("anonymizers/text/",),
    "great_expectations": ("expectations/validation.py",),
    "adbc_driver_manager": ("transforms/source.py",),
    "adbc_driver_postgresql": ("transforms/source.py",),
    "sqlalchemy": ("delivery/warehouse.py", "dags/guard.py"),
    "psycopg": ("sudare/",),
    "psycopg2": ("sudare/",),
}
SPECS = (
    "anonymizers/controls.py",
    "anonymizers/bands.py",
    "anonymizers/errors.py",
    "expectations/checks.py",
    "transforms/spec.py",
    "transforms/datasets.py",
    "transforms/dimensions.py",
    "transforms/purposes.py",
    "transforms/prefectures.py",
    "transforms/suites.py",
    "transforms/tables/*.py",
    "delivery/spec.py",
    "delivery/destinations/*.py",
)
HEAVY = ("pandas", "pyarrow", "polars", "duckdb", "numpy", "airflow")
MAY_CATCH_EVERYTHING = {
    "anonymizers/text/redaction.py": 1,  # any failure drops the posting
    "expectations/validation.py": 1,  # whatever raised has not passed
    "dags/guard.py": 1,  # the guard of every task
}
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "base", "misc"}
PRINTERS = {"out.print", "err.print"}
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for package in MAY_IMPORT
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imported(source: str) -> list[str]:
    """Every module that a source names in an import, wherever the import stands."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("." * node.level + (node.module or ""))
    return names


def wrong_ways(path: str, source: str) -> list[str]:
    """Imports against the one way, and relative ones, of which no way can be seen."""
    own = path.split("/")[0]
    tops = [(name, name.split(".")[0]) for name in imported(source)]
    return [n for n, top in tops if not top or (top in MAY_IMPORT and top != own and top not in MAY_IMPORT[own])]


def strays(path: str, source: str) -> list[str]:
    """Imports of a heavy library outside its one home."""
    tops = [name.split(".")[0] for name in imported(source)]
    return [top for top in tops if top in HOMES and not path.startswith(HOMES[top])]


def uses_of_sqlalchemy(source: str) -> set[str]:
    """What is asked of the name ``sa``, one or two attributes deep."""
    chains = [dotted(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return {".".join(chain.split(".")[1:2]) for chain in chains if chain.startswith("sa.")}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of an expression that is nothing but names; else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def calls(source: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def forged(source: str) -> list[str]:
    """The types that are made without their constructor: by ``__new__``, by copying or by replacing."""
    made = []
    for call in calls(source):
        name, arguments = dotted(call.func), [dotted(argument) for argument in call.args]
        if name == "object.__new__":
            made += arguments
        elif name in ("Release.__new__", "Permitted.__new__"):
            made.append(name.split(".")[0])
    return made


def asserts(source: str) -> int:
    return sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))


def handlers(source: str, *, bare: bool) -> int:
    """How many handlers catch everything, named or bare."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)]
    if bare:
        return sum(handler.type is None for handler in found)
    named = {id(h): {dotted(t) for t in getattr(h.type, "elts", [h.type])} for h in found if h.type is not None}
    return sum(bool(names & {"Exception", "BaseException"}) for names in named.values())


def prints(source: str) -> list[str]:
    """Calls of anything called print that is not a printer of the command line."""
    names = [dotted(call.func) for call in calls(source)]
    return [name for name in names if name.split(".")[-1] == "print" and name not in PRINTERS]


def vague(path: str) -> bool:
    return bool(VAGUE & set(path.removesuffix(".py").split("/")))


def offenders(rule) -> dict[str, object]:
    return {path: found for path, source in SOURCES.items() if (found := rule(path, source))}


def test_all_packages_are_looked_at():
    assert len(SOURCES) > 80
    assert {path.split("/")[0] for path in SOURCES} == MAY_IMPORT.keys()


def test_imports_run_one_way():
    assert offenders(wrong_ways) == {}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("anonymizers/keys.py", "from transforms.spec import Table"),
        ("expectations/gate.py", "import delivery.night"),
        ("transforms/source.py", "def f():\n    from delivery import feeds"),
        ("delivery/night.py", "from dags.guard import run_step"),
        ("delivery/night.py", "from . import feeds"),
        ("dags/nightly.py", "import sudare"),
        ("sudare/runner.py", "from dags import nightly"),
    ],
)
def test_an_import_against_the_way_is_found(path, source):
    assert wrong_ways(path, source)


def test_every_heavy_library_has_one_home():
    assert offenders(strays) == {}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("delivery/night.py", "from airflow.sdk import dag"),
        ("transforms/texts.py", "def f():\n    import presidio_analyzer"),
        ("expectations/checks.py", "import great_expectations as gx"),
        ("delivery/consent.py", "import adbc_driver_postgresql.dbapi"),
        ("delivery/publication.py", "import sqlalchemy"),
        ("delivery/warehouse.py", "import psycopg"),
    ],
)
def test_a_library_away_from_home_is_found(path, source):
    assert strays(path, source)


def test_every_home_is_lived_in():
    for library in ("airflow", "presidio_analyzer", "great_expectations", "adbc_driver_postgresql", "sqlalchemy"):
        assert any(library in (name.split(".")[0] for name in imported(source)) for source in SOURCES.values())


def test_the_guard_asks_sqlalchemy_for_a_url_only():
    assert uses_of_sqlalchemy(SOURCES["dags/guard.py"]) == {"URL"}
    assert uses_of_sqlalchemy("sa.create_engine(sa.URL.create('x'))") == {"create_engine", "URL"}


def spec_modules() -> list[str]:
    paths = itertools.chain.from_iterable(sorted(ROOT.glob(pattern)) for pattern in SPECS)
    return [str(p.relative_to(ROOT)).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for p in paths]


def loaded_with(statements: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has loaded after some statements."""
    script = f"{statements}\nimport sys\nprint(*(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_specs_load_no_heavy_library():
    modules = spec_modules()
    assert len(modules) > 18
    assert loaded_with("\n".join(f"import {module}" for module in modules)) == set()


def test_a_heavy_spec_is_found():
    assert "polars" in loaded_with("import anonymizers.generalisation")


@pytest.mark.parametrize(
    ("made", "home"), [("Release", "anonymizers/disclosure.py"), ("Permitted", "delivery/consent.py")]
)
def test_what_may_leave_the_house_is_made_in_one_place(made, home):
    assert {path: found.count(made) for path, found in offenders(lambda _, s: forged(s)).items() if made in found} == {
        home: 1
    }


def test_a_forger_is_found():
    assert forged("x = object.__new__(Release)") == ["Release"]
    assert forged("def f():\n    return object.__new__(consent.Permitted)") == ["consent.Permitted"]
    assert forged("Permitted.__new__(Permitted)") == ["Permitted"]


def test_nothing_else_is_made_without_its_constructor():
    assert offenders(lambda _, source: forged(source)) == {
        "anonymizers/disclosure.py": ["Release"],
        "delivery/consent.py": ["Permitted"],
    }


@pytest.mark.parametrize("kind", [Release, Permitted])
def test_what_may_leave_the_house_cannot_be_called_into_being(kind):
    with pytest.raises(TypeError, match="only"):
        kind()
    with pytest.raises(TypeError):
        kind("liveramp", None)


def test_no_assert_in_the_product():
    assert offenders(lambda _, source: asserts(source)) == {}
    assert asserts("def f(x):\n    assert x") == 1


def test_no_bare_except():
    assert offenders(lambda _, source: handlers(source, bare=True)) == {}
    assert handlers("try:\n    f()\nexcept:\n    pass", bare=True) == 1


def test_everything_is_caught_in_few_places():
    assert offenders(lambda _, source: handlers(source, bare=False)) == MAY_CATCH_EVERYTHING
    assert handlers("try:\n    f()\nexcept Exception:\n    pass", bare=False) == 1
    assert handlers("try:\n    f()\nexcept (OSError, BaseException) as e:\n    pass", bare=False) == 1
    assert handlers("try:\n    f()\nexcept OSError:\n    pass", bare=False) == 0


def test_no_module_has_a_name_that_says_nothing():
    assert [path for path in SOURCES if vague(path)] == []
    assert vague("delivery/utils.py")
    assert vague("transforms/common/dates.py")


def test_only_the_command_line_prints():
    assert offenders(lambda _, source: prints(source)) == {}
    assert prints("print(1)\nout.print(2)\nconsole.print(3)") == ["print", "console.print"]
    assert {path.split("/")[0] for path, source in SOURCES.items() if ".print(" in source} == {"sudare"}


def test_no_module_below_the_settings_reads_the_environment():
    readers = {path for path, source in SOURCES.items() if "os.environ" in source or "getenv" in source}
    inner = {path for path in readers if not path.startswith(("dags/", "sudare/"))}
    assert inner == {"delivery/settings.py", "expectations/validation.py"}  # the latter sets, before an import
