"""When members of each prefecture write, over a week."""

from transforms.dimensions import HOUR, PREFECTURE, WEEKDAY
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="activity_by_hour",
    title="Active members and postings by weekday, hour and prefecture, last 28 days",
    title_ja="曜日・時間帯・都道府県別の投稿会員数と投稿数(直近28日)",
    purpose=STATISTICS,
    over="postings",
    period=Period.WINDOW,
    dimensions=(WEEKDAY, HOUR, PREFECTURE),
    cap=10,
    measures=(
        Measure(
            name="members", kind=MeasureKind.MEMBERS, title="members who posted", title_ja="投稿会員数", unit="persons"
        ),
        Measure(
            name="postings",
            kind=MeasureKind.CONTRIBUTIONS,
            title="postings, at most 10 of one member in a cell and day",
            title_ja="投稿数(1会員1日1セル10件まで)",
            unit="postings",
        ),
    ),
    note="Four weeks that end with the day. Postings without a login and deleted ones are left out.",
    note_ja="当日までの4週間。匿名投稿と削除された投稿を除く。",
    example=Example(
        rows="""
        member_no  prefecture_code  board     day         hour  weekday
        1          13               育児の悩み  2026-10-31  21    5
        1          13               健康・家庭  2026-10-24  21    5
        2          13               育児の悩み  2026-10-31  21    5
        2          13               育児の悩み  2026-10-03  21    5
        3          47               育児の悩み  2026-10-31  21    5
        """,
        cells="""
        weekday  hour  prefecture_code  members  contributions
        Sat      21    13               2        3
        Sat      21    47               1        1
        """,
    ),
)
