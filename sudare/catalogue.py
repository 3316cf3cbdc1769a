"""The catalogue and its tables, as an analyst reads them."""

import math

import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from anonymizers import perturbation
from anonymizers.bands import TOTAL
from anonymizers.controls import (
    DEFAULT_THRESHOLD,
    PERTURBATION,
    QUANTILE_THRESHOLD,
    QUORUM,
    SETTLING_DAYS,
    SETTLING_SPREAD_DAYS,
    DisclosureControl,
)
from anonymizers.errors import SettingRefused
from delivery.settings import Settings
from delivery.warehouse import Warehouse
from transforms.spec import Dimension, MeasureKind, Table
from transforms.tables import catalogue

MISSING = "–"


def describe_all() -> list[dict]:
    """Every table, for a machine."""
    noise = perturbation.load(PERTURBATION)
    return [
        {
            "name": table.name,
            "title": table.title,
            "title_ja": table.title_ja,
            "purpose": table.purpose,
            "period": table.period.value,
            "unit_of_count": "distinct members",
            "threshold": table.control.threshold,
            "quorum": list(QUORUM),
            "perturbation": {"bound": noise.bound, "variance": float(noise.variance)},
            "contributions_per_member_at_most": table.cap,
            "dimensions": [
                {
                    "name": d.name,
                    "title": d.title,
                    "codes": list(d.published_codes),
                    "margin": None if d.is_period else TOTAL,
                }
                for d in table.dimensions
            ],
            "measures": [{"name": m.name, "title": m.title, "unit": m.unit} for m in table.measures],
            "altered": [english for english, _ in altered(table)],
            "altered_ja": [japanese for _, japanese in altered(table)],
            "note": table.note,
            "note_ja": table.note_ja,
        }
        for table in catalogue().values()
    ]


def altered(table: Table) -> list[tuple[str, str]]:
    """What was done to a table's numbers, and how far off they may be; in English and in Japanese."""
    return [*_everywhere(table.control.threshold), *_of_its_own(table)]


def _everywhere(threshold: int) -> list[tuple[str, str]]:
    table, (least, most) = perturbation.load(PERTURBATION), QUORUM
    suppressed = DisclosureControl(threshold=threshold).most_suppressed
    settled = SETTLING_DAYS + SETTLING_SPREAD_DAYS - 1
    spread = math.floor(math.sqrt(table.variance))
    return [
        (
            f"a cell under {threshold} distinct members has no number and looks like an empty one; by a draw of its "
            f"own so may one of up to {suppressed}, and one whose margin has none",
            f"{threshold}人未満のセルは秘匿し、該当者なしと区別しない。"
            f"セルごとの抽選により{suppressed}人までのセル、周辺合計が秘匿されたセルも同様",
        ),
        (
            f"a number stays until {least} to {most} distinct members have joined, left or moved; as_of is its night. "
            f"Accounts of the last {SETTLING_DAYS} to {settled} days do not count for that",
            f"数値は{least}〜{most}人の変動があるまで更新しない。as_of は基準日。"
            f"登録後{SETTLING_DAYS}〜{settled}日の会員は変動に数えない",
        ),
        (
            f"members are off by at most {table.bound} as of that night, by {spread} or less in two of three cells, "
            "and not biased",
            f"会員数の誤差は基準日において最大{table.bound}、約3分の2のセルで{spread}以内、偏りなし",
        ),
        (
            f"a margin ('{TOTAL}') is a number of its own: as of one night it differs from the sum of its cells by up "
            f"to {table.bound} for each number and {suppressed} for each missing one",
            f"周辺合計('{TOTAL}')は独立に秘匿処理した値。"
            f"内訳の和とは、基準日が同じでも数値1つにつき{table.bound}、欠測1つにつき{suppressed}まで異なる",
        ),
    ]


