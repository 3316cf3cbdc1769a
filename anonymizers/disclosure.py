"""
Disclosure control: the only place where true counts become releasable numbers.

`Release` is one of the two types that may leave the house. It is made here and nowhere else, and it holds no true
count. A cell's numbers are perturbed by its key, and change only when a quorum of distinct members has changed in
it: what everybody sees move is never the doing of one. What was last published, and of whom it was, comes in as
`Published` and goes out as `Disclosure.references`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
import polars as pl
import polars_hash  # noqa: F401  registers the .chash namespace

from anonymizers import changes, perturbation
from anonymizers.bands import TOTAL
from anonymizers.cells import Cells
from anonymizers.controls import (
    DOMINANCE_CONTRIBUTORS,
    DOMINANCE_SHARE,
    MAGNITUDE_NOISE,
    P_PERCENT,
    PERTURBATION,
    QUANTILE_THRESHOLD,
    QUORUM,
    DisclosureControl,
)
from anonymizers.errors import DisclosureRefused
from anonymizers.keys import Key

AS_OF = "as_of"
"""The column that says which night a cell's numbers are of."""

SEPARATOR = "\x1f"
"""Between the codes of a cell in its name: a control character, which no code may hold."""


class Statistic(StrEnum):
    """What may be told of a cell."""

    MEMBERS = "members"
    CONTRIBUTIONS = "contributions"
    MEAN = "mean"
    QUANTILE = "quantile"


@dataclass(frozen=True)
class Measure:
    """A published column."""

    name: str
    statistic: Statistic
    quantile: float = 0.5


@dataclass(frozen=True)
class Published:
    """
    What was last published of a table, cell by cell, and what it was of.

    Attributes:
        names: The cells, shape (cells,); see `cell_names`.
        numbers: Shape (cells, measures + 1): the measures as published, missing where suppressed, and ``as_of``.
        power_sums: Shape (cells, 58), of the members who were in the cell when it last changed.
    """

    names: pd.Series
    numbers: pd.DataFrame
    power_sums: np.ndarray

    @classmethod
    def nothing(cls, measures: Sequence[str]) -> "Published":
        """Before the first night."""
        numbers = pd.DataFrame(columns=[*measures, AS_OF], dtype=object)
        return cls(pd.Series(dtype=object), numbers, np.zeros((0, changes.KEPT_SUMS), np.int64))


@dataclass(frozen=True, init=False)
class Release:
    """
    A statistical table that may be published. Only `disclose` makes one.

    Attributes:
        table: Its name.
        frame: Shape (cells, dimensions + measures + 1), ``as_of`` last. Measures are missing where suppressed.
        suppressed_cells: How many cells have no number.
        changed_cells: How many cells are of this night.
        threshold: In distinct members.
    """

    table: str
    frame: pd.DataFrame
    suppressed_cells: int
    changed_cells: int
    threshold: int

    def __init__(self) -> None:
        raise TypeError("a Release is made by anonymizers.disclosure.disclose only")


@dataclass(frozen=True)
class Disclosure:
    """
    One table of one night.

    Attributes:
        release: What may be published.
        references: Names and power sums, shape (changed cells, 58), to be kept with it; never published.
    """

    release: Release
    names: pd.Series
    references: np.ndarray


