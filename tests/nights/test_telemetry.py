"""What metrics and lineage are made of: counts and names, and nothing that a row could have put there."""

import pytest

from dags.telemetry import counts
from delivery.destinations import destinations
from delivery.lineage import READS, STAGES, TAKES, Described, lineage
from transforms.datasets import DATASETS
from transforms.spec import Reader
from transforms.tables import catalogue

SITE, WAREHOUSE = (
    "postgresql://login:a-password@db.example.jp:5433/site?sslmode=require",
    "postgresql://w:pw@/warehouse",
)


def of(step: str, what: object = None) -> tuple[list[Described], list[Described]]:
    return lineage(step, what, SITE, WAREHOUSE, catalogue(), destinations())


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"members": {"read": 3, "dropped": {"under_age": 1}}}, {"members.read": 3, "members.dropped.under_age": 1}),
        ({"destination": "liveramp", "rows": 7, "handed_over": "now", "again": True}, {"rows": 7}),
        ([1, 2], {}),
        (5, {}),
        (None, {}),
        ({"open": {"due": 0}}, {"open.due": 0}),
    ],
)
def test_only_counts_with_a_name_are_measured(result, expected):
    assert dict(counts(result)) == expected


def test_a_step_reads_the_columns_that_its_role_is_granted_and_no_other():
    for step, reader in READS.items():
        read = {one.name.split(".")[-1]: [name for name, _, _ in one.columns] for one in of(step)[0] if one.columns}
        assert read == {n: [c.name for c in d.read_by(reader)] for n, d in DATASETS.items() if d.read_by(reader)}
    assert "email" not in str(of("extract"))
    assert "email" in str([c for one in of("build_feed")[0] if one.name.endswith(".members") for c in one.columns])
    assert {Reader.STATISTICS, Reader.TEXT, Reader.ADS} == set(READS.values())


def test_databases_are_named_without_login_and_password():
    told = str([of(step) for step in (*READS, "publish")])
    assert "a-password" not in told
    assert "login" not in told
    assert of("extract")[0][-1].namespace == "postgres://db.example.jp:5433"
    assert of("publish")[1][0].name.startswith("warehouse.stats.")


def test_what_is_published_has_the_columns_of_its_declaration():
    made = {one.name.split(".")[-1]: [name for name, _, _ in one.columns] for one in of("publish")[1]}
    assert made == {name: list(table.columns) for name, table in catalogue().items()}


@pytest.mark.parametrize("step", ["hand_over", "remove"])
def test_a_file_has_the_headers_of_its_destination(step):
    (file,) = of(step, "liveramp")[1]
    liveramp = destinations()["liveramp"]
    columns = liveramp.columns if step == "hand_over" else liveramp.removal.columns
    assert [name for name, _, _ in file.columns] == [header for header, _ in columns]
    assert of(step, "nobody")[1] == []


def test_what_a_step_takes_from_staging_another_one_has_left_there():
    assert {name for names in TAKES.values() for name in names} <= set(STAGES.values())


def test_a_step_that_only_decides_has_no_lineage():
    assert of("gate_tables") == ([], [])
