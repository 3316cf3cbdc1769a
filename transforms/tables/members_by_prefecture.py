"""Where members live, how old they are and how old their youngest child is."""

from transforms.dimensions import AGE_BAND, PREFECTURE, YOUNGEST_CHILD_BAND
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="members_by_prefecture",
    title="Members by prefecture, age band and youngest child's age band",
    title_ja="都道府県・年齢階級・末子の年齢階級別の会員数",
    purpose=STATISTICS,
    over="members",
    period=Period.SNAPSHOT,
    dimensions=(PREFECTURE, AGE_BAND, YOUNGEST_CHILD_BAND),
    measures=(Measure(name="members", kind=MeasureKind.MEMBERS, title="members", title_ja="会員数", unit="persons"),),
    note="Active members who have not stopped statistics.",
    note_ja="統計利用を停止していない有効会員。",
    example=Example(
        rows="""
        member_no  prefecture_code  age_band  youngest_child_band
        1          13               30-34     3-5
        2          13               30-34     3-5
        3          13               30-34     expecting
        4          unknown          unknown   none
        """,
        cells="""
        prefecture_code  age_band  youngest_child_band  members  contributions
        13               30-34     3-5                  2        0
        13               30-34     expecting            1        0
        unknown          unknown   none                 1        0
        """,
    ),
)
