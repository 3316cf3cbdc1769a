"""How much a member of each age writes."""

from transforms.dimensions import AGE_BAND, YOUNGEST_CHILD_BAND
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="engagement_by_age_band",
    title="Postings per member in the last 28 days, by age band and youngest child's age band",
    title_ja="年齢階級・末子の年齢階級別の会員1人あたり投稿数(直近28日)",
    purpose=STATISTICS,
    over="members",
    period=Period.SNAPSHOT,
    dimensions=(AGE_BAND, YOUNGEST_CHILD_BAND),
    contribution="postings_28d",
    cap=28,
    cap_year=2026,
    bins=(0, 1, 2, 3, 5, 9, 17),
    measures=(
        Measure(
            name="postings_per_member",
            kind=MeasureKind.MEAN,
            title="mean postings per member in 28 days, silent members included",
            title_ja="会員1人あたり平均投稿数(28日間、投稿のない会員を含む)",
            unit="postings per person",
        ),
        Measure(
            name="postings_median",
            kind=MeasureKind.QUANTILE,
            quantile=0.5,
            title="median of the same; for 50 members or more",
            title_ja="同・中央値(50人以上のセル)",
            unit="postings per person",
        ),
        Measure(
            name="postings_p90",
            kind=MeasureKind.QUANTILE,
            quantile=0.9,
            title="90th percentile of the same; for 50 members or more",
            title_ja="同・90パーセンタイル(50人以上のセル)",
            unit="postings per person",
        ),
    ),
    note="At most 28 postings of one member count, so that no single one carries a mean.",
    note_ja="1会員につき28件を上限とする。",
    example=Example(
        rows="""
        member_no  age_band  youngest_child_band  postings_28d
        1          30-34     0                    40
        2          30-34     0                    2
        3          30-34     none                 0
        """,
        cells="""
        age_band  youngest_child_band  members  contributions
        30-34     0                    2        30
        30-34     none                 1        0
        """,
    ),
)
