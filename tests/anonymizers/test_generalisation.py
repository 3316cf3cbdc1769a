"""Bands: by birthdays, closed lists, and nothing imputed."""

import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers import bands
from anonymizers.generalisation import age_band, band, completed_years, listed, month, tokyo, youngest_child_band

DAY = datetime.date(2026, 10, 31)
examples = settings(derandomize=True, max_examples=80, deadline=None)


def date(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


def one(expression: pl.Expr, **values):
    """An expression over a frame of one row, or of as many rows as the lists are long."""
    columns = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    kinds = {"born": pl.Date, "due": pl.Date, "at": pl.Datetime("us", "UTC"), "code": pl.String}
    return pl.DataFrame(columns, schema={name: kinds[name] for name in columns}).select(expression).to_series()[0]


def birthday(born: datetime.date, years: int) -> datetime.date:
    """The day on which somebody completes so many years; 1 March for 29 February in common years."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return datetime.date(born.year + years, 3, 1)


def slow_years(born: datetime.date | None, day: datetime.date) -> int | None:
    """Completed years, by counting birthdays."""
    if born is None or born > day:
        return None
    years = 0
    while birthday(born, years + 1) <= day:
        years += 1
    return years


def slow_age_band(born: datetime.date | None, day: datetime.date) -> str:
    years = slow_years(born, day)
    if years is None or years > 120:
        return "unknown"
    if years < 20:
        return "-19"
    if years >= 50:
        return "50-"
    return f"{years // 5 * 5}-{years // 5 * 5 + 4}"


def slow_child_band(children: list[tuple], day: datetime.date) -> str:
    """The youngest child, child by child."""
    ages = []
    for born, due in children:
        if (born and born > day) or (not born and due and (day - due).days <= 28):
            return "expecting"
        ages.append(slow_years(born, day) if born else None)
    if None in ages:
        return "unknown"
    first = {0: "0", 1: "1-2", 3: "3-5", 6: "6-8", 9: "9-12", 13: "13-"}
    return first[max(bound for bound in first if bound <= min(ages))]


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        pytest.param("1990-10-31", "2026-10-31", 36, id="birthday today"),
        pytest.param("1990-11-01", "2026-10-31", 35, id="birthday tomorrow"),
        pytest.param("1990-10-30", "2026-10-31", 36, id="birthday yesterday"),
        pytest.param("1990-12-01", "2026-10-31", 35, id="a later month with an earlier day"),
        pytest.param("1990-01-31", "2026-10-01", 36, id="an earlier month with a later day"),
        pytest.param("2026-10-31", "2026-10-31", 0, id="born today"),
        pytest.param("2026-11-01", "2026-10-31", None, id="born tomorrow"),
        pytest.param("2008-02-29", "2026-02-28", 17, id="29 February on the 28th of a common year"),
        pytest.param("2008-02-29", "2026-03-01", 18, id="29 February on 1 March of a common year"),
        pytest.param("2008-02-29", "2028-02-28", 19, id="29 February on the 28th of a leap year"),
        pytest.param("2008-02-29", "2028-02-29", 20, id="29 February on the 29th of a leap year"),
        pytest.param("2007-12-31", "2026-01-01", 18, id="one day after a birthday at the end of the year"),
        pytest.param("1900-01-01", "2026-10-31", 126, id="a typing error is an age as well"),
        pytest.param(None, "2026-10-31", None, id="no date of birth"),
    ],
)
def test_completed_years(born, day, years):
    assert one(completed_years(pl.col("born"), date(day)), born=date(born)) == years
    assert slow_years(date(born), date(day)) == years


@pytest.mark.parametrize(
    ("born", "code"),
    [
        pytest.param("2006-11-01", "-19", id="nineteen until tomorrow"),
        pytest.param("2006-10-31", "20-24", id="twenty today"),
        pytest.param("2001-11-01", "20-24", id="twenty-four until tomorrow"),
        pytest.param("2001-10-31", "25-29", id="twenty-five today"),
        pytest.param("1976-11-01", "45-49", id="forty-nine until tomorrow"),
        pytest.param("1976-10-31", "50-", id="fifty today"),
        pytest.param("1906-10-31", "50-", id="one hundred and twenty today"),
        pytest.param("1905-11-01", "50-", id="one hundred and twenty until tomorrow"),
        pytest.param("1905-10-31", "unknown", id="one hundred and twenty-one today"),
        pytest.param("0001-01-01", "unknown", id="the first year"),
        pytest.param("2026-11-01", "unknown", id="not yet born"),
        pytest.param("9999-12-31", "unknown", id="the last year"),
        pytest.param(None, "unknown", id="no date of birth"),
    ],
)
def test_age_band(born, code):
    assert one(age_band(pl.col("born"), DAY), born=date(born)) == code


@pytest.mark.parametrize(
    ("children", "code"),
    [
        pytest.param([("2026-10-31", None)], "0", id="born today"),
        pytest.param([("2026-11-01", None)], "expecting", id="born tomorrow"),
        pytest.param([(None, "2027-03-01")], "expecting", id="due in spring"),
        pytest.param([(None, "2026-10-31")], "expecting", id="due today"),
        pytest.param([(None, "2026-10-03")], "expecting", id="overdue by 28 days"),
        pytest.param([(None, "2026-10-02")], "unknown", id="overdue by 29 days"),
        pytest.param([(None, None)], "unknown", id="neither date"),
        pytest.param([("2025-11-01", None)], "0", id="one tomorrow"),
        pytest.param([("2025-10-31", None)], "1-2", id="one today"),
        pytest.param([("2023-11-01", None)], "1-2", id="three tomorrow"),
        pytest.param([("2023-10-31", None)], "3-5", id="three today"),
        pytest.param([("2020-10-31", None)], "6-8", id="six today"),
        pytest.param([("2017-10-31", None)], "9-12", id="nine today"),
        pytest.param([("2013-11-01", None)], "9-12", id="thirteen tomorrow"),
        pytest.param([("2013-10-31", None)], "13-", id="thirteen today"),
        pytest.param([("2013-10-31", None), ("2020-10-31", None)], "6-8", id="the youngest of two"),
        pytest.param([("2020-10-31", None), (None, "2027-03-01")], "expecting", id="one born and one unborn"),
        pytest.param([("2020-10-31", None), (None, None)], "unknown", id="one dated and one not"),
        pytest.param([(None, None), (None, "2027-03-01")], "expecting", id="one undated and one unborn"),
        pytest.param([("2020-10-31", "2020-10-20")], "6-8", id="a due date kept after the birth"),
        pytest.param([("2020-10-31", "2027-03-01")], "6-8", id="a birth outweighs a due date"),
        pytest.param([("2024-02-29", None)], "1-2", id="born on 29 February"),
    ],
)
def test_youngest_child_band(children, code):
    dated = [(date(born), date(due)) for born, due in children]
    born, due = map(list, zip(*dated, strict=True))
    assert one(youngest_child_band(pl.col("born"), pl.col("due"), DAY), born=born, due=due) == code
    assert slow_child_band(dated, DAY) == code


dates = st.none() | st.dates(datetime.date(1890, 1, 1), datetime.date(2035, 12, 31))
leap_dates = dates | st.sampled_from([datetime.date(year, 2, 29) for year in range(1904, 2033, 4)])
days = st.dates(datetime.date(2020, 1, 1), datetime.date(2032, 12, 31))


@examples
@given(st.lists(leap_dates, min_size=1, max_size=40), days)
def test_ages_are_those_of_counted_birthdays(born, day):
    frame = pl.DataFrame({"born": born}, schema={"born": pl.Date})
    got = frame.select(y=completed_years(pl.col("born"), day), b=age_band(pl.col("born"), day))
    assert got["y"].to_list() == [slow_years(b, day) for b in born]
    assert got["b"].to_list() == [slow_age_band(b, day) for b in born]
    assert set(got["b"]) <= set(bands.AGE_BANDS)


@examples
@given(st.lists(st.lists(st.tuples(leap_dates, leap_dates), min_size=1, max_size=4), min_size=1, max_size=8), days)
def test_the_youngest_child_is_that_of_a_slow_count(families, day):
    rows = [(number, *child) for number, children in enumerate(families) for child in children]
    schema = {"member": pl.Int64, "born": pl.Date, "due": pl.Date}
    frame = pl.DataFrame(rows, schema=schema, orient="row").group_by("member", maintain_order=True)
    got = frame.agg(youngest_child_band(pl.col("born"), pl.col("due"), day).alias("band"))["band"].to_list()
    assert got == [slow_child_band(children, day) for children in families]
    assert set(got) <= set(bands.CHILD_BANDS) - {bands.NO_CHILD}


def test_a_band_has_a_name_for_every_bound():
    with pytest.raises(ValueError, match=r"zip"):
        band(pl.col("x"), (0, 1), ("a", "b", "c"))


@pytest.mark.parametrize(
    ("code", "result"),
    [
        pytest.param("13", "13", id="on the list"),
        pytest.param("48", "unknown", id="not on the list"),
        pytest.param("13 ", "unknown", id="with a space"),
        pytest.param("", "unknown", id="empty"),
        pytest.param(None, "unknown", id="missing"),
    ],
)
def test_listed(code, result):
    assert one(listed(pl.col("code"), ("01", "13")), code=code) == result


@pytest.mark.parametrize(
    ("instant", "wall", "code"),
    [
        pytest.param("2026-10-31T14:59:59+00:00", "2026-10-31T23:59:59", "2026-10", id="a second before midnight"),
        pytest.param("2026-10-31T15:00:00+00:00", "2026-11-01T00:00:00", "2026-11", id="midnight in Tokyo"),
        pytest.param("2025-12-31T15:00:00+00:00", "2026-01-01T00:00:00", "2026-01", id="New Year in Tokyo"),
    ],
)
def test_instants_are_those_of_tokyo(instant, wall, code):
    at = datetime.datetime.fromisoformat(instant)
    assert one(tokyo(pl.col("at")), at=at) == datetime.datetime.fromisoformat(wall)
    assert one(month(pl.col("at")), at=at) == code


def test_a_missing_instant_has_an_unknown_month():
    assert one(month(pl.col("at")), at=None) == "unknown"
