"""Every mutation of a finished output turns the gate red and leaves what is published as it was, byte for byte."""

import hashlib
import io

import isal.igzip
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anonymizers.errors import GateRefused
from delivery import feeds
from sudare.demo.site import DEMO_DAY
from tests.nights.sites import Site, published, run
from tests.nights.test_nights import plain

UNTIL_DISCLOSED = ("extract", "tabulate", "merge_cells", "disclose")
TABLE = "members_by_prefecture"


def only(frame: pd.DataFrame, **values) -> pd.DataFrame:
    """The frame with some values of its first row replaced."""
    changed = frame.astype(dict.fromkeys(values, object))
    for name, value in values.items():
        changed.loc[0, name] = value
    return changed


TABLE_MUTATIONS = {
    "a cell of four": lambda frame: frame.assign(members=frame["members"].mask(frame.index == 0, 4)),
    "a margin": lambda frame: pd.concat([frame, only(frame.head(1), prefecture_code="total")]),
    "an extra column": lambda frame: frame.assign(note="x"),
    "a member number as a column": lambda frame: frame.assign(member_id=range(len(frame))),
    "a missing column": lambda frame: frame.drop(columns="age_band"),
    "another order of columns": lambda frame: frame[list(reversed(frame.columns))],
    "a repeated row": lambda frame: pd.concat([frame, frame.head(1)]),
    "a row too few": lambda frame: frame.iloc[1:],
    "no rows": lambda frame: frame.iloc[:0],
    "an unknown code": lambda frame: only(frame, age_band="31"),
    "a missing code": lambda frame: only(frame, age_band=None),
    "a foreign label": lambda frame: only(frame, prefecture_code_ja="花子"),
}


@pytest.mark.parametrize("what", TABLE_MUTATIONS)
def test_a_mutated_table_is_not_published(lived, what):
    before, night = published(lived), lived.night()
    frame = night.staging.read_table("releases", f"{TABLE}.parquet").to_pandas()
    mutated = TABLE_MUTATIONS[what](frame)
    night.staging.write_table(pa.Table.from_pandas(mutated, preserve_index=False), "releases", f"{TABLE}.parquet")
    with pytest.raises(GateRefused) as refused:
        run(night, "gate_tables")
    assert TABLE in str(refused.value)
    with pytest.raises(GateRefused):  # and whoever skips the gate is held at the door
        run(night, "publish")
    assert published(lived) == before


BOARD_TITLES = {
    "a full-width e-mail": "連絡はｍａｍａ．ｈａｎａ＠ｅｘａｍｐｌｅ．ｊｐへ",
    "a telephone number": "電話０９０ー１２３４ー５６７８まで",
    "a postal code": "〒150-0001の会",
    "a digest": "d" * 64,
    "a member number": "会員12345678さん",
}


@pytest.mark.parametrize("what", BOARD_TITLES)
def test_an_identifier_in_a_board_title_is_not_published(lived, what):
    before = published(lived)
    lived.change(
        f"update boards set title = '{BOARD_TITLES[what]}' where board_id = (select min(board_id) from boards where "
        "not is_sensitive)"
    )
    night = lived.night()
    run(night, *UNTIL_DISCLOSED)
    with pytest.raises(GateRefused) as refused:
        run(night, "gate_tables")
    assert "activity_by_board.board" in str(refused.value)
    assert BOARD_TITLES[what] not in str(refused.value)
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
    before, night = published(lived), lived.night()
    run(night, "build_feed")
    mutate(night, FEED_MUTATIONS[what], lived)
    with pytest.raises(GateRefused):
        run(night, "gate_feed")
    run(night, "close")
    assert published(lived) == before


def mutate(night, mutation, site) -> None:
    """Put a changed feed in the place of the pending one, with its digest as it should be."""
    told = night.staging.read_json("feeds", "liveramp.json")
    path = night.settings.outbox / ".pending" / "liveramp" / told["file"]
    changed = mutation(feeds.read_back(night.destinations["liveramp"], path.read_bytes()), site)
    buffer = io.BytesIO()
    with isal.igzip.IGzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(changed.write_csv(quote_style="always").encode())
    path.write_bytes(buffer.getvalue())
    told = {**told, "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(), "rows": changed.height}
    night.staging.write_json(told, "feeds", "liveramp.json")


def test_a_red_feed_does_not_hold_back_the_tables(site):
    night = site.night()
    run(night, "plan", "redact", *UNTIL_DISCLOSED, "build_feed")
    mutate(night, FEED_MUTATIONS["a raw e-mail"], site)
    with pytest.raises(GateRefused):
        run(night, "gate_feed")
    run(night, "gate_tables", "publish", "close")
    assert (site.home / "published" / DEMO_DAY.isoformat()).exists()
    assert not (site.home / "outbox" / "liveramp").exists()
