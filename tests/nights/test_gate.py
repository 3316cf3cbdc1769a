"""Every mutation of a finished output turns the gate red and leaves what is published as it was, byte for byte."""

import hashlib
import io

import isal.igzip
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anonymizers.errors import GateRefused
from delivery import feeds, outbox
from sudare.demo.site import DEMO_DAY
from tests.nights.sites import Site, published, run
from tests.nights.test_nights import plain
from transforms.tables import catalogue

UNTIL_DISCLOSED = ("extract", "tabulate", "merge_cells", "disclose")


def only(frame: pd.DataFrame, **values) -> pd.DataFrame:
    """The frame with some values of its first row replaced."""
    changed = frame.astype(dict.fromkeys(values, object))
    for name, value in values.items():
        changed.loc[0, name] = value
    return changed


def at(frame: pd.DataFrame, name: str, value: object) -> pd.DataFrame:
    """The frame with the first number of a column replaced."""
    place = frame.index == frame[name].first_valid_index()
    return frame.assign(**{name: frame[name].mask(place, value)})


def repeated(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.tail(1)], ignore_index=True)


MUTATIONS = {
    "a cell of nine": ("members_by_prefecture", lambda frame: at(frame, "members", 9)),
    "nobody": ("consents_by_age_band", lambda frame: at(frame, "members", 0)),
    "a cell of nine on a board": ("activity_by_board", lambda frame: at(frame, "members", 9)),
    "nine postings": ("activity_by_hour", lambda frame: at(frame, "postings", 9)),
    "a term of one": ("trending_terms", lambda frame: at(frame, "members", 1)),
    "a negative mean": ("engagement_by_age_band", lambda frame: at(frame, "postings_per_member", -0.5)),
    "a mean that no cap allows": ("engagement_by_age_band", lambda frame: at(frame, "postings_per_member", 39.3)),
    "a median that no cap allows": ("engagement_by_age_band", lambda frame: at(frame, "postings_median", 40)),
    "a negative quantile": ("engagement_by_age_band", lambda frame: at(frame, "postings_p90", -1)),
    "more than the whole": ("retention_by_cohort", lambda frame: at(frame, "share_pct", 100.1)),
    "a negative share": ("consents_by_age_band", lambda frame: at(frame, "share_pct", -1)),
    "a second margin": ("members_by_prefecture", lambda frame: repeated(only(frame, prefecture_code="total"))),
    "a repeated row": ("retention_by_cohort", repeated),
    "a repeated row of an open table": ("trending_terms", repeated),
    "an extra column": ("registrations_by_month", lambda frame: frame.assign(note="x")),
    "a member number as a column": ("activity_by_hour", lambda frame: frame.assign(member_id=range(len(frame)))),
    "a cell key as a column": ("activity_by_board", lambda frame: frame.assign(cell_key=7)),
    "a missing column": ("members_by_prefecture", lambda frame: frame.drop(columns="age_band")),
    "another order of columns": ("activity_by_board", lambda frame: frame[list(reversed(frame.columns))]),
    "a row too few": ("activity_by_hour", lambda frame: frame.iloc[1:]),
    "no rows": ("members_by_prefecture", lambda frame: frame.iloc[:0]),
    "an unknown code": ("consents_by_age_band", lambda frame: only(frame, age_band="31")),
    "a missing code": ("members_by_prefecture", lambda frame: only(frame, age_band=None)),
    "a month of thirteen": ("registrations_by_month", lambda frame: only(frame, registered_month="2026-13")),
    "a day that is a margin": ("activity_by_board", lambda frame: only(frame, day="total")),
    "a week that is a margin": ("trending_terms", lambda frame: only(frame, week="total")),
    "a foreign label": ("retention_by_cohort", lambda frame: only(frame, activity_ja="花子")),
    "no night": ("registrations_by_month", lambda frame: only(frame, as_of=None)),
    "a night that is none": ("engagement_by_age_band", lambda frame: only(frame, as_of="yesterday")),
    "no column of nights": ("consents_by_age_band", lambda frame: frame.drop(columns="as_of")),
    "an e-mail in a term": ("trending_terms", lambda frame: only(frame, term="hanako＠example．jp")),
    "a telephone number in a term": ("trending_terms", lambda frame: only(frame, term="〇九〇ー１２３４ー５６７８")),
    "a digest in a board's title": ("activity_by_board", lambda frame: only(frame, board="d" * 64)),
}


def rounds() -> list[dict[str, str]]:
    """The mutations, as few at a time as there are tables: one of each, so that each is judged alone."""
    rest, found = dict(MUTATIONS), []
    while rest:
        found.append({})
        for what, (table, _) in list(rest.items()):
            if table not in found[-1]:
                found[-1][table] = what
                del rest[what]
    return found


