"""
Generalisation: values recoded to bands, as expressions over whole columns.

Ages go by birthdays. A missing or impossible value becomes `UNKNOWN`, never a guess.
The day is an argument: no clock is read here.
"""

import datetime

import polars as pl

from anonymizers import bands


def completed_years(born: pl.Expr, day: datetime.date) -> pl.Expr:
    """
    Age in completed years on ``day``; whoever is born on 29 February is older from 1 March in common years.

    Returns:
        Int32; null where ``born`` is null or after ``day``.
    """
    # Months and days are 8-bit in the library; their product with 100 is not.
    birthday = born.dt.month().cast(pl.Int32) * 100 + born.dt.day().cast(pl.Int32)
    had_birthday = birthday <= day.month * 100 + day.day
    years = day.year - born.dt.year() - pl.when(had_birthday).then(0).otherwise(1)
    return pl.when(born <= day).then(years)


def band(years: pl.Expr, lower_bounds: tuple[int, ...], codes: tuple[str, ...]) -> pl.Expr:
    """The code of the band that ``years`` falls into; null stays null."""
    names = [name for _, name in zip(lower_bounds, codes, strict=True)]
    # A chain of conditions would compute ``years`` once for each of them.
    return years.bin_intervals(lower_bounds[1:], labels=names).cast(pl.String)


def age_band(born: pl.Expr, day: datetime.date) -> pl.Expr:
    """The member's age band on ``day``, one of `bands.AGE_BANDS`."""
    years = completed_years(born, day)
    plausible = pl.when(years <= bands.OLDEST_AGE).then(years)
    return band(plausible, bands.AGE_LOWER_BOUNDS, bands.AGE_BANDS[:-1]).fill_null(bands.UNKNOWN)


def youngest_child_band(born: pl.Expr, due: pl.Expr, day: datetime.date) -> pl.Expr:
    """
    The band of a member's youngest child on ``day``, to be used in a group per member.

    An unborn child is the youngest, and makes its member *expecting*, never a parent of a
    child of age 0 or -1. A birth date in the future is an unborn child as well. A due
    date long past without a birth date, or neither date, is a child of unknown age.

    Returns:
        One of `bands.CHILD_BANDS` but `NO_CHILD`, which is for members without a row.
    """
    unborn = due.is_not_null() & (due >= day - datetime.timedelta(days=bands.OVERDUE_DAYS))
    expecting = (born > day) | (born.is_null() & unborn)
    undated = born.is_null() & ~unborn.fill_null(False)
    # Not ``born.filter(…)``: a filter runs group by group, a condition over the whole column at once.
    years = completed_years(pl.when(born <= day).then(born).max(), day)
    return (
        pl.when(expecting.any())
        .then(pl.lit(bands.EXPECTING))
        .when(undated.any())
        .then(pl.lit(bands.UNKNOWN))
        .otherwise(band(years, bands.CHILD_LOWER_BOUNDS, bands.CHILD_BANDS[1:-2]))
    )


def listed(code: pl.Expr, codes: tuple[str, ...]) -> pl.Expr:
    """``code`` where it is on the list, else `UNKNOWN`."""
    return pl.when(code.is_in(codes)).then(code).otherwise(pl.lit(bands.UNKNOWN))


def tokyo(instant: pl.Expr) -> pl.Expr:
    """An instant as Asia/Tokyo wall-clock time. Japan has kept UTC+9 since 1951; adding is 40 times as fast."""
    return instant.dt.convert_time_zone("UTC").dt.replace_time_zone(None) + datetime.timedelta(hours=9)


def month(instant: pl.Expr) -> pl.Expr:
    """The Asia/Tokyo month of an instant, 'YYYY-MM', bottom-coded before `bands.FIRST_MONTH`."""
    code = tokyo(instant).dt.strftime("%Y-%m")
    first = datetime.datetime.fromisoformat(f"{bands.FIRST_MONTH}-01")
    # By time, not by text: a year of five digits sorts before 2010.
    return pl.when(tokyo(instant) < first).then(pl.lit(bands.EARLIER)).otherwise(code).fill_null(bands.UNKNOWN)
