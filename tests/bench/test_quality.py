"""The scorer, on posts small enough to count by hand."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.quality import Mark, Post, errors, family, predict, read_posts, read_predictions, report, score, wilson

#       0123456789…
PHONE = "電話は03-1234です"  # 3–10
NAMES = "花子と太郎"  # 0–2, 3–5


def post(text=PHONE, marks=((3, 10, "PHONE"),), name="a", **more):
    given = {"ignored": (), "names": (), "template": "", "group": "", **more}
    return Post(id=name, text=text, marks=tuple(Mark(*mark) for mark in marks), **given)


def counted(posts, *predicted, **how):
    """The score of predictions given as (start, end, family), a list for each post."""
    return score(posts, {p.id: [Mark(*m) for m in marks] for p, marks in zip(posts, predicted, strict=True)}, **how)


@pytest.mark.parametrize(
    ("predicted", "covered", "touched", "named", "left", "right", "of"),
    [
        pytest.param([(3, 10, "PHONE")], 1, 1, 1, 0, 1, 1, id="the span itself"),
        pytest.param([], 0, 0, 0, 6, 0, 0, id="nothing"),
        pytest.param([(4, 11, "PHONE")], 0, 1, 1, 1, 1, 1, id="one to the right loses a digit"),
        pytest.param([(2, 9, "PHONE")], 0, 1, 1, 1, 1, 1, id="one to the left loses a digit"),
        pytest.param([(0, 12, "PHONE")], 1, 1, 1, 0, 1, 1, id="more than the span"),
        pytest.param([(3, 5, "PHONE"), (6, 10, "PHONE")], 1, 1, 1, 0, 2, 2, id="two pieces, the hyphen between them"),
        pytest.param([(3, 10, "URL")], 1, 1, 0, 0, 0, 0, id="under another label it is covered and not named"),
        pytest.param([(0, 3, "PHONE")], 0, 0, 0, 6, 0, 1, id="beside it"),
    ],
)
def test_a_span_is_counted(predicted, covered, touched, named, left, right, of):
    tally = counted([post()], predicted).groups["PHONE"]
    assert (tally.spans, tally.characters) == (1, 6)
    assert (tally.covered, tally.touched, tally.named, tally.left) == (covered, touched, named, left)
    assert (tally.right, tally.predicted) == (right, of)


def test_groups_add_up():
    marks = [(3, 10, "PHONE", "half", "plain")], [(0, 2, "PERSON", "given"), (3, 5, "PERSON", "given")]
    posts = [post(PHONE, marks[0]), post(NAMES, marks[1], "b")]
    groups = counted(posts, [(3, 10, "PHONE")], [(0, 2, "PERSON")]).groups
    assert {name: (tally.spans, tally.covered) for name, tally in groups.items()} == {
        "PHONE": (1, 1),
        "PERSON": (2, 1),
        "structured": (1, 1),
        "structured plain+var": (1, 1),
        "all": (3, 2),
    }


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        ("form", {"PHONE half": 1, "PERSON hiragana": 1}),
        ("difficulty", {"obf": 1, "-": 1}),
        ("template", {"t1": 2}),
        ("group", {"-": 2}),
    ],
)
def test_parts_are_by_what_is_asked_for(by, parts):
    marks = ((0, 2, "PHONE", "half", "obf"), (3, 5, "PERSON", "hiragana"))
    found = counted([post(NAMES, marks, template="t1")], [(0, 2, "PHONE")], by=by)
    assert {name: tally.spans for name, tally in found.parts.items()} == parts
    assert sum(tally.covered for tally in found.parts.values()) == 1
    assert "structured obf" in found.groups


def test_posts_with_nothing_to_find_are_hit_or_not():
    posts = [post("よい天気", (), name) for name in "abc"]
    found = counted(posts, [(0, 2, "PERSON"), (2, 4, "PERSON")], [], [])
    assert (found.negatives, found.negatives_hit, len(found.false)) == (3, 1, 2)
    assert found.told()["replaced_elsewhere"] == 1.0


def test_what_is_to_be_ignored_is_neither_right_nor_false():
    found = counted([post("よい天気", (), ignored=(Mark(0, 2, ""),))], [(0, 2, "PERSON")])
    assert (found.negatives_hit, found.groups["PERSON"].predicted, found.false) == (0, 0, [])


def test_where_only_names_are_labelled_other_predictions_are_not_false():
    posts = [post("花子と03-1234", ((0, 2, "PERSON"),))]
    found = counted(posts, [(0, 2, "PERSON"), (3, 10, "PHONE")], families={"PERSON"})
    assert set(found.groups) == {"PERSON", "all"}
    assert found.groups["all"].shares()["precision"] == 1.0
    assert counted(posts, [(0, 2, "PERSON"), (3, 10, "PHONE")]).groups["all"].shares()["precision"] == 0.5


def test_a_refused_post_counts_as_nothing_found():
    found = score([post()], {"a": None})
    assert (found.refused, found.groups["PHONE"].covered) == (1, 0)


def test_a_post_without_a_prediction_is_no_result():
    with pytest.raises(KeyError):
        score([post()], {})


def test_an_emoji_that_is_a_name_is_all_of_it():
    assert counted([post("🌸です", ((0, 1, "PERSON"),))], []).groups["PERSON"].left == 1


texts = st.text("花子はabc12-、🌸か\u3099", min_size=1, max_size=12)


@st.composite
def labelled(draw):
    text = draw(texts)
    ends = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pairs = list(zip(ends[::2], ends[1::2], strict=False))
    return post(text, [(*pair, draw(st.sampled_from(["PERSON", "PHONE", "URL"]))) for pair in pairs])


@given(labelled())
def test_perfect_predictions_score_one_and_none_score_nothing(labelled_post):
    perfect, nothing = (score([labelled_post], {"a": found}) for found in (labelled_post.marks, ()))
    for tally in perfect.groups.values():
        told = tally.shares()
        assert told["leak"] == 0.0
        assert {told[share] for share in ("covered", "touched", "named")} == {1.0}
        assert told["precision"] in (1.0, None)
    assert perfect.replaced_elsewhere == perfect.negatives_hit == 0
    assert all(t.covered == t.touched == t.predicted == 0 and t.left == t.characters for t in nothing.groups.values())


@given(labelled(), st.data())
def test_one_prediction_more_never_covers_less(labelled_post, data):
    start = data.draw(st.integers(0, len(labelled_post.text) - 1))
    more = Mark(start, start + 1, "PERSON")
    before, after = (score([labelled_post], {"a": found}).groups for found in ((), (more,)))
    assert all(after[name].left <= tally.left for name, tally in before.items())


@pytest.mark.parametrize(
    ("part", "whole", "interval"),
    [(20, 25, (0.609, 0.911)), (0, 10, (0.0, 0.278)), (10, 10, (0.722, 1.0)), (81, 263, (0.255, 0.366))],
)
def test_the_interval_is_wilsons(part, whole, interval):
    assert wilson(part, whole) == pytest.approx(interval, abs=0.0006)


def test_there_is_no_interval_of_nothing():
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("label", "counted_under"),
    [
        ("LINE_ID", "HANDLE"),
        ("SNS_HANDLE", "HANDLE"),
        ("School", "FACILITY"),
        ("PHONE_NUMBER", "PHONE"),
        ("NEW", "NEW"),
    ],
)
def test_labels_that_mean_the_same_are_one_family(label, counted_under):
    assert family(label) == counted_under


LINE = {"id": "a", "text": PHONE, "spans": [{"start": 3, "end": 10, "label": "PHONE"}]}


def written(path, *lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def test_posts_are_read(tmp_path):
    (read,) = read_posts(written(tmp_path / "gold.jsonl", {**LINE, "names": ["花子"], "template": 7}))
    assert read == post(names=("花子",), template="7")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([LINE, LINE], r"^gold.jsonl: an id comes twice$"),
        ([{**LINE, "spans": [{"start": 3, "end": 99, "label": "PHONE"}]}], r"^a: a span is not inside its text$"),
        ([{**LINE, "spans": [{"start": 3, "end": 3, "label": "PHONE"}]}], r"^a: a span is not inside its text$"),
    ],
)
def test_posts_that_are_labelled_wrongly_are_an_error(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        read_posts(written(tmp_path / "gold.jsonl", *lines))


def test_another_systems_predictions_are_read(tmp_path):
    file = written(tmp_path / "found.jsonl", {"id": "a", "spans": [{"start": 3, "end": 10, "label": "PHONE_NUMBER"}]})
    assert score([post()], read_predictions(file, [post()])).groups["PHONE"].named == 1
    with pytest.raises(ValueError, match=r"^found.jsonl: not one line for each post$"):
        read_predictions(file, [post(), post(name="b")])


def test_the_projects_own_predictions_are_of_the_text_and_the_names_if_told():
    posts = [post("かなりあの電話は090-0000-1234", ((0, 4, "PERSON"), (8, 21, "PHONE")), names=("かなりあ",))]
    assert score(posts, predict(posts, with_names=True)).groups["all"].covered == 2
    assert score(posts, predict(posts)).groups["PHONE"].covered == 1


def test_texts_are_shown_on_request_only():
    found = counted([post()], [(0, 2, "PERSON")], by="form")
    assert "電" not in report("system", found) and "03-1234" not in json.dumps(found.told())
    assert "電話は[[03-1234]]です" in errors(found, 5)
    assert "[[電話]]は03-1234です" in errors(found, 5)


def test_the_command_prints_a_table_or_json(tmp_path):
    gold = written(tmp_path / "gold.jsonl", {**LINE, "names": ["花子"]})

    def run(*options):
        command = [sys.executable, "-m", "bench.quality", str(gold), "--predictions", str(gold), *options]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert json.loads(run("--json"))["gold.jsonl"]["groups"]["PHONE"]["covered"] == 1.0
    assert "PHONE" in run("--by", "form")