@pytest.fixture(scope="module")
def judged(gated, tmp_path_factory) -> Site:
    """A site whose second night is disclosed; every test puts back what it has mutated."""
    return gated.copy(tmp_path_factory.mktemp("judged"))


@pytest.mark.parametrize("mutated", rounds(), ids=lambda mutated: ", ".join(mutated.values()))
def test_a_mutated_table_is_not_published(judged, mutated):
    """The gate names every one of them, and no other; and whoever skips the gate is held at the door."""
    before, night = published(judged), judged.night()
    good = {table: night.staging.read_table("releases", f"{table}.parquet") for table in mutated}
    for table, what in mutated.items():
        _, mutation = MUTATIONS[what]
        changed = pa.Table.from_pandas(mutation(good[table].to_pandas()), preserve_index=False)
        assert not changed.equals(good[table])
        night.staging.write_table(changed, "releases", f"{table}.parquet")
    try:
        with pytest.raises(GateRefused, match=r"expectations failed; nothing was published"):
            run(night, "gate_tables")
        red = {
            outcome["output"] for outcome in night.staging.read_json("gates", "tables.json") if not outcome["success"]
        }
        assert red == set(mutated)
        with pytest.raises(GateRefused, match=r"what would be published is not what was validated"):
            run(night, "publish")
    finally:
        for table, release in good.items():
            night.staging.write_table(release, "releases", f"{table}.parquet")
    assert published(judged) == before


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_a_number_changed_behind_the_gate_is_not_published(judged, name):
    """Even one that the gate would let pass: only what was validated is published."""
    before, night = published(judged), judged.night()
    good = night.staging.read_table("releases", f"{name}.parquet")
    frame = good.to_pandas()
    measure = next(m.name for m in catalogue()[name].measures)
    first = frame[measure].first_valid_index()
    changed = at(frame, measure, frame[measure][first] + 1)
    night.staging.write_table(pa.Table.from_pandas(changed, preserve_index=False), "releases", f"{name}.parquet")
    try:
        with pytest.raises(GateRefused, match=rf"^{name}: what would be published is not what was validated"):
            run(night, "publish")
    finally:
        night.staging.write_table(good, "releases", f"{name}.parquet")
    assert published(judged) == before


def test_the_unmutated_tables_are_green(judged):
    run(judged.night(), "gate_tables")


BOARD_TITLES = {
    "a full-width e-mail": "連絡はｍａｍａ．ｈａｎａ＠ｅｘａｍｐｌｅ．ｊｐへ",
    "a telephone number": "電話０９０ー１２３４ー５６７８まで",
    "a postal code": "〒150-0001の会",
    "a digest": "d" * 64,
    "a member number": "会員12345678さん",
}


def test_identifiers_in_board_titles_are_not_published(lived):
    """Five boards with one each: the gate counts them, and quotes none."""
    before = published(lived)
    for number, title in enumerate(BOARD_TITLES.values()):
        lived.change(
            f"update boards set title = '{title}' where board_id = (select board_id from boards where "
            f"not is_sensitive order by 1 offset {number} limit 1)"
        )
    night = lived.night()
    run(night, *UNTIL_DISCLOSED)
    with pytest.raises(GateRefused) as refused:
        run(night, "gate_tables")
    assert "activity_by_board.board" in str(refused.value)
    assert not any(title in str(refused.value) for title in BOARD_TITLES.values())
    red = [
        outcome
        for outcome in night.staging.read_json("gates", "tables.json")
        if not outcome["success"] and outcome["expectation"] == "ExpectColumnValuesToNotMatchRegex"
    ]
    assert len(red) == 5  # one for each form of identifier
    assert {(outcome["output"], outcome["column"]) for outcome in red} == {("activity_by_board", "board")}
    assert published(lived) == before


def row(digests: pl.DataFrame, email: str) -> pl.DataFrame:
    """The feed with one more row, rightly digested."""
    data = plain(email).encode()
    values = [hashlib.new(name, data).hexdigest() for name in ("sha256", "sha1", "md5")]
    return pl.concat([digests, pl.DataFrame([values], schema=digests.columns, orient="row")])


def member(site: Site, where: str) -> str:
    """The address of one member, who has to exist."""
    rows = site.ask(
        f"select email from members m where email like '%_@_%._%' and email not like '% %' and {where} "
        "order by member_id limit 1"
    )
    return rows[0][0]


