"""The checks of a statistical table, made from its declaration. Standard library only."""

import math

from expectations.checks import (
    IDENTIFIERS,
    Check,
    between,
    distinct,
    exact_columns,
    matching,
    one_of,
    present,
    rows,
    without,
)
from transforms.spec import AS_OF, Dimension, Measure, MeasureKind, Table


def table_suite(table: Table, threshold: int) -> list[Check]:
    """
    Everything a published table must be.

    Args:
        table: Its declaration.

        threshold: Distinct members below which no number may stand.
    """
    closed = math.prod(len(d.published_codes) for d in table.dimensions if d.codes)
    has_open = any(d.pattern for d in table.dimensions)
    return [
        rows(closed, None if has_open else closed),
        exact_columns(*table.columns),
        distinct(*(d.name for d in table.dimensions)),
        *(check for d in table.dimensions for check in _dimension(d)),
        *(check for m in table.measures for check in _measure(m, threshold, table.cap)),
        present(AS_OF),
        matching(AS_OF, r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    ]


def _dimension(dimension: Dimension) -> list[Check]:
    if dimension.codes:
        labels = tuple(label for _, label in dimension.published_labels)
        named = [present(f"{dimension.name}_ja"), one_of(f"{dimension.name}_ja", labels)] if labels else []
        return [present(dimension.name), one_of(dimension.name, dimension.published_codes), *named]
    shape = [present(dimension.name), matching(dimension.name, dimension.published_pattern)]
    return shape + [without(dimension.name, pattern) for pattern in IDENTIFIERS if dimension.is_text]


def _measure(measure: Measure, threshold: int, cap: int) -> list[Check]:
    if measure.kind is MeasureKind.MEMBERS:
        return [between(measure.name, threshold)]
    # A capped sum of at least `threshold` members' postings is at least that many.
    if measure.kind is MeasureKind.CONTRIBUTIONS:
        return [between(measure.name, threshold)]
    if measure.kind is MeasureKind.SHARE:
        return [between(measure.name, 0, 100)]
    # The noise of a mean is at most 40 % of one contribution.
    return [between(measure.name, 0, 1.4 * cap)]
