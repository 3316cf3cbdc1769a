"""
`sudare redact --html`: a page on which a person sees what was redacted, and what was not.

It holds the texts as they were written, so it is personal data: it loads nothing, runs nothing, and is readable by
its owner only.
"""

import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import IO

from anonymizers.errors import SettingRefused
from anonymizers.text.redaction import Redacted
from sudare.redaction import Treated
from sudare.redaction_style import STYLE

LABELS = {
    "PERSON": ("人名", 345),
    "FACILITY": ("施設名", 25),
    "ADDRESS": ("住所", 140),
    "POSTAL_CODE": ("郵便番号", 165),
    "BIRTH_DATE": ("生年月日", 48),
    "PHONE": ("電話番号", 215),
    "EMAIL": ("メール", 190),
    "URL": ("URL", 235),
    "LINE_ID": ("LINE ID", 110),
    "SNS_HANDLE": ("SNSアカウント", 205),
    "IP_ADDRESS": ("IPアドレス", 180),
    "MY_NUMBER": ("マイナンバー", 0),
    "CREDIT_CARD": ("クレジットカード", 280),
    "BANK_ACCOUNT": ("口座番号", 265),
    "DRIVER_LICENSE": ("運転免許証番号", 300),
    "HEALTH_INSURANCE": ("健康保険", 320),
    "EMPLOYMENT_INSURANCE": ("雇用保険", 75),
    "PENSION_NUMBER": ("基礎年金番号", 60),
    "PASSPORT": ("旅券番号", 250),
    "RESIDENCE_CARD": ("在留カード番号", 295),
    "MATERNAL_HANDBOOK": ("母子健康手帳", 330),
    "VEHICLE_PLATE": ("車両番号", 90),
    "CORPORATE_NUMBER": ("法人番号", 225),
}
"""By label its name in Japanese and its hue, in degrees; a label that is not here is shown by itself."""

REFUSALS = {
    "not_a_posting": ("投稿の形式ではない行", "the line is no posting"),
    "not_text": ("文字列ではない", "it is not text"),
    "too_long": ("長すぎる", "it is too long"),
    "lone_surrogates": ("壊れた文字を含む", "it holds halves of characters"),
    "control_characters": ("制御文字を含む", "it holds control characters"),
    "direction_marks": ("文字方向の制御記号を含む", "it holds marks that turn text round"),
    "names_unusable": ("既知の名前が使えない", "the names given cannot be used"),
    "recogniser_failed": ("検出処理が失敗した", "a recogniser failed"),
}
"""By reason what it means, in both languages."""


def on_page(treated: Iterable[Treated], path: Path) -> Iterator[Treated]:
    """
    Hand on what comes, and write the page when the last has come.

    Args:
        treated: Postings; their page is kept in memory until it is written.
        path: Replaced as a whole, mode 0600. If anything fails before the end, it is left as it was.

    Raises:
        SettingRefused: no file can be written there; raised before anything is read.
    """
    with _private(path) as file:
        rows: list[str] = []
        refused: list[str] = []
        counts: Counter[str] = Counter()
        for one in treated:
            if one.redacted is None:
                refused.append(_refused_row(one))
            else:
                rows.append(_article(one))
                counts.update(_counted(one.redacted))
            yield one
        file.write(page(rows, refused, counts))


