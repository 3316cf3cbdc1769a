"""What is written about, week by week."""

from transforms.dimensions import BOARD, TERM, WEEK
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="trending_terms",
    title="Terms of postings by board and week, closed weeks",
    title_ja="掲示板・週別の投稿の語(確定週)",
    purpose=STATISTICS,
    over="terms",
    period=Period.WEEK,
    dimensions=(BOARD, WEEK, TERM),
    measures=(
        Measure(
            name="members",
            kind=MeasureKind.MEMBERS,
            title="members who used the term",
            title_ja="その語を使った会員数",
            unit="persons",
        ),
    ),
    note="Common nouns of redacted postings, as a dictionary spells them. A term has a row only with enough members, "
    "so no name of a few stands here.",
    note_ja="匿名化処理後の投稿の普通名詞(表記は辞書による)。一定人数以上の会員が使った語のみを載せる。",
    example=Example(
        rows="""
        member_no  board     week      term
        1          育児の悩み  2026-W43  離乳食
        2          育児の悩み  2026-W43  離乳食
        2          育児の悩み  2026-W43  寝かしつけ
        2          雑談       2026-W43  離乳食
        """,
        cells="""
        board     week      term      members  contributions
        育児の悩み  2026-W43  寝かしつけ  1        0
        育児の悩み  2026-W43  離乳食     2        0
        雑談       2026-W43  離乳食     1        0
        """,
    ),
)