def disclose(
    table: str,
    cells: Cells,
    published: Published,
    measures: Sequence[Measure],
    control: DisclosureControl,
    key: Key,
    night: str,
    bins: Sequence[int] = (),
    population: str = "",
    listed: np.ndarray | None = None,
) -> Disclosure:
    """
    Protect one table.

    Args:
        table: Name, for the messages.

        cells: True cells, all that are to be published tonight, those of nobody included.

        published: What was last published; cells it does not know have had no number yet.

        measures: The published columns.

        control: The threshold, in distinct members.

        key: Of the statistics' epoch: draws quorums and noise.

        night: The day that the numbers describe, ISO, for ``as_of``.

        bins: Lower bounds of the histogram's bins, for quantiles.

        population: Whom the table counts, its name by default. Tables of one population have the same quorum for the
            same cell: what one of them suppresses the other does not tell.

        listed: Of a table whose cells nobody can list beforehand, shape (cells,): which have a row even without a
            number. By default all have.

    Returns:
        The release, its rows in the order of ``cells``; and the references of the cells that changed.

    Raises:
        DisclosureRefused: a count is negative, not whole or missing; a cell appears twice; a code is none.
        PerturbationRefused: the perturbation table is missing or not the recorded one.
    """
    _require_counts(table, cells)
    names = cell_names(cells.codes)
    before = _align(published, names, measures, night)
    said = _what_it_says(cells.codes)
    quorum = _quorums(population or table, said, before.numbers[AS_OF], key)
    changed = changes.distinct_changes_of_cells(before.power_sums, cells.power_sums) >= quorum
    enough = cells.members >= control.threshold + quorum - QUORUM[0]
    shown_before = before.numbers[[m.name for m in measures]].notna().any(axis=1).to_numpy()
    keys = said + cells.cell_key.astype(str)
    fresh = _numbers(cells, keys, measures, control, key, bins)
    # A margin whose numbers dominance hides is none to show cells under, tonight as on the nights to come.
    tells = enough & fresh.notna().any(axis=1).to_numpy()
    shown = _under_shown_margins(cells.codes, np.where(changed, tells, shown_before))
    changed |= shown_before & ~shown
    frame = before.numbers.astype(object)
    for column in fresh.columns:
        # Through objects: a masked array would keep the number under its mask, and so would whatever pickles it.
        tonight = fresh[column].where(shown).astype(object)
        frame[column] = frame[column].mask(changed, tonight).astype(fresh[column].dtype)
    frame[AS_OF] = frame[AS_OF].mask(changed, night)
    has_row = shown if listed is None else shown | listed
    rows = pd.concat([cells.codes, frame], axis=1)[has_row if listed is not None else slice(None)]
    kept = changed & has_row if listed is not None else changed
    release = _make_release(table, rows.reset_index(drop=True), measures, control, night)
    return Disclosure(release, names[kept], cells.power_sums[kept])


def cell_names(codes: pd.DataFrame) -> pd.Series:
    """The name of each cell: its codes, joined."""
    columns = pl.DataFrame({name: pl.Series(codes[name].to_numpy(), dtype=pl.String) for name in codes.columns})
    joined = columns.select(pl.concat_str(pl.all(), separator=SEPARATOR)).to_series()
    return pd.Series(joined.to_numpy(), dtype=object)


def perturbation_digest() -> str:
    """The SHA-256 of the perturbation table in use."""
    return perturbation.load(PERTURBATION).sha256


def _align(published: Published, names: pd.Series, measures: Sequence[Measure], night: str) -> Published:
    """What was published of these cells, in their order; a cell that is new has no number as of tonight."""
    positions = pd.Index(published.names).get_indexer(names)
    known = positions >= 0
    numbers = published.numbers.take(np.where(known, positions, -1)) if len(published.names) else None
    columns = [m.name for m in measures]
    if numbers is None:
        numbers = pd.DataFrame(index=range(len(names)), columns=[*columns, AS_OF], dtype=object)
    numbers = numbers.reset_index(drop=True)[[*columns, AS_OF]].astype(object)
    numbers.loc[~known, columns] = None
    numbers.loc[~known, AS_OF] = night
    sums = np.zeros((len(names), changes.KEPT_SUMS), np.int64)
    sums[known] = published.power_sums[positions[known]]
    return Published(names, numbers, sums)


def _quorums(population: str, said: pd.Series, as_of: pd.Series, key: Key) -> np.ndarray:
    """How many members must change: drawn anew after each change, so that no probing of a cell finds it out."""
    least, most = QUORUM
    return least + _draws(key, f"quorum:{population}", said + as_of) % (most - least + 1)


