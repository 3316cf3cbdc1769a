"""When today's members joined."""

from transforms.dimensions import REGISTERED_MONTH
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="registrations_by_month",
    title="Members by month of registration",
    title_ja="登録月別の会員数",
    purpose=STATISTICS,
    over="members",
    period=Period.SNAPSHOT,
    dimensions=(REGISTERED_MONTH,),
    measures=(Measure(name="members", kind=MeasureKind.MEMBERS, title="members", title_ja="会員数", unit="persons"),),
    note="Members who are active today, by the month they joined; whoever has left since is not in it.",
    note_ja="現在の有効会員を登録月別に数えたもの。退会者は含まない。",
    example=Example(
        rows="""
        member_no  registered_month
        1          2026-09
        2          2026-10
        3          2026-10
        """,
        cells="""
        registered_month  members  contributions
        2026-09           1        0
        2026-10           2        0
        """,
    ),
)