def _of_its_own(table: Table) -> list[tuple[str, str]]:
    kinds = {m.kind for m in table.measures}
    said = []
    if table.over != "members":
        said.append(
            (
                "a member may be in many cells of a margin, so the margin is less than their sum",
                "同じ会員が複数のセルに現れるため、周辺合計は内訳の和より小さい",
            )
        )
    if table.is_open:
        said.append(("a cell without a number has no row", "秘匿されたセルは行がない"))
    if MeasureKind.CONTRIBUTIONS in kinds:
        said.append(
            (
                f"{_named(table, MeasureKind.CONTRIBUTIONS)}: at most {table.cap} of a member and day; off with the "
                "members, and by 20 to 40 % of the largest contribution",
                f"{_named(table, MeasureKind.CONTRIBUTIONS)}: 1会員1日{table.cap}件まで。"
                "会員数と同じ割合の誤差に、最大の寄与の20〜40%を加減",
            )
        )
    if MeasureKind.MEAN in kinds:
        said.append(
            (
                f"contributions are top-coded at {table.cap} (set for {table.cap_year}); a sum is moved by 20 to 40 % "
                "of the largest one before it becomes a mean; there is none where two members make 85 % of it, or "
                "where the others make less than 10 % of the first",
                f"寄与の上限は{table.cap}({table.cap_year}年設定)。平均は合計に最大の寄与の20〜40%を加減して算出。"
                "上位2人が85%を占めるセル、残りが首位の10%に満たないセルは秘匿",
            )
        )
    if MeasureKind.QUANTILE in kinds:
        said.append(
            (
                f"quantiles from {QUANTILE_THRESHOLD} members on, interpolated in bins that carry noise",
                f"分位数は{QUANTILE_THRESHOLD}人以上のセルのみ。誤差を加えた度数分布から補間",
            )
        )
    if MeasureKind.SHARE in kinds:
        said.append(("shares are of published numbers, each with its own error", "割合は公表値どうしの比"))
    return said


def _named(table: Table, kind: MeasureKind) -> str:
    return next(m.name for m in table.measures if m.kind is kind)


def print_catalogue(out: Console) -> None:
    """Every table, for a person; what is done to all of them stands once at the end."""
    for table in catalogue().values():
        out.print(f"[bold]{table.name}[/]  {table.title}\n    {table.title_ja}")
        out.print(f"    by      {', '.join(_dimension(d) for d in table.dimensions)}")
        out.print(f"    gives   {', '.join(f'{m.name} ({m.unit})' for m in table.measures)}")
        out.print(f"    about   {table.period.value}")
        for english, japanese in _of_its_own(table):
            out.print(f"    altered {english}\n            {japanese}")
        out.print(f"    note    {table.note}\n            {table.note_ja}\n")
    out.print("[bold]In every table[/]  全表共通")
    for english, japanese in _everywhere(DEFAULT_THRESHOLD):
        out.print(f"  - {english}\n    {japanese}")


def _dimension(dimension: Dimension) -> str:
    return f"{dimension.name} ({len(dimension.codes)} codes)" if dimension.codes else dimension.name


def read_current(settings: Settings, name: str) -> tuple[Table, pd.DataFrame]:
    """
    A table as published now, with ``as_of``.

    Raises:
        SettingRefused: no such table, or nothing published yet.
    """
    table = catalogue().get(name)
    if table is None:
        raise SettingRefused(f"no table of that name; there are {', '.join(catalogue())}")
    frame = Warehouse(settings.warehouse_url).current(table)
    if frame.empty:
        raise SettingRefused(f"{name}: nothing is published yet; run `sudare night`")
    whole = [m.name for m in table.measures if m.kind in (MeasureKind.MEMBERS, MeasureKind.CONTRIBUTIONS)]
    return table, frame.astype(dict.fromkeys(whole, "Int64"))


def print_table(out: Console, table: Table, frame: pd.DataFrame, most: int) -> None:
    """The first rows that say something, how many were suppressed, and what was done to the numbers."""
    measures = [m.name for m in table.measures]
    told = frame[frame[measures].notna().any(axis=1)]
    if table.is_open:
        told = told.sort_values([*(d.name for d in table.dimensions if d.is_period), measures[0]], ascending=False)
    out.print(f"[bold]{table.title}[/]\n{table.title_ja}\n")
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in frame.columns:
        grid.add_column(name, justify="right" if name in measures else "left", overflow="fold")
    for row in told.head(most).itertuples(index=False):
        grid.add_row(*(MISSING if pd.isna(value) else str(value) for value in row))
    out.print(grid)
    out.print(f"\n{len(told):,} of {len(frame):,} cells have numbers. {table.note}\n{table.note_ja}")
    for english, japanese in altered(table):
        out.print(f"- {english}\n  {japanese}")
    if len(told) > most:
        out.print(f"Printed {most}; more with --rows, all in stats.{table.name} and in the Parquet file.")
