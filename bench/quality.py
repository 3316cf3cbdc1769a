"""
How much of what points at a person is found: the redaction, or any other system, against labelled posts.

    python -m bench.quality [GOLD.jsonl] [--names] [--by form] [--labels PERSON] [--predictions FILE] [--errors 20]

A line of the labelled posts is ``{"id", "text", "spans": [{"start", "end", "label", "form"?, "difficulty"?}], "names"?,
"ignore"?, "template"?, "group"?}``; offsets are code points, the end exclusive. Predictions are ``{"id", "spans"}``.

What decides is *covered*: a span whose last digit stays in the text has not been redacted. Intervals are Wilson's,
95 %; they take spans for independent, and spans of one template are not quite.
"""

import argparse
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

EVALUATION = Path(__file__).resolve().parent / "posts"
HELDOUT = EVALUATION / "heldout.jsonl"

PROSE = ("ADDRESS", "BIRTH_DATE", "FACILITY", "PERSON")
"""Families that words make; all others are structured: numbers, addresses of machines, handles."""

FAMILIES = {
    "PERSON": "PER NAME PERSON_NAME CHILD_NAME NICKNAME",
    "FACILITY": "ORG ORGANIZATION SCHOOL NURSERY HOSPITAL FAC",
    "ADDRESS": "LOCATION LOC GPE",
    "BIRTH_DATE": "DATE_OF_BIRTH BIRTHDAY DATE_TIME",
    "HANDLE": "LINE_ID SNS_HANDLE",
    "PHONE": "PHONE_NUMBER TEL",
    "EMAIL": "EMAIL_ADDRESS MAIL",
    "POSTAL_CODE": "ZIP ZIP_CODE POSTCODE",
}
"""Labels that mean the same, by the name they are counted under: other systems, and other corpora, have their own."""

_FAMILY = {label: family for family, labels in FAMILIES.items() for label in labels.split()}


def family(label: str) -> str:
    """The name a label is counted under; its own if it has no other."""
    return _FAMILY.get(label.upper(), label.upper())


@dataclass(frozen=True)
class Mark:
    """A stretch of text that was labelled, by a person or by a system."""

    start: int
    """First code point."""

    end: int
    """One past the last code point."""

    family: str
    """What it is, as `family` names it."""

    form: str = ""
    """How it is written, such as ``hiragana``; only of labelled posts."""

    difficulty: str = ""
    """``plain``, ``var`` or ``obf``; only of labelled posts."""

    def touches(self, other: "Mark") -> bool:
        """Whether they have a code point in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Post:
    """A text and what a person labelled in it."""

    id: str
    text: str
    marks: tuple[Mark, ...]
    ignored: tuple[Mark, ...]
    """Where a prediction is neither right nor false."""

    names: tuple[str, ...]
    """What the site knows of the author: her names and her children's."""

    template: str
    group: str


Predictions = Mapping[str, Sequence[Mark] | None]
"""Per post what a system marked; None where it refused the text, which counts as nothing found."""


@dataclass
class Tally:
    """Counts over some of the marks; each share is None where there is nothing to share."""

    spans: int = 0
    covered: int = 0
    """Spans of which every letter, digit, kana and kanji is predicted, under any label."""

    touched: int = 0
    """Spans of which anything is predicted, under any label."""

    named: int = 0
    """Spans that a prediction of the same family touches."""

    characters: int = 0
    left: int = 0
    """Letters, digits, kana and kanji of the spans, and those of them no prediction covers."""

    predicted: int = 0
    right: int = 0
    """Predictions of the family, and those that touch a span of it."""

    def shares(self) -> dict[str, Any]:
        """Counts, shares and intervals, as the table and the JSON have them."""
        return {
            "spans": self.spans,
            "covered": share(self.covered, self.spans),
            "covered_95": wilson(self.covered, self.spans),
            "touched": share(self.touched, self.spans),
            "named": share(self.named, self.spans),
            "leak": share(self.left, self.characters),
            "predicted": self.predicted,
            "precision": share(self.right, self.predicted),
            "precision_95": wilson(self.right, self.predicted),
        }