def _what_it_says(codes: pd.DataFrame) -> pd.Series:
    """
    What each cell says of its members, whatever its table: dimensions that are summed away say nothing.

    Draws are by it, so that the same cell in two tables is one cell; and a margin and the only one of its cells that
    is not empty are two, so that their numbers do not say that the others are.
    """
    names = sorted(codes.columns)
    said = [
        pl.when(pl.col(name) == TOTAL).then(pl.lit("")).otherwise(pl.lit(f"{name}=") + pl.col(name) + SEPARATOR)
        for name in names
    ]
    frame = pl.DataFrame({name: pl.Series(codes[name].to_numpy(), dtype=pl.String) for name in names})
    return pd.Series(frame.select(pl.concat_str(said)).to_series().to_numpy(), dtype=object)


def _under_shown_margins(codes: pd.DataFrame, shown: np.ndarray) -> np.ndarray:
    """
    Which cells may have a number: those whose margins all have one.

    A number beside a suppressed margin would leave the other cells of that margin next to nothing. A margin holds
    all that its cells hold, so whatever makes one appear or vanish is of no fewer members.
    """
    shown, margins = shown.copy(), _margins_of(codes)
    for _ in margins:
        # From the coarsest margins down: once for every dimension is enough.
        for margin in margins:
            shown &= (margin < 0) | shown[margin]
    return shown


def _margins_of(codes: pd.DataFrame) -> list[np.ndarray]:
    """Per dimension the position of each cell's margin over it, itself where it is one; -1 where there is none."""
    cell, margins, place = np.zeros(len(codes), np.int64), [], 1
    for name in codes.columns:
        numbers, found = pd.factorize(codes[name])
        total = np.flatnonzero(found == TOTAL)
        margins.append((numbers - total[0]) * place if len(total) else None)
        cell, place = cell + numbers * place, place * max(len(found), 1)
    if place > 2**62:
        raise DisclosureRefused("more combinations of codes than a number of 64 bits can tell apart")
    order = np.argsort(cell)
    return [_position(cell, order, cell - beside) for beside in margins if beside is not None]


