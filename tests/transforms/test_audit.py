"""Tonight's own tables are attacked before they are out: small ones by hand, where the arithmetic can be seen."""

import datetime
import itertools

import pandas as pd
import pytest

from anonymizers import bands
from anonymizers.errors import GateRefused
from expectations.gate import require_green
from transforms.audit import audit
from transforms.spec import MeasureKind
from transforms.tables import catalogue

DAY = datetime.date(2026, 10, 31)
TABLE = catalogue()["consents_by_age_band"]
STATES = ("consented", "stopped", "withdrawn", "outdated", "none")


def frame(counts: dict[tuple[str, str], int | None], as_of: str = DAY.isoformat()) -> pd.DataFrame:
    """Every cell of the table, with 100 where nothing else is said; margins are sums, a suppressed cell adds 3."""
    inner = dict.fromkeys(itertools.product(bands.AGE_BANDS, STATES), 100) | {
        cell: n for cell, n in counts.items() if "total" not in cell
    }
    true = {cell: 3 if n is None else n for cell, n in inner.items()}
    margins = {
        (age, state): sum(n for (a, s), n in true.items() if age in (a, "total") and state in (s, "total"))
        for age, state in itertools.product((*bands.AGE_BANDS, "total"), (*STATES, "total"))
    }
    cells = margins | inner | counts
    rows = [(age, state, members, as_of) for (age, state), members in cells.items()]
    told = pd.DataFrame(rows, columns=["age_band", "consent_status", "members", "as_of"])
    return told.astype({"members": "Int64"})


def failed(told: pd.DataFrame, day: datetime.date = DAY) -> dict[str, int]:
    outcomes = audit({TABLE.name: TABLE}, {TABLE.name: told}, day, 10)
    return {o.expectation: o.unexpected_count for o in outcomes if not o.success}


def test_nothing_suppressed_is_nothing_to_attack():
    assert audit({TABLE.name: TABLE}, {TABLE.name: frame({})}, DAY, 10) == []


def test_one_suppressed_cell_under_wide_noise_is_protected():
    """Its margins are 403 and 803 for four and eight cells of 100: 3 ± 50 and 3 ± 90, cut at 0 and 14."""
    assert failed(frame({("30-34", "stopped"): None})) == {}


FEW = {("50-", state): None for state in STATES[:-1]}


def test_a_margin_that_is_low_beside_one_cell_leaves_the_others_too_little():
    """With 20 in the margin and 20 in the cell beside: up to 30 less 10 or more. With 12 and 24: up to 22 less 14."""
    assert failed(frame({**FEW, ("50-", "none"): 20, ("50-", "total"): 20})) == {}
    narrow = failed(frame({**FEW, ("50-", "none"): 24, ("50-", "total"): 12}))
    assert narrow == {"ExpectNoSuppressedIntervalToBeNarrow": 4}


def test_older_numbers_leave_more_room():
    """Each may have moved by 14 since."""
    assert failed(frame({**FEW, ("50-", "none"): 24, ("50-", "total"): 12}, as_of="2026-10-01")) == {}


def test_numbers_that_no_counts_agree_with_are_refused():
    """A margin is off by 10 at most, and so are its five cells: 500 and 380 are no numbers of one night."""
    impossible = failed(frame({**FEW, ("30-34", "total"): 380}))
    assert impossible == {"ExpectNoSuppressedIntervalToBeContradicted": 1}


def test_what_it_finds_stops_the_gate_without_a_number():
    told = frame({**FEW, ("50-", "none"): 24, ("50-", "total"): 12})
    outcomes = audit({TABLE.name: TABLE}, {TABLE.name: told}, DAY, 10)
    with pytest.raises(GateRefused, match="all tables: ExpectNoSuppressedIntervalToBeNarrow") as refused:
        require_green(outcomes)
    assert "50-" not in str(refused.value)
    assert "24" not in str(refused.value)


def test_only_tables_that_count_members_are_attacked():
    assert {
        n for n, t in catalogue().items() if t.over == "members" and MeasureKind.MEMBERS in {m.kind for m in t.measures}
    } == {
        "consents_by_age_band",
        "members_by_prefecture",
        "registrations_by_month",
        "retention_by_cohort",
    }
