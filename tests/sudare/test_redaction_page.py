"""The page of `sudare redact --html`: exact, inert, and for its owner only."""

import json
import re
from html.parser import HTMLParser

import pytest

from anonymizers.errors import SettingRefused
from anonymizers.text import policy, redaction
from anonymizers.text.redaction import Redacted, Span
from sudare import redaction_page
from sudare.redaction import Posting, Treated, treat_lines
from sudare.redaction_page import REFUSALS, on_page

HOSTILE = "</div><script>alert(1)</script><img src=x onerror=\"alert('1')\"> &amp; <PHONE>"


class Columns(HTMLParser):
    """The texts of a page, and what is marked in them."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.marked: list[tuple[int, int, str]] = []
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self._open: list[tuple[int, str]] = []
        self._inside = False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= set(attrs)
        if ("class", "text") in attrs:
            self._inside = True
            self.texts.append("")
        elif self._inside:
            self._open.append((len(self.texts[-1]), dict(attrs)["class"]))

    def handle_endtag(self, tag):
        if self._inside and tag == "div":
            self._inside = False
        elif self._inside:
            start, label = self._open.pop()
            self.marked.append((start, len(self.texts[-1]), label))

    def handle_data(self, data):
        if self._inside:
            self.texts[-1] += data


def written(tmp_path, *treated):
    path = tmp_path / "page.html"
    assert list(on_page(treated, path)) == list(treated)
    return path.read_bytes().decode()


def read(html):
    columns = Columns()
    columns.feed(html)
    columns.close()
    return columns


def of(text, *spans, name="a"):
    """A posting with spans as (start, end, label)."""
    found = tuple(Span(*span) for span in spans)
    return Treated(Posting(1, name, text), Redacted(redaction._replace(text, found), found))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        pytest.param("電話は090-0000-1234です", [(3, 16, "PHONE")], id="in the middle"),
        pytest.param("👨‍👩‍👧と花子🌸", [(6, 8, "PERSON")], id="after an emoji of five code points"),
        pytest.param("か\u3099き\u3099花\u3099子", [(1, 3, "PERSON"), (4, 7, "PERSON")], id="among combining marks"),
        pytest.param("\r\n花子\r\n\t太郎\r", [(2, 4, "PERSON"), (7, 9, "PERSON")], id="among line ends of all kinds"),
        pytest.param("花子花子", [(0, 2, "PERSON"), (2, 4, "ADDRESS")], id="beside each other"),
        pytest.param(HOSTILE, [(0, len(HOSTILE), "URL")], id="a span that looks like a page"),
        pytest.param(HOSTILE, [(3, 9, "URL"), (30, 40, "PHONE")], id="spans inside of it"),
        pytest.param("  花子  と\n\n", [(2, 4, "PERSON")], id="blanks and empty lines"),
    ],
)
def test_texts_and_spans_are_exact(tmp_path, text, spans):
    one = of(text, *spans)
    columns = read(written(tmp_path, one))
    assert columns.texts == [text, one.redacted.text]
    marks, placeholders = columns.marked[: len(spans)], columns.marked[len(spans) :]
    assert marks == [(start, end, f"e-{label}") for start, end, label in spans]
    assert [one.redacted.text[start:end] for start, end, _ in placeholders] == [f"<{label}>" for _, _, label in spans]


def test_a_text_without_spans_stands_there_once(tmp_path):
    columns = read(written(tmp_path, of(HOSTILE)))
    assert columns.texts == [HOSTILE]
    assert columns.marked == []


@pytest.mark.parametrize("name", [HOSTILE, '"', "</title>", "\ud800"])
def test_nothing_given_becomes_markup(tmp_path, name):
    html = written(tmp_path, of(HOSTILE, (3, 9, "URL"), name=name), Treated(Posting(2, name), refused="too_long"))
    columns = read(html)
    assert not columns.tags & {"script", "img", "iframe", "link", "object", "form", "a"}
    assert not any("alert" in str(value) or str(name) in str(value) for _, value in columns.attributes)
    assert {key for key, _ in columns.attributes} <= {
        "aria-hidden", "charset", "class", "content", "http-equiv", "lang", "max", "min", "name", "role", "scope",
        "type", "value",
    }  # fmt: skip


def test_the_page_loads_and_runs_nothing(tmp_path):
    html = written(tmp_path, of("花子", (0, 2, "PERSON")))
    policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    assert html.index(policy) < html.index("<style>")
    assert not re.search(r"https?:|url\(|@import|//", html)


def test_the_page_says_what_it_is_in_both_languages(tmp_path):
    html = written(tmp_path)
    assert "個人データを含みます" in html
    assert "holds personal data" in html
    assert html.startswith('<!DOCTYPE html>\n<html lang="ja">')


def test_entities_are_counted_and_named_not_only_coloured(tmp_path):
    posts = [of("花子と太郎", (0, 2, "PERSON"), (3, 5, "PERSON")), of("よい天気"), of("X1", (0, 2, "URL"))]
    html = written(tmp_path, *posts)
    counts = re.findall(r"<dd>([\d,]+)</dd>", html)
    assert counts == ["3", "2", "1", "0", "3"]
    legend = re.findall(r'<span class="name">(.*?) <code lang="en">(.*?)</code></span><meter.*?<b>(\d+)</b>', html)
    assert legend == [("人名", "PERSON", "2"), ("URL", "URL", "1")]
    assert 'mark.e-PERSON::after{content:"人名"}' in html


def test_every_label_has_a_japanese_name():
    assert set(redaction_page.LABELS) == set(policy.LABELS)


def test_no_posts_are_a_page_too(tmp_path):
    html = written(tmp_path)
    assert re.findall(r"<dd>(\d+)</dd>", html) == ["0"] * 5
    assert "表示する投稿はありません" in html
    assert "<table" not in html and "<article" not in html


def test_a_refused_post_has_its_reason_and_no_text(tmp_path):
    lines = ['{"id": "left", "text": "花子\\u0000"}', "花子", '{"id": 7, "text": "よい天気"}']
    html = written(tmp_path, *treat_lines(lines))
    rows = re.findall(r"<tr><td>(\d)</td><td class=\"id\">(.*?)</td><td>(\S+) .*?<code>(\w+)</code></td></tr>", html)
    assert rows == [
        ("1", "left", "制御文字を含む", "control_characters"),
        ("2", "–", "投稿の形式ではない行", "not_a_posting"),
    ]
    assert "花子" not in html
    assert re.findall(r"<dd>(\d+)</dd>", html)[0] == "3"


def test_every_reason_is_explained():
    reasons = {reason for reason, _ in redaction._REFUSALS}
    assert reasons | {"not_a_posting", "not_text", "too_long", "names_unusable", "recogniser_failed"} == set(REFUSALS)


def test_the_page_is_its_owners_only_also_where_one_was(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("earlier")
    path.chmod(0o644)
    written(tmp_path, of("花子"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_a_page_that_is_not_finished_is_not_written(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("earlier")

    def broken():
        yield of("花子")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(on_page(broken(), path))
    assert path.read_text() == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path):
    def unread():
        raise AssertionError
        yield

    with pytest.raises(SettingRefused, match=r"^--html: no file can be written there \(No such file or directory\)$"):
        next(on_page(unread(), tmp_path / "nowhere" / "page.html"))


def test_the_same_postings_make_the_same_page(tmp_path):
    lines = [json.dumps({"id": n, "text": "電話は090-0000-1234"}) for n in range(3)]
    assert written(tmp_path, *treat_lines(lines)) == written(tmp_path, *treat_lines(lines))