def _position(cell: np.ndarray, order: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    if not len(cell):
        return order
    at = order[np.searchsorted(cell, wanted, sorter=order).clip(max=len(cell) - 1)]
    return np.where(cell[at] == wanted, at, -1)


def _numbers(
    cells: Cells,
    keys: pd.Series,
    measures: Sequence[Measure],
    control: DisclosureControl,
    key: Key,
    bins: Sequence[int],
) -> pd.DataFrame:
    """The protected numbers of every cell, as if it were released tonight."""
    table = perturbation.load(PERTURBATION)
    # Of what is above the threshold, which stays 0 where it is 0: no number under the threshold comes out.
    above = np.maximum(cells.members - control.threshold, 0)
    members = table.perturb(above, _draws(key, "noise", keys).astype(np.uint32)) + control.threshold
    columns = {}
    for measure in measures:
        match measure.statistic:
            case Statistic.MEMBERS:
                columns[measure.name] = pd.Series(members, dtype="Int64")
            case Statistic.CONTRIBUTIONS:
                columns[measure.name] = (_means(cells, keys, key) * members).round().astype("Int64")
            case Statistic.MEAN:
                columns[measure.name] = _means(cells, keys, key).round(2)
            case Statistic.QUANTILE:
                columns[measure.name] = _quantiles(cells, keys, measure.quantile, bins, key)
    return pd.DataFrame(columns)


def _means(cells: Cells, keys: pd.Series, key: Key) -> pd.Series:
    """Noisy means; missing where one or two members make most of the sum."""
    least, most = MAGNITUDE_NOISE
    draws = _draws(key, "magnitude", keys)
    size = least + (most - least) * (draws >> 1) / 2**31
    noise = np.where(draws & 1, size, -size) * cells.largest
    means = pd.Series((cells.contributions + noise) / np.maximum(cells.members, 1), dtype="Float64")
    return means.mask(_dominated(cells) | (cells.members == 0))


def _dominated(cells: Cells) -> np.ndarray:
    """(n, k) and p % rule. The two largest are kept of every cell, so n is 2."""
    if DOMINANCE_CONTRIBUTORS != 2:
        raise DisclosureRefused("cells keep their two largest contributions; another (n, k) rule needs more")
    rest = cells.contributions - cells.largest - cells.second
    share = cells.largest + cells.second > DOMINANCE_SHARE * cells.contributions
    return (cells.contributions > 0) & (share | (rest < P_PERCENT * cells.largest))


def _quantiles(cells: Cells, keys: pd.Series, quantile: float, bins: Sequence[int], key: Key) -> pd.Series:
    """Interpolated in a histogram with noise in every bin, so never a member's own number."""
    counts = _noisy_histogram(cells, keys, key)
    below = np.cumsum(counts, axis=1)
    target = quantile * below[:, -1:]
    bin_of = (below < target).sum(axis=1).clip(max=len(bins) - 1)
    rows = np.arange(len(counts))
    inside = counts[rows, bin_of]
    share = (target[:, 0] - (below[rows, bin_of] - inside)) / np.maximum(inside, 1)
    # Whole numbers spread evenly over their unit: a bin of 3 and 4 reaches from 2.5 to 4.5.
    edges = np.append(np.asarray(bins, float), 2 * bins[-1] - bins[-2]) - 0.5
    values = np.maximum(edges[bin_of] + share * (edges[bin_of + 1] - edges[bin_of]), 0)
    return pd.Series(values, dtype="Float64").round(1).mask(cells.members < QUANTILE_THRESHOLD)


def _noisy_histogram(cells: Cells, keys: pd.Series, key: Key) -> np.ndarray:
    table = perturbation.load(PERTURBATION)
    noisy = []
    for k in range(cells.histogram.shape[1]):
        draws = _draws(key, f"bin:{k}", keys).astype(np.uint32)
        # Only the noise of large counts: a histogram is not shown, and its bins may be empty.
        large = np.full(len(cells), 10**6)
        noisy.append(np.maximum(cells.histogram[:, k] + table.perturb(large, draws) - large, 0))
    return np.column_stack(noisy)


def _draws(key: Key, what: str, values: pd.Series) -> np.ndarray:
    """A number of 32 bits for each value, uniform for whoever lacks the key."""
    label = hashlib.sha256(what.encode()).hexdigest()
    texts = pl.DataFrame({"value": pl.Series(values.to_numpy()).cast(pl.String)})
    digest = pl.concat_str(pl.lit(label), pl.col("value")).chash.hmac_sha256(key=key.bytes.hex())
    return texts.select(digest.str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64)).to_series().to_numpy()


def _make_release(
    table: str, frame: pd.DataFrame, measures: Sequence[Measure], control: DisclosureControl, night: str
) -> Release:
    release = object.__new__(Release)
    for name, value in (
        ("table", table),
        ("frame", frame),
        ("suppressed_cells", int(frame[[m.name for m in measures]].isna().all(axis=1).sum())),
        ("changed_cells", int((frame[AS_OF] == night).sum())),
        ("threshold", control.threshold),
    ):
        object.__setattr__(release, name, value)
    return release


def _require_counts(table: str, cells: Cells) -> None:
    for name in ("members", "contributions", "largest", "second", "histogram", "power_sums", "cell_key"):
        values = getattr(cells, name)
        if values.dtype.kind not in "iu" or (values < 0).any():
            raise DisclosureRefused(f"{table}.{name}: a true count is missing, negative or not whole")
        if len(values) != len(cells.codes):
            raise DisclosureRefused(f"{table}.{name}: not one number for each cell")
    if cells.codes.isna().any(axis=None):
        raise DisclosureRefused(f"{table}: a dimension is missing; a missing value is the code 'unknown'")
    if any(SEPARATOR in code for name in cells.dimensions for code in pd.unique(cells.codes[name])):
        raise DisclosureRefused(f"{table}: a code holds a control character")
    if cells.codes.duplicated().any():
        raise DisclosureRefused(f"{table}: a cell appears twice; the shards were not merged")
