"""How many of those who joined in a month still write."""

from transforms.dimensions import ACTIVITY, REGISTERED_MONTH
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="retention_by_cohort",
    title="Members by month of registration, and whether they posted in the last 28 days",
    title_ja="登録月別・直近28日の投稿の有無別の会員数(継続率)",
    purpose=STATISTICS,
    over="members",
    period=Period.SNAPSHOT,
    dimensions=(REGISTERED_MONTH, ACTIVITY),
    measures=(
        Measure(name="members", kind=MeasureKind.MEMBERS, title="members", title_ja="会員数", unit="persons"),
        Measure(
            name="share_pct",
            kind=MeasureKind.SHARE,
            within=("registered_month",),
            title="share of the cohort's members, of published numbers",
            title_ja="同月登録者内の割合(公表値どうしの比)",
            unit="percent",
        ),
    ),
    note="Of the members who are still active accounts; whoever has left is in no cohort.",
    note_ja="現在の有効会員のみ。退会者はどの登録月にも含まない。",
    example=Example(
        rows="""
        member_no  registered_month  activity
        1          2026-09           posted
        2          2026-09           silent
        3          2026-09           silent
        4          2026-10           posted
        """,
        cells="""
        registered_month  activity  members  contributions
        2026-09           posted    1        0
        2026-09           silent    2        0
        2026-10           posted    1        0
        """,
    ),
)