NO_CONSENT = "not exists (select from consents c where c.member_id = m.member_id and c.text_version = '2022-04-01')"
FEED_MUTATIONS = {
    "a raw e-mail": lambda feed, site: feed.with_columns(pl.lit("hanako@example.jp").alias("EMAIL1_MD5")),
    "upper-case digests": lambda feed, site: feed.select(pl.all().str.to_uppercase()),
    "a digit too few": lambda feed, site: feed.with_columns(pl.col("EMAIL1_SHA-1").str.slice(1)),
    "an opted-out member": lambda feed, site: row(
        feed,
        member(
            site,
            "member_id in (select member_id from opt_outs where kind = 'site_ad' and revoked_at is null) "
            f"and {NO_CONSENT}",
        ),
    ),
    "a member of seventeen": lambda feed, site: row(feed, member(site, "birth_date > date '2008-11-01'")),
    "a member of unknown age": lambda feed, site: row(feed, member(site, "birth_date is null and status = 'active'")),
    "a member without consent": lambda feed, site: row(
        feed, member(site, "not exists (select from consents c where c.member_id = m.member_id)")
    ),
    "a consent to an old text": lambda feed, site: row(
        feed,
        member(
            site,
            f"{NO_CONSENT} and exists (select from consents c where c.member_id = m.member_id "
            "and c.purpose = 'ad_match')",
        ),
    ),
    "a consent in the future": lambda feed, site: row(
        feed,
        member(
            site,
            "(select min(given_at) from consents c where c.member_id = m.member_id and purpose = 'ad_match') "
            "> timestamptz '2026-11-01 00:00+09'",
        ),
    ),
    "somebody nobody knows": lambda feed, site: row(feed, "nobody.at.all@example.jp"),
    "a repeated row": lambda feed, site: pl.concat([feed, feed.head(1)]),
    "an extra column": lambda feed, site: feed.with_columns(pl.lit("1").alias("SEGMENT")),
    "another header": lambda feed, site: feed.rename({"EMAIL1_MD5": "EMAIL1_MD-5"}),
    "the digest of nothing": lambda feed, site: row(feed, ""),
    "too few rows": lambda feed, site: feed.head(24),
    "no rows": lambda feed, site: feed.head(0),
}


@pytest.mark.parametrize("what", FEED_MUTATIONS)
def test_a_mutated_feed_is_not_handed_over(lived, what):
    # The gate alone decides here: that a feed has shrunk would stop some of these before it.
    before, night = published(lived), lived.night(accept_silent=("liveramp",))
    run(night, "build_feed")
    mutate(night, FEED_MUTATIONS[what], lived)
    with pytest.raises(GateRefused):
        run(night, "gate_feed")
    run(night, "close")
    assert published(lived) == before


def mutate(night, mutation, site) -> None:
    """Put a changed feed in the place of the pending one, with its digest as it should be."""
    told = night.staging.read_json("feeds", "liveramp.json")
    path = outbox.pending_place(night.settings.outbox, "liveramp", night.owner) / told["file"]
    destination = night.destinations["liveramp"]
    changed = mutation(pl.concat(feeds.read_back(destination.columns, destination.form, path)), site)
    buffer = io.BytesIO()
    with isal.igzip.IGzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(changed.write_csv(quote_style="always").encode())
    path.write_bytes(buffer.getvalue())
    told = {**told, "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(), "rows": changed.height}
    night.staging.write_json(told, "feeds", "liveramp.json")


def test_a_red_feed_does_not_hold_back_the_tables(ready):
    night = ready.night()
    handed_over = sorted((ready.home / "outbox" / "liveramp").iterdir())
    run(night, "build_feed")
    mutate(night, FEED_MUTATIONS["a raw e-mail"], ready)
    with pytest.raises(GateRefused):
        run(night, "gate_feed")
    run(night, "publish", "close")
    assert (ready.home / "published" / DEMO_DAY.isoformat()).exists()
    assert sorted((ready.home / "outbox" / "liveramp").iterdir()) == handed_over


def test_a_red_table_does_not_hold_back_the_feed(ready):
    night = ready.night()
    handed_over = set((ready.home / "outbox" / "liveramp").iterdir())
    frame = night.staging.read_table("releases", "activity_by_hour.parquet").to_pandas()
    mutated = pa.Table.from_pandas(at(frame, "members", 1), preserve_index=False)
    night.staging.write_table(mutated, "releases", "activity_by_hour.parquet")
    with pytest.raises(GateRefused):
        run(night, "gate_tables")
    run(night, "build_feed", "gate_feed", "hand_over", "close")
    assert len(set((ready.home / "outbox" / "liveramp").iterdir()) - handed_over) == 1
    assert not (ready.home / "published" / DEMO_DAY.isoformat()).exists()
