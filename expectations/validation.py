"""
Running checks with Great Expectations: the only module that imports it.

Importing this costs many seconds and hundreds of megabytes: import it inside a task. Its
result formats all carry failing values or exception texts somewhere, so a result is never
stored or logged; `Outcome`s are rebuilt from it by an allow-list.
"""

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import pandas as pd

from expectations.checks import Check, Outcome, plain

os.environ["GX_ANALYTICS_ENABLED"] = "false"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own dependencies' deprecations; ours stay errors
    import great_expectations as gx

logging.getLogger("great_expectations").setLevel(logging.CRITICAL)

_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}


def validate(output: str, frame: pd.DataFrame, checks: list[Check]) -> list[Outcome]:
    """
    Validate a frame; text is checked in its NFKC form, so that full-width letters do not hide.

    Args:
        output: Name of what is checked, for the outcomes.

        frame: What would be published.

        checks: Row count first.

    Returns:
        One outcome per check, in order. An expectation that raised has not passed.

    Raises:
        ValueError: the first check is not the row count.
    """
    if not checks or checks[0].expectation != "ExpectTableRowCountToBeBetween":
        raise ValueError(f"{output}: the first check of a suite is the row count")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = _results(checks, _whole_frame().get_batch({"dataframe": _normalised(frame)}))
    return [_outcome(output, check, results.get(place)) for place, check in enumerate(checks)]


@contextmanager
def _no_files_left() -> Iterator[None]:
    """Every context makes a temporary folder for a site nobody asked for, and leaves it."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as place:
        tempfile.tempdir = place
        try:
            yield
        finally:
            tempfile.tempdir = before


def _normalised(frame: pd.DataFrame) -> pd.DataFrame:
    text = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name])]
    return frame.assign(**{name: _plain(frame[name]) for name in text})


def _plain(column: pd.Series) -> pd.Series:
    """Each text once: of codes there are few, and many rows of each."""
    return column.map({text: plain(text) for text in column.dropna().unique()}).astype(column.dtype)


@cache
def _whole_frame():
    """What makes a batch of a frame; one for all of them, since making it takes longer than many a frame."""
    with _no_files_left():
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        source = context.data_sources.add_pandas("memory")
        return source.add_dataframe_asset("output").add_batch_definition_whole_dataframe("whole")


def _results(checks: list[Check], batch) -> dict[int, object]:
    """
    The result of each check that has one, by its place in the list.

    All of them are one suite, so that what several ask of a column is computed once; each carries its place, because
    results come in another order than checks.
    """
    expectations = []
    for place, check in enumerate(checks):
        arguments = {**({"column": check.column} if check.column else {}), **check.params, "meta": {"place": place}}
        with suppress(Exception):  # whatever it is, the check has no result, and its text may quote a value
            expectations.append(getattr(gx.expectations, check.expectation)(**arguments))
    with suppress(Exception):
        found = batch.validate(gx.ExpectationSuite("checks", expectations=expectations), result_format=_FORMAT)
        return {result.expectation_config.meta["place"]: result for result in found.results}
    return {}


def _outcome(output: str, check: Check, result) -> Outcome:
    """Without a result it has not passed."""
    counts = result.result if result is not None else {}
    return Outcome(
        output,
        check.expectation,
        check.column,
        result is not None and bool(result.success),
        _count(counts.get("element_count")),
        _count(counts.get("unexpected_count")),
    )


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None