@dataclass
class Score:
    """All that was counted of one system on one set of posts."""

    groups: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    """By family; ``structured``, its ``plain+var`` and ``obf``; ``all``."""

    parts: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    """By what was asked for, such as family and form. No predictions in it: they have no form."""

    posts: int = 0
    refused: int = 0
    negatives: int = 0
    negatives_hit: int = 0
    """Posts with nothing to find, and those in which something was found."""

    replaced: int = 0
    replaced_elsewhere: int = 0
    """Letters, digits, kana and kanji predicted, and those of them in no span: what redaction costs the reader."""

    missed: list[tuple[Post, Mark]] = field(default_factory=list)
    false: list[tuple[Post, Mark]] = field(default_factory=list)
    """Spans not covered, and predictions that touch no span. These hold text."""

    def told(self) -> dict[str, Any]:
        """Everything but the errors, for JSON. No text in it."""
        return {
            "posts": self.posts,
            "refused": self.refused,
            "negatives": self.negatives,
            "negatives_hit": share(self.negatives_hit, self.negatives),
            "negatives_hit_95": wilson(self.negatives_hit, self.negatives),
            "replaced_elsewhere": share(self.replaced_elsewhere, self.replaced),
            "groups": {name: self.groups[name].shares() for name in sorted(self.groups, key=_order)},
            "parts": {name: self.parts[name].shares() for name in sorted(self.parts)},
        }


def share(part: int, whole: int) -> float | None:
    """The quotient; None of nothing."""
    return part / whole if whole else None


