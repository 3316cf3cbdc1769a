"""
The nouns of the pipeline: what a column, a source dataset and a statistical table are.

Frozen dataclasses, checked when they are made, so a wrong declaration fails at import
with a line number. Standard library only: Airflow parses the modules that import this.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from anonymizers.bands import TOTAL, TOTAL_JA
from anonymizers.controls import DisclosureControl

AS_OF = "as_of"
"""The published column that says which night a cell's numbers are of."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


class Role(StrEnum):
    """What a column says about a person (ISO/IEC 20889; the law's classes stand in the README)."""

    DIRECT_IDENTIFIER = "direct identifier"
    QUASI_IDENTIFIER = "quasi-identifier"
    SENSITIVE = "sensitive attribute"
    RELATED = "related information"
    FREE_TEXT = "free text"
    SECRET = "secret"  # noqa: S105  a class of columns
    OTHER = "other"


class Reader(StrEnum):
    """One database role per branch of the night; the database enforces the purpose."""

    STATISTICS = "statistics"
    ADS = "ads"
    TEXT = "text"

    @property
    def database_role(self) -> str:
        return f"sudare_{self.value}"


@dataclass(frozen=True)
class Drop:
    """Never read: no grant, no query."""


@dataclass(frozen=True)
class Keep:
    """Passed on as it is."""

    reason: str
    """Why the value itself may stand in staged data."""


@dataclass(frozen=True)
class Pseudonymise:
    """Replaced by a keyed token before anything is written."""

    domain: str
    """Tokens are comparable within one domain only."""


@dataclass(frozen=True)
class Generalise:
    """Replaced by a band or a coarser unit before anything is written."""

    to: str
    """The staged column."""


@dataclass(frozen=True)
class Redact:
    """Free text whose identifiers are replaced by typed placeholders before anything is written."""


@dataclass(frozen=True)
class Gate:
    """Read to decide or to join, in memory; never written."""

    reason: str
    read: Literal["value", "presence"] = "value"
    """``presence`` reads ``is not null``: an 'infinity' then counts as present, and not as missing."""


@dataclass(frozen=True)
class MatchKey:
    """Digested in memory for an advertising destination; the value is never written."""


Treatment = Drop | Keep | Pseudonymise | Generalise | Redact | Gate | MatchKey


@dataclass(frozen=True)
class Per:
    """A treatment for each reader; a reader that is not named drops the column."""

    statistics: Treatment = Drop()
    ads: Treatment = Drop()
    text: Treatment = Drop()


@dataclass(frozen=True)
class Column:
    """One column of the site's database."""

    name: str
    type: str
    """As PostgreSQL's ``format_type`` spells it."""
    role: Role
    treatment: Drop | Per
    description: str

    def for_reader(self, reader: Reader) -> Treatment:
        """What ``reader`` does with the column."""
        return self.treatment if isinstance(self.treatment, Drop) else getattr(self.treatment, reader.value)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One table of the site's database. What is not declared here is never read."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    staging_days: int
    """Days its treated rows may stay in staging; 0 where nothing of it is staged."""

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        _require(len(names) == len(set(names)), f"{self.name}: a column is declared twice")
        _require(set(self.key) <= set(names), f"{self.name}: the key is not among the columns")

    def read_by(self, reader: Reader) -> tuple[Column, ...]:
        """The columns ``reader`` is granted, in declared order."""
        return tuple(c for c in self.columns if not isinstance(c.for_reader(reader), Drop))


class Period(StrEnum):
    """Which postings or members a night's table is about."""

    SNAPSHOT = "the state at the end of the day"
    DAY = "each of the 28 days that end with the day"
    WINDOW = "the 28 days that end with the day, together"
    WEEK = "the last whole week, Monday to Sunday"