@contextmanager
def _private(path: Path) -> Iterator[IO[str]]:
    """A file for its owner only, put in place when it is whole."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".sudare-")  # 0600 from its first moment
    except OSError as error:
        raise SettingRefused(f"--html: no file can be written there ({error.strerror})") from None
    try:
        # An id may hold half a character, which no encoding has.
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        os.replace(name, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _counted(redacted: Redacted) -> list[str]:
    """The keys one text adds to: spans by label, and whether there is one."""
    return ["posts", *(["found"] if redacted.spans else []), *(f"label {span.label}" for span in redacted.spans)]


def page(rows: list[str], refused: list[str], counts: Counter[str]) -> str:
    """The whole document, from the pieces of its postings."""
    labels = [key.removeprefix("label ") for key, _ in counts.most_common() if key.startswith("label ")]
    style = STYLE + "".join(_label_style(label) for label in labels)
    spans = sum(counts[f"label {label}"] for label in labels)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="ja">',
            "<head>",
            '<meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="robots" content="noindex, nofollow">',
            "<title>伏せ字の確認 – Sudare</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            _HEAD,
            _numbers(counts, spans, len(refused)),
            _legend(labels, counts),
            _refusals(refused),
            _postings(rows),
            "</body>",
            "</html>",
            "",
        ]
    )


_HEAD = """<header>
<h1><span class="blind" aria-hidden="true"></span>伏せ字の確認
<small lang="en">What was redacted, and what was not</small></h1>
<p class="notice" role="note"><strong>個人データを含みます。</strong>組織の外に出さず、確認が済んだら削除してください。
<span lang="en"><strong>This page holds personal data.</strong> It must not leave the house; delete it once it has been
read.</span></p>
</header>"""


def _numbers(counts: Counter[str], spans: int, refused: int) -> str:
    told = [
        ("投稿", "texts", counts["posts"] + refused),
        ("伏せ字あり", "with redactions", counts["found"]),
        ("伏せ字なし", "left as they were", counts["posts"] - counts["found"]),
        ("拒否", "refused", refused),
        ("伏せた箇所", "redactions", spans),
    ]
    cells = (f'<div><dt>{ja} <span lang="en">{en}</span></dt><dd>{n:,}</dd></div>' for ja, en, n in told)
    return f'<dl class="numbers">{"".join(cells)}</dl>'


def _legend(labels: list[str], counts: Counter[str]) -> str:
    if not labels:
        return ""
    most = max(counts[f"label {label}"] for label in labels)
    items = "".join(_legend_item(label, counts[f"label {label}"], most) for label in labels)
    return f'<section>{_heading("h2", "凡例と件数", "Legend and counts")}<ul class="legend">{items}</ul></section>'


def _legend_item(label: str, count: int, most: int) -> str:
    name = escape(LABELS.get(label, (label, 0))[0])
    return (
        f'<li class="{_css(label)}"><span class="swatch"></span><span class="name">{name} '
        f'<code lang="en">{escape(label)}</code></span><meter min="0" max="{most}" value="{count}"></meter>'
        f"<b>{count:,}</b></li>"
    )


def _refusals(refused: list[str]) -> str:
    if not refused:
        return ""
    columns = (("行", "line"), ("ID", "id"), ("理由", "reason"))
    head = "".join(_heading("th", ja, en) for ja, en in columns)
    title = _heading("h2", "拒否された投稿", "Refused: nothing of them goes out, and nothing is shown")
    return (
        f'<section class="refused">{title}<table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(refused)}</tbody></table></section>"
    )


def _refused_row(one: Treated) -> str:
    ja, en = REFUSALS.get(one.refused, ("処理できない", "it cannot be treated"))
    return (
        f'<tr><td>{one.posting.line:,}</td><td class="id">{_named(one)}</td>'
        f'<td>{ja} <span lang="en">{en}</span> <code>{escape(one.refused)}</code></td></tr>'
    )


def _postings(rows: list[str]) -> str:
    if not rows:
        return '<p class="none">表示する投稿はありません。 <span lang="en">There is no text to show.</span></p>'
    return (
        f'<section class="posts">{_heading("h2", "投稿", "Texts")}'
        '<label class="only"><input type="checkbox"> 伏せ字のある投稿だけ '
        '<span lang="en">Only those with redactions</span></label>'
        f"{''.join(rows)}</section>"
    )


def _article(one: Treated) -> str:
    text, redacted = str(one.posting.text), one.redacted
    kind = "" if redacted.spans else ' class="clean"'
    told = f"{len(redacted.spans)} か所" if redacted.spans else '伏せ字なし <span lang="en">nothing found</span>'
    columns = [("原文", "as written", _marked(text, redacted)), ("伏せ字後", "redacted", _replaced(redacted))]
    if not redacted.spans:
        columns = [("原文のまま", "goes out as written", _replaced(redacted))]
    pair = "".join(f'<div>{_heading("h4", ja, en)}<div class="text">{html}</div></div>' for ja, en, html in columns)
    return (
        f'\n<article{kind}><h3><span class="no">{one.posting.line:,}</span> <span class="id">{_named(one)}</span>'
        f'<span class="told">{told}</span></h3><div class="pair">{pair}</div></article>'
    )


def _heading(tag: str, ja: str, en: str) -> str:
    return f'<{tag}>{ja} <small lang="en">{en}</small></{tag}>'


def _marked(text: str, redacted: Redacted) -> str:
    """The text as written, its spans marked; the style puts the label's name beside them, so copies are exact."""
    pieces, at = [], 0
    for span in redacted.spans:
        inside = _written(text[span.start : span.end])
        pieces += [_written(text[at : span.start]), f'<mark class="{_css(span.label)}">{inside}</mark>']
        at = span.end
    return "".join([*pieces, _written(text[at:])])


def _replaced(redacted: Redacted) -> str:
    """The text that goes out, its placeholders in their colours."""
    pieces, at, shift = [], 0, 0
    for span in redacted.spans:
        start, length = span.start + shift, len(f"<{span.label}>")
        placeholder = _written(redacted.text[start : start + length])
        pieces += [_written(redacted.text[at:start]), f'<b class="{_css(span.label)}">{placeholder}</b>']
        at, shift = start + length, shift + length - (span.end - span.start)
    return "".join([*pieces, _written(redacted.text[at:])])


def _named(one: Treated) -> str:
    return "–" if one.posting.id is None else _written(str(one.posting.id))


def _written(text: str) -> str:
    """Text as HTML. A carriage return is named, for a browser would read it as a line feed."""
    return escape(text, quote=False).replace("\r", "&#13;")


def _css(label: str) -> str:
    """A label as a class; labels are made of capitals and underscores, and of nothing a class could not be."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "-" for c in f"e-{label}")


def _label_style(label: str) -> str:
    name, hue = LABELS.get(label, (label, zlib.crc32(label.encode()) % 360))
    quoted = "".join(c for c in name if c not in '"\\<>\n')
    return f'.{_css(label)}{{--h:{hue}}}mark.{_css(label)}::after{{content:"{quoted}"}}\n'
