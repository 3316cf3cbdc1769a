"""How many consent to ad matching, and how many said stop."""

from transforms.dimensions import AGE_BAND, CONSENT_STATUS
from transforms.purposes import STATISTICS
from transforms.spec import Example, Measure, MeasureKind, Period, Table

TABLE = Table(
    name="consents_by_age_band",
    title="Consent to ad matching and opt-outs, by age band",
    title_ja="年齢階級別の広告照合への同意率・停止率",
    purpose=STATISTICS,
    over="members",
    period=Period.SNAPSHOT,
    dimensions=(AGE_BAND, CONSENT_STATUS),
    measures=(
        Measure(name="members", kind=MeasureKind.MEMBERS, title="members", title_ja="会員数", unit="persons"),
        Measure(
            name="share_pct",
            kind=MeasureKind.SHARE,
            within=("age_band",),
            title="share of the age band's members, of published numbers",
            title_ja="年齢階級内の割合(公表値どうしの比)",
            unit="percent",
        ),
    ),
    note="A state is the member's own; the feeds also leave out shared addresses and unverified ones.",
    note_ja="会員本人の状態。広告フィードではさらに共有アドレスや未確認アドレスを除く。",
    example=Example(
        rows="""
        member_no  age_band  consent_status
        1          30-34     consented
        2          30-34     consented
        3          30-34     stopped
        4          35-39     none
        """,
        cells="""
        age_band  consent_status  members  contributions
        30-34     consented       2        0
        30-34     stopped         1        0
        35-39     none            1        0
        """,
    ),
)