WINDOW_DAYS = 28
"""Four whole weeks, so that every weekday counts equally often."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A classifying variable of a statistical table."""

    name: str
    title: str
    title_ja: str
    codes: tuple[str, ...] = ()
    """The closed list of values; empty where ``pattern`` says what a value looks like."""
    pattern: str = ""
    is_text: bool = False
    """Somebody typed it: it is searched for identifiers before it is published."""
    is_period: bool = False
    """A closed stretch of time. Cells of different ones are never added up, so it has no margin."""
    is_open: bool = False
    """Nobody can list its values beforehand: a cell has a row only once it has a number."""
    labels: tuple[tuple[str, str], ...] = ()
    """Japanese name of each code; published as ``<name>_ja`` beside it."""

    def __post_init__(self) -> None:
        _require(bool(_NAME.fullmatch(self.name)), f"{self.name!r} is not a column name")
        _require(bool(self.codes) != bool(self.pattern), f"{self.name}: give codes or a pattern, one of them")
        _require(not self.labels or {c for c, _ in self.labels} == set(self.codes), f"{self.name}: labels and codes")
        _require(TOTAL not in self.codes, f"{self.name}: {TOTAL!r} is the code of margins")

    @property
    def published_codes(self) -> tuple[str, ...]:
        """The closed list of values with the margin's; empty where there is none."""
        return (*self.codes, TOTAL) if self.codes and not self.is_period else self.codes

    @property
    def published_pattern(self) -> str:
        return self.pattern if self.is_period else f"{self.pattern}|{TOTAL}"

    @property
    def published_labels(self) -> tuple[tuple[str, str], ...]:
        return (*self.labels, (TOTAL, TOTAL_JA)) if self.labels else ()


class MeasureKind(StrEnum):
    MEMBERS = "distinct members"
    CONTRIBUTIONS = "capped contributions of those members"
    MEAN = "mean of the capped contributions"
    QUANTILE = "quantile of the capped contributions"
    SHARE = "published members of the cell in those of its group's margin"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number in a cell. Only counts of distinct members, or built on them."""

    name: str
    kind: MeasureKind
    title: str
    title_ja: str
    unit: str
    within: tuple[str, ...] = ()
    """For a share: the dimensions that its group has in common; the others are at their margin there."""
    quantile: float = 0.5
    """For a quantile: the share of the members below it."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A worked example, drawn as text: staged rows in, true cells out (before disclosure control, margins apart)."""

    rows: str
    cells: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A statistical table. Its cells are counted in distinct members."""

    name: str
    title: str
    title_ja: str
    purpose: str
    over: Literal["members", "postings", "terms"]
    period: Period
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    contribution: str = ""
    """Staged column that is summed for a mean over members; postings are counted."""
    cap: int = 1
    """Contributions counted per member, cell and day (postings) or per member (members)."""
    cap_year: int = 0
    """For a top-code of members' contributions: the year for which it was set. It is looked at once a year."""
    bins: tuple[int, ...] = ()
    """For quantiles: the lower bounds of the bins of the histogram they are read from."""
    control: DisclosureControl = field(default_factory=DisclosureControl)
    example: Example
    note: str
    note_ja: str

    def __post_init__(self) -> None:
        _require(bool(_NAME.fullmatch(self.name)), f"{self.name!r} is not a table name")
        _require(bool(self.dimensions) and bool(self.measures), f"{self.name}: needs dimensions and measures")
        _require(self.cap >= 1, f"{self.name}: cap is in contributions, at least 1")
        _require((self.over == "members") == (self.period is Period.SNAPSHOT), f"{self.name}: period and rows")
        _require((self.over == "terms") == (self.period is Period.WEEK), f"{self.name}: terms are of whole weeks")
        kinds = {m.kind for m in self.measures}
        magnitudes = {MeasureKind.MEAN, MeasureKind.QUANTILE} & kinds
        sums = {MeasureKind.CONTRIBUTIONS, *magnitudes} & kinds
        _require(not (self.over == "members" and sums and not self.contribution), f"{self.name}: what is summed?")
        # A sum, its n and its mean give each other away.
        _require(not (magnitudes and kinds - magnitudes), f"{self.name}: means and quantiles stand without a count")
        _require((MeasureKind.QUANTILE in kinds) == bool(self.bins), f"{self.name}: quantiles need bins")
        _require(not self.bins or (self.bins[0] == 0 and len(self.bins) > 1), f"{self.name}: bins begin at 0")
        _require(bool(self.contribution) == bool(self.cap_year), f"{self.name}: a top-code names its year")

    @property
    def columns(self) -> tuple[str, ...]:
        """The published columns, in order."""
        dimensions = [name for d in self.dimensions for name in (d.name, *([f"{d.name}_ja"] if d.labels else []))]
        return (*dimensions, *(m.name for m in self.measures), AS_OF)

    @property
    def summed_over(self) -> tuple[str, ...]:
        """The dimensions that have a margin."""
        return tuple(d.name for d in self.dimensions if not d.is_period)

    @property
    def is_open(self) -> bool:
        return any(d.is_open for d in self.dimensions)


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """A 利用目的 of the published privacy policy, and whether this pipeline serves it."""

    id: str
    title_ja: str
    clause: str
    served: bool
