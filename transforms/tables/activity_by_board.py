"""Who wrote where, day by day."""

from transforms.dimensions import BOARD, DAY
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="activity_by_board",
    title="Active members and postings by board and day, closed days",
    title_ja="掲示板・日別の投稿会員数と投稿数(確定日)",
    purpose=STATISTICS,
    over="postings",
    period=Period.DAY,
    dimensions=(BOARD, DAY),
    cap=10,
    measures=(
        Measure(
            name="members", kind=MeasureKind.MEMBERS, title="members who posted", title_ja="投稿会員数", unit="persons"
        ),
        Measure(
            name="postings",
            kind=MeasureKind.CONTRIBUTIONS,
            title="postings, at most 10 of one member a day",
            title_ja="投稿数(1会員1日10件まで)",
            unit="postings",
        ),
    ),
    note="Postings without a login and deleted ones are left out. A day is told once; late changes only in a quorum.",
    note_ja="匿名投稿と削除された投稿を除く。各日は一度だけ公表し、後日の変更は一定人数に達した場合のみ反映する。",
    example=Example(
        rows="""
        member_no  board     day         hour  weekday
        1          育児の悩み  2026-10-31  21    5
        1          育児の悩み  2026-10-31  22    5
        2          育児の悩み  2026-10-31  22    5
        1          健康・家庭  2026-10-31  23    5
        3          育児の悩み  2026-10-30  23    4
        """,
        cells="""
        board     day         members  contributions
        健康・家庭  2026-10-31  1        1
        育児の悩み  2026-10-31  2        3
        育児の悩み  2026-10-30  1        1
        """,
    ),
)
