"""What all tests share: nothing of a person's own environment reaches them."""

import os

import pytest

for name in [name for name in os.environ if name.startswith(("SUDARE_", "AIRFLOW_"))]:
    del os.environ[name]


@pytest.fixture(autouse=True)
def own_umask():
    """The command and the tasks narrow the process's umask; a test leaves it as it was."""
    before = os.umask(0o022)
    yield
    os.umask(before)
