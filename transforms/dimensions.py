"""The classifying variables that tables share. Standard library only."""

from anonymizers import bands
from transforms.prefectures import PREFECTURES
from transforms.spec import Dimension

UNKNOWN_JA = "不明"

PREFECTURE = Dimension(
    name="prefecture_code",
    title="prefecture, JIS X 0401",
    title_ja="都道府県(JIS X 0401)",
    codes=(*(code for code, _ in PREFECTURES), bands.UNKNOWN),
    labels=(*PREFECTURES, (bands.UNKNOWN, UNKNOWN_JA)),
)
AGE_BAND = Dimension(
    name="age_band",
    title="member's age in completed years, by birthdays, at the end of the day",
    title_ja="会員の年齢階級(当日終了時点の満年齢)",
    codes=bands.AGE_BANDS,
)
YOUNGEST_CHILD_BAND = Dimension(
    name="youngest_child_band",
    title="age of the youngest child in completed years; 'expecting' counts as the youngest",
    title_ja="末子の年齢階級(満年齢。expecting は妊娠中で末子として扱う)",
    codes=bands.CHILD_BANDS,
)
REGISTERED_MONTH = Dimension(
    name="registered_month",
    title=f"month of registration, Asia/Tokyo; 'earlier' is before {bands.FIRST_MONTH}",
    title_ja=f"登録月(日本時間。earlier は {bands.FIRST_MONTH} より前)",
    pattern=rf"[0-9]{{4}}-(0[1-9]|1[0-2])|{bands.EARLIER}|{bands.UNKNOWN}",
)
ACTIVITY = Dimension(
    name="activity",
    title="whether the member posted in the 28 days that end with the day",
    title_ja="直近28日間の投稿の有無",
    codes=(bands.POSTED, bands.SILENT),
    labels=((bands.POSTED, "投稿あり"), (bands.SILENT, "投稿なし")),
)
CONSENT_STATUS = Dimension(
    name="consent_status",
    title="state of the consent to ad matching, and of the stop signals",
    title_ja="広告照合への同意と停止の状態",
    codes=("consented", "stopped", "withdrawn", "outdated", "none"),
    labels=(
        ("consented", "同意あり・停止なし"),
        ("stopped", "停止(オプトアウト等)"),
        ("withdrawn", "同意の撤回"),
        ("outdated", "旧い文面への同意・明示でない同意"),
        ("none", "同意なし"),
    ),
)
BOARD = Dimension(
    name="board",
    title="board; sensitive boards are one",
    title_ja="掲示板(センシティブな掲示板は一括)",
    pattern=r"[\s\S]{1,60}",
    is_text=True,
)
DAY = Dimension(
    name="day",
    title="day, Asia/Tokyo",
    title_ja="日(日本時間)",
    pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    is_period=True,
)
WEEK = Dimension(
    name="week",
    title="ISO 8601 week, Monday to Sunday, Asia/Tokyo",
    title_ja="週(ISO 8601、月曜から日曜、日本時間)",
    pattern=r"[0-9]{4}-W[0-9]{2}",
    is_period=True,
)
TERM = Dimension(
    name="term",
    title="common noun, spelt as in a dictionary",
    title_ja="語(普通名詞、辞書の見出し形)",
    pattern=r"[^\s<>@0-9]{2,20}",
    is_text=True,
    is_open=True,
)
HOUR = Dimension(name="hour", title="hour of the day, Asia/Tokyo", title_ja="時(日本時間)", codes=bands.HOURS)
WEEKDAY = Dimension(
    name="weekday",
    title="day of the week, Asia/Tokyo",
    title_ja="曜日(日本時間)",
    codes=bands.WEEKDAYS,
    labels=tuple(zip(bands.WEEKDAYS, "月火水木金土日", strict=True)),
)
