"""The opt-out list that LiveRamp would hand over, for the demo site: digests of a few members' addresses."""

import gzip
from pathlib import Path

import polars as pl
import psycopg

from delivery.match_keys import digest, normalise
from delivery.spec import Digest
from transforms.places import make_folder, write_whole

ONE_IN = 400
"""Of how many members one has opted out at the partner."""

HEADER = "md5_hash|sha1_hash|sha256_hash|opted-out"


def write_partner_list(site_url: str, intake: Path) -> Path:
    """
    Put a fresh list down where the pipeline takes it in. The same site gives the same list.

    Args:
        site_url: The demo site's database.

        intake: ``SUDARE_INTAKE``.
    """
    with psycopg.connect(site_url) as connection:
        found = connection.execute("select email from members where member_id %% %s = 7 order by member_id", [ONE_IN])
        emails = [email for (email,) in found]
    keys = pl.DataFrame({"email": emails}, schema={"email": pl.String}).select(normalise(pl.col("email")).alias("key"))
    digests = (
        keys.drop_nulls()
        .unique()
        .select(
            *(
                digest(pl.col("key"), algorithm).alias(algorithm.value)
                for algorithm in (Digest.MD5, Digest.SHA1, Digest.SHA256)
            ),
            pl.lit("1").alias("opted-out"),
        )
    )
    text = HEADER + "\n" + digests.sort("md5").write_csv(include_header=False, separator="|")
    path = intake / "liveramp" / "lists" / "optouts.psv.gz"
    make_folder(path.parent, 0o700)
    write_whole(path, gzip.compress(text.encode(), mtime=0))
    return path
