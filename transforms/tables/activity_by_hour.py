"""When members write, over a week."""

from transforms.dimensions import HOUR, WEEKDAY
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="activity_by_hour",
    title="Active members and postings by weekday and hour, last 28 days",
    title_ja="曜日・時間帯別の投稿会員数と投稿数(直近28日)",
    purpose=STATISTICS,
    over="postings",
    period=Period.WINDOW,
    dimensions=(WEEKDAY, HOUR),
    cap=10,
    measures=(
        Measure(
            name="members", kind=MeasureKind.MEMBERS, title="members who posted", title_ja="投稿会員数", unit="persons"
        ),
        Measure(
            name="postings",
            kind=MeasureKind.CONTRIBUTIONS,
            title="postings, at most 10 of one member an hour",
            title_ja="投稿数(1会員1時間10件まで)",
            unit="postings",
        ),
    ),
    note="Four weeks that end with the day. Postings without a login and deleted ones are left out.",
    note_ja="当日までの4週間。匿名投稿と削除された投稿を除く。",
    example=Example(
        rows="""
        member_no  board     day         hour  weekday
        1          育児の悩み  2026-10-31  21    5
        1          健康・家庭  2026-10-24  21    5
        2          育児の悩み  2026-10-31  21    5
        2          育児の悩み  2026-10-03  21    5
        """,
        cells="""
        weekday  hour  members  contributions
        Sat      21    2        3
        """,
    ),
)
