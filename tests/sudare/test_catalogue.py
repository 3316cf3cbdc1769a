"""What an analyst reads of a table is what is done to it, in both languages."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from anonymizers import perturbation
from anonymizers.controls import PERTURBATION
from sudare.catalogue import altered, describe_all, print_catalogue, print_table
from transforms.spec import MeasureKind
from transforms.tables import catalogue

TABLES = catalogue()
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


def printed(write, *arguments) -> str:
    out = io.StringIO()
    write(Console(file=out, width=400, highlight=False, soft_wrap=True), *arguments)
    return out.getvalue()


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
class TestTable:
    def test_it_says_in_both_languages_what_was_altered(self, table):
        said = altered(table)
        assert all(JAPANESE.search(japanese) and not JAPANESE.search(english) for english, japanese in said)
        assert any("10 to 15 distinct members" in english for english, _ in said)
        assert any("off by at most 10" in english for english, _ in said)
        assert any("'total'" in english for english, _ in said)

    def test_it_says_what_is_special_to_its_measures(self, table):
        text = " ".join(english for english, _ in altered(table))
        kinds = {m.kind for m in table.measures}
        assert ("top-coded" in text) == (MeasureKind.MEAN in kinds)
        assert ("quantiles from 50 members on" in text) == (MeasureKind.QUANTILE in kinds)
        assert ("shares are of published numbers" in text) == (MeasureKind.SHARE in kinds)
        assert ("the margin is less than their sum" in text) == (table.over != "members")

    def test_it_is_in_the_catalogue_that_is_printed(self, table):
        assert all(text in printed(print_catalogue) for text in (table.name, table.title_ja, table.note_ja))


def test_two_of_three_numbers_are_as_near_as_is_said():
    noise = perturbation.load(PERTURBATION).perturb(
        np.full(1 << 16, 1000), (np.arange(1 << 16) << 16).astype(np.uint32)
    )
    assert 0.64 < (np.abs(noise - 1000) <= 2).mean() < 0.72


def test_the_catalogue_is_a_document_for_machines_too():
    told = json.loads(json.dumps(describe_all(), ensure_ascii=False))
    assert [table["name"] for table in told] == list(TABLES)
    assert all(table["perturbation"] == {"bound": 10, "variance": 6.0} for table in told)
    assert all(("total" in d["codes"]) <= (d["margin"] == "total") for table in told for d in table["dimensions"])


def test_a_table_is_shown_with_its_numbers_and_what_was_done_to_them():
    table = TABLES["registrations_by_month"]
    rows = [("2026-09", 120, "2026-10-31"), ("2026-10", None, "2026-10-30"), ("total", 410, "2026-10-31")]
    frame = pd.DataFrame(rows, columns=list(table.columns)).astype({"members": "Int64"})
    shown = printed(print_table, table, frame, 1)
    assert "2 of 3 cells have numbers" in shown
    assert re.search(r"2026-09\s+120\s+2026-10-31", shown)
    assert "120.0" not in shown
    assert "as_of is its night" in shown
    assert "Printed 1" in shown


def test_terms_are_shown_by_how_many_used_them():
    table = TABLES["trending_terms"]
    rows = [
        ("total", "2026-W43", term, n, "2026-10-31") for term, n in (("おかゆ", 30), ("離乳食", 90), ("total", 200))
    ]
    shown = printed(print_table, table, pd.DataFrame(rows, columns=list(table.columns)), 10)
    assert shown.index("200") < shown.index("90") < shown.index("30  ")
