"""A partner, a small site with a night behind it, and the process that nights are forked from."""

from collections import Counter
from pathlib import Path

import pytest

from delivery import night as nights
from sudare import postgres
from tests.delivery.openpgp import recipients
from tests.delivery.servers import serve_sftp
from tests.faults.campaign import Nursery, make_base, make_references, measure, some_tables

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a worker also waits for the site and for the night that nobody kills."""
    for item in items:
        if item.path.is_relative_to(HERE) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(1_200))


@pytest.fixture(scope="session")
def recipient():
    with recipients() as made:
        yield made


@pytest.fixture(scope="session")
def partner(tmp_path_factory):
    with serve_sftp(tmp_path_factory.mktemp("partner")) as site:
        yield site


@pytest.fixture(scope="session")
def own_server(tmp_path_factory) -> postgres.Embedded:
    """A database server of these tests' own."""
    return postgres.start(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="session")
def nursery():
    process = Nursery()
    yield process
    process.close()


@pytest.fixture(scope="session")
def base(own_server, tmp_path_factory, partner, recipient):
    return make_base(own_server, tmp_path_factory.mktemp("base"), partner, recipient)


@pytest.fixture(scope="session")
def references(base, tmp_path_factory):
    return make_references(base, tmp_path_factory.mktemp("references") / "whole")


@pytest.fixture(scope="session")
def seconds(base, nursery, tmp_path_factory):
    return measure(base, nursery, tmp_path_factory.mktemp("seconds") / "measured")


@pytest.fixture(autouse=True)
def fewer_tables(monkeypatch):
    """Of the catalogue as in the nights that are killed."""
    monkeypatch.setattr(nights, "catalogue", some_tables)


@pytest.fixture
def trial(base, tmp_path):
    """A copy of the site, whose night is about to be run."""
    copied = base.copy(tmp_path / f"trial-{tmp_path.name}")
    yield copied
    copied.remove()


TALLY: Counter[tuple[str, str]] = Counter()


@pytest.fixture
def tally(record_property):
    """Tells of a kill which step it struck, and what could be seen of the night afterwards."""

    def count(kill, told, trial, references) -> None:
        seen = trial.seen()
        steps = [line["begin"] for line in told["told"] if "begin" in line]
        out = [
            name for name in ("tables", "feeds", "removals") if getattr(seen, name) != getattr(references.before, name)
        ]
        step = steps[-1] if told["killed"] else "none: the night was over"
        record_property("kill", (step, f"{' and '.join(out) or 'nothing'} of the new, then {kill.afterwards}"))

    return count


def pytest_runtest_logreport(report) -> None:
    """Of the tests of other processes as well."""
    if report.when == "call":
        TALLY.update(tuple(told) for name, told in report.user_properties if name == "kill")


def pytest_terminal_summary(terminalreporter) -> None:
    if TALLY:
        terminalreporter.section("kills, by the step that they struck and what was to be seen afterwards")
        for (step, outcome), count in sorted(TALLY.items()):
            terminalreporter.write_line(f"{count:4d}  {step:12s} {outcome}")
        terminalreporter.write_line(f"{TALLY.total():4d}  in all")