def wilson(part: int, whole: int) -> tuple[float, float] | None:
    """
    The 95 % interval of a share.

    Source:
        Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    if not whole:
        return None
    z, p = 1.959964, part / whole
    scale = 1 + z * z / whole
    middle, width = p + z * z / (2 * whole), z * sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return max(0.0, (middle - width) / scale), min(1.0, (middle + width) / scale)


def read_posts(path: Path) -> list[Post]:
    """
    Read labelled posts.

    Raises:
        ValueError: a mark is not inside its text, or an id comes twice; the message has the id, not the text.
    """
    posts = [_post(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    if len({post.id for post in posts}) < len(posts):
        raise ValueError(f"{path.name}: an id comes twice")
    return posts


def _post(read: dict) -> Post:
    text = read["text"]
    return Post(
        id=read["id"],
        text=text,
        marks=_marks(read["id"], text, read["spans"]),
        ignored=_marks(read["id"], text, [{"label": "", **span} for span in read.get("ignore", ())]),
        names=tuple(read.get("names") or ()),
        template=str(read.get("template", "")),
        group=str(read.get("group", "")),
    )


def _marks(post: str, text: str, spans: Iterable[dict]) -> tuple[Mark, ...]:
    marks = tuple(
        Mark(s["start"], s["end"], family(s["label"]), str(s.get("form") or ""), str(s.get("difficulty") or ""))
        for s in spans
    )
    if not all(0 <= mark.start < mark.end <= len(text) for mark in marks):
        raise ValueError(f"{post}: a span is not inside its text")
    return marks


def read_predictions(path: Path, posts: Sequence[Post]) -> dict[str, Sequence[Mark] | None]:
    """
    Read what another system marked: ``{"id", "spans"}``, or ``{"id", "refused"}``.

    Raises:
        ValueError: a post has no line, a line has no post, or a span is not inside its text.
    """
    texts = {post.id: post.text for post in posts}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    if {line["id"] for line in lines} != set(texts):
        raise ValueError(f"{path.name}: not one line for each post")
    return {
        line["id"]: None if "refused" in line else _marks(line["id"], texts[line["id"]], line["spans"])
        for line in lines
    }


def predict(posts: Iterable[Post], with_names: bool = False) -> dict[str, Sequence[Mark] | None]:
    """
    What the project's redaction marks, each post by itself.

    Args:
        posts: Labelled posts; their marks are not looked at.
        with_names: Whether the redaction is told the names the site knows of each author.
    """
    from anonymizers.text.redaction import RedactionRefused, redact

    marked: dict[str, Sequence[Mark] | None] = {}
    for post in posts:
        try:
            spans = redact(post.text, post.names if with_names else ()).spans
            marked[post.id] = [Mark(span.start, span.end, family(span.label)) for span in spans]
        except RedactionRefused:
            marked[post.id] = None
    return marked


def score(
    posts: Iterable[Post], predictions: Predictions, by: str = "", families: Iterable[str] | None = None
) -> Score:
    """
    Count what was found of what there is.

    Args:
        posts: Labelled posts.
        predictions: One entry per post.
        by: ``form``, ``difficulty``, ``template`` or ``group``, for `Score.parts`.
        families: Those that the posts are labelled with, if not all: spans and predictions of others are not counted,
            though a prediction of another family covers what it covers.

    Raises:
        KeyError: a post has no entry.
    """
    counted = Score()
    only = set(families) if families is not None else None
    for post in posts:
        predicted = predictions[post.id]
        counted.posts += 1
        counted.refused += predicted is None
        _count(counted, post, predicted or (), by, only)
    return counted


def _count(counted: Score, post: Post, predicted: Sequence[Mark], by: str, only: set[str] | None) -> None:
    marks = [mark for mark in post.marks if only is None or mark.family in only]
    asked = [mark for mark in predicted if only is None or mark.family in only]
    covered = {at for mark in predicted for at in range(mark.start, mark.end)}
    for mark in marks:
        _count_mark(counted, post, mark, predicted, covered, by)
    judged = [mark for mark in asked if not any(mark.touches(other) for other in post.ignored)]
    for mark in judged:
        _count_prediction(counted, post, mark, marks)
    if not marks:
        counted.negatives += 1
        counted.negatives_hit += bool(judged)
    there = {at for mark in (*marks, *post.ignored) for at in range(mark.start, mark.end)}
    replaced = {at for mark in asked for at in _significant(post.text, mark)}
    counted.replaced += len(replaced)
    counted.replaced_elsewhere += len(replaced - there)


def _count_mark(counted: Score, post: Post, mark: Mark, predicted: Sequence[Mark], covered: set[int], by: str) -> None:
    characters = _significant(post.text, mark)
    left = len(characters - covered)
    found = [other for other in predicted if other.touches(mark)]
    for tally in _tallies(counted, post, mark, by):
        tally.spans += 1
        tally.covered += not left
        tally.touched += bool(found)
        tally.named += any(other.family == mark.family for other in found)
        tally.characters += len(characters)
        tally.left += left
    if left:
        counted.missed.append((post, mark))


def _count_prediction(counted: Score, post: Post, mark: Mark, marks: Sequence[Mark]) -> None:
    there = [other for other in marks if other.touches(mark)]
    for name in _groups(mark):
        counted.groups[name].predicted += 1
        counted.groups[name].right += any(other.family == mark.family for other in there)
    if not there:
        counted.false.append((post, mark))


def _significant(text: str, mark: Mark) -> set[int]:
    """Where the letters and digits are, kana and kanji among them; everything, in a name of an emoji alone."""
    inside = range(mark.start, mark.end)
    return {at for at in inside if unicodedata.category(text[at])[0] in "LN"} or set(inside)


def _groups(mark: Mark) -> Iterator[str]:
    yield mark.family
    if mark.family not in PROSE:
        yield "structured"
    yield "all"


def _tallies(counted: Score, post: Post, mark: Mark, by: str) -> Iterator[Tally]:
    yield from (counted.groups[name] for name in _groups(mark))
    if mark.family not in PROSE:
        yield counted.groups["structured obf" if mark.difficulty == "obf" else "structured plain+var"]
    part = {
        "form": f"{mark.family} {mark.form or '-'}",
        "difficulty": mark.difficulty or "-",
        "template": post.template or "-",
        "group": post.group or "-",
    }
    if by:
        yield counted.parts[part[by]]


def _order(name: str) -> tuple[bool, bool, str]:
    """Families, then those over several, then all."""
    return name == "all", name.startswith("structured"), name


COLUMNS = ("covered", "95 %", "touched", "named", "leak", "predicted", "precision", "95 %")
NOTES = """
covered    every letter, digit, kana and kanji of the span is in predictions, of any label
touched    anything of it is                 named      a prediction of the same family touches it
leak       share of the spans' letters, digits, kana and kanji that stay in the text
precision  share of the predictions of the family that touch a span of it
"""


def report(title: str, counted: Score) -> str:
    """A table that a person reads. No text of a post in it."""
    told = counted.told()
    lines = [f"{title}: {told['posts']:,} posts, {told['refused']:,} refused (which counts as nothing found)", ""]
    lines += _table(told["groups"])
    if told["parts"]:
        lines += ["", *_table(told["parts"])]
    hit, elsewhere = told["negatives_hit"], told["replaced_elsewhere"]
    lines += [
        "",
        f"{told['negatives']:,} posts with nothing to find; hit {_share(hit)} {_interval(told, 'negatives_hit_95')}",
    ]
    lines += [f"of the letters, digits, kana and kanji replaced, in no span {_share(elsewhere)}"]
    return "\n".join(lines)


def _table(rows: dict[str, dict]) -> list[str]:
    width = max(map(len, rows), default=0) + 2
    head = "".join([" " * width, "spans".rjust(6), *(c.rjust(14 if c == "95 %" else 10) for c in COLUMNS)])
    return [head, *(_row(name.ljust(width), row) for name, row in rows.items())]


def _row(name: str, row: dict) -> str:
    recall = [_share(row["covered"]).rjust(10), _interval(row, "covered_95").rjust(14)]
    others = [_share(row[column]).rjust(10) for column in ("touched", "named", "leak")]
    precise = [_share(row["precision"]).rjust(10), _interval(row, "precision_95").rjust(14)]
    return "".join([name, f"{row['spans']:,}".rjust(6), *recall, *others, f"{row['predicted']:,}".rjust(10), *precise])


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(row: dict, column: str) -> str:
    return "" if row[column] is None else "{:.3f}–{:.3f}".format(*row[column])


def errors(counted: Score, most: int) -> str:
    """The first of the spans not covered and of the false predictions, with what is around them. These are texts."""
    lines = [f"not covered, {min(most, len(counted.missed)):,} of {len(counted.missed):,}:"]
    lines += [_shown(post, mark) for post, mark in counted.missed[:most]]
    lines += [f"touch no span, {min(most, len(counted.false)):,} of {len(counted.false):,}:"]
    lines += [_shown(post, mark) for post, mark in counted.false[:most]]
    return "\n".join(lines)


def _shown(post: Post, mark: Mark) -> str:
    before, there, after = post.text[: mark.start][-15:], post.text[mark.start : mark.end], post.text[mark.end :][:15]
    what = " ".join(filter(None, (post.id, mark.family, mark.form, mark.difficulty)))
    return f"  {what}  {before}[[{there}]]{after}".replace("\n", "⏎")


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gold", type=Path, nargs="?", default=HELDOUT, help="labelled posts (default: held out)")
    parser.add_argument("--names", action="store_true", help="once more, told the names the site knows of the author")
    parser.add_argument("--by", choices=("form", "difficulty", "template", "group"), default="", help="a finer table")
    parser.add_argument("--labels", help="the only ones the posts are labelled with, such as PERSON")
    parser.add_argument("--predictions", type=Path, help="another system's, instead of the project's")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="show so many of each kind: texts")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args()
    posts = read_posts(given.gold)
    families = {family(label) for label in given.labels.split(",")} if given.labels else None
    if given.predictions:
        systems = {given.predictions.name: read_predictions(given.predictions, posts)}
    else:
        systems = {"without the authors' names": predict(posts)}
        if given.names:
            systems["with the authors' names"] = predict(posts, with_names=True)
    scores = {title: score(posts, marked, given.by, families) for title, marked in systems.items()}
    if given.json:
        print(json.dumps({title: counted.told() for title, counted in scores.items()}, ensure_ascii=False, indent=1))
        return
    for title, counted in scores.items():
        print(report(title, counted), end="\n\n")
        if given.errors:
            print(errors(counted, given.errors), end="\n\n")
    print(NOTES.strip())


if __name__ == "__main__":
    main()
