"""
A world to attack: members who join, leave, move and write, night by night, as staging would hold them.

Everything is drawn from one seed. Nothing is taken from the demo site, whose members are made for other purposes:
here the distributions are skewed as those of real sites are, so that most cells are small.
"""

import datetime
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from anonymizers import bands
from anonymizers.keys import Key
from anonymizers.record_keys import record_keys
from transforms.deidentification import settled
from transforms.prefectures import PREFECTURES
from transforms.spec import WINDOW_DAYS

TOKYO = datetime.timezone(datetime.timedelta(hours=9))
FIRST_NIGHT = datetime.date(2026, 8, 1)
BOARDS = ("妊娠中の生活", "育児の悩み", "しつけ・発達", "雑談", bands.SENSITIVE_BOARDS)
_STATES = ("consented", "stopped", "withdrawn", "outdated", "none")
_HOUR_WEIGHTS = np.array([14, 8, 5, 4, 5, 9, 18, 30, 42, 60, 74, 62, 60, 72, 52, 42, 38, 34, 32, 40, 62, 88, 92, 66])


@dataclass(frozen=True)
class World:
    """
    Parameters of a world.

    Attributes:
        members: On the site when the first night begins.
        joins: Per night; half as many leave, a fifth as many move to another place, age band or child's band.
        nights: How many are published.
        postings: Per night.
        seed: Of every draw.
    """

    members: int
    joins: int
    nights: int
    postings: int
    seed: int

    def day(self, night: int) -> datetime.date:
        return FIRST_NIGHT + datetime.timedelta(days=night)

    @cached_property
    def people(self) -> pl.DataFrame:
        """Everybody who is ever there: what they are, the night they join (negative: long before) and leave."""
        draw = np.random.default_rng(self.seed)
        count = self.members + self.joins * self.nights
        joined = np.concatenate([-draw.integers(30, 3000, self.members), np.repeat(np.arange(self.nights), self.joins)])
        left = np.full(count, 10**6)
        for night in range(self.nights):
            there = np.flatnonzero((joined < night) & (left > night))
            left[draw.choice(there, self.joins // 2, replace=False)] = night
        age = draw.choice(len(bands.AGE_BANDS), count, p=_shares(draw, len(bands.AGE_BANDS)))
        child = (age + draw.poisson(1.2, count)) % len(bands.CHILD_BANDS)
        months = [self.day(0) + datetime.timedelta(days=int(n)) for n in joined]
        return pl.DataFrame(
            {
                "member_id": np.arange(count),
                "joined": joined,
                "left": left,
                "prefecture": draw.choice(47, count, p=_shares(draw, 47)),
                "age": age,
                "child": child,
                "registered_month": [f"{day:%Y-%m}" for day in months],
                "consent": draw.choice(5, count, p=[0.4, 0.05, 0.05, 0.1, 0.4]),
                "rate": draw.gamma(0.4, 1.0, count),
            }
        )

    @cached_property
    def moves(self) -> list[tuple[np.ndarray, str, np.ndarray]]:
        """Per night: who changes, in what, to what."""
        draw = np.random.default_rng(self.seed + 1)
        sizes = {"prefecture": 47, "age": len(bands.AGE_BANDS), "child": len(bands.CHILD_BANDS)}
        moves = []
        for _ in range(self.nights):
            what = draw.choice(list(sizes))
            who = draw.choice(len(self.people), max(1, self.joins // 5), replace=False)
            moves.append((who, str(what), draw.integers(0, sizes[what], len(who))))
        return moves

    @cached_property
    def posted(self) -> pl.DataFrame:
        """Every posting of a member: ``member_id``, ``day``, ``hour``, ``weekday``, ``board``. All of it is public."""
        draw = np.random.default_rng(self.seed + 2)
        rates = self.people["rate"].to_numpy()
        joined, left = (self.people[name].to_numpy() for name in ("joined", "left"))
        parts = []
        for night in range(-WINDOW_DAYS, self.nights):
            there = np.flatnonzero((joined <= night) & (left > night))
            author = draw.choice(there, self.postings, p=rates[there] / rates[there].sum())
            hours = draw.choice(24, self.postings, p=_HOUR_WEIGHTS / _HOUR_WEIGHTS.sum())
            boards = draw.choice(BOARDS, self.postings)
            day = self.day(night)
            parts.append(
                pl.DataFrame(
                    {"member_id": author, "day": [day] * self.postings, "hour": hours.astype(np.int8), "board": boards}
                ).with_columns(pl.lit(day.weekday(), pl.Int8).alias("weekday"))
            )
        return pl.concat(parts)

    def attributes(self, night: int) -> pl.DataFrame:
        """What everybody is on a night, with all moves so far; those who are there."""
        columns = {name: self.people[name].to_numpy().copy() for name in ("prefecture", "age", "child")}
        for who, what, to in self.moves[: night + 1]:
            columns[what][who] = to
        frame = self.people.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
        return frame.filter((pl.col("joined") <= night) & (pl.col("left") > night))

    def staged(self, night: int, key: Key) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Members and postings as staging holds them on a night."""
        day = self.day(night)
        first = day - datetime.timedelta(days=WINDOW_DAYS - 1)
        midnight = pl.lit(datetime.datetime.combine(self.day(0), datetime.time(), TOKYO))
        registered = (midnight + pl.duration(days=pl.col("joined"))).alias("registered_at")
        keyed = self.attributes(night).with_columns(registered, *record_keys("member_id", key))
        there = keyed.with_row_index("member_no")
        recent = self.posted.filter(pl.col("day").is_between(first, day))
        written = recent.group_by("member_id").agg(pl.len().alias("postings_28d"))
        codes = [code for code, _ in PREFECTURES]
        members = there.join(written, on="member_id", how="left", maintain_order="left").select(
            "member_id",
            "member_no",
            _coded("prefecture", codes).alias("prefecture_code"),
            _coded("age", bands.AGE_BANDS).alias("age_band"),
            _coded("child", bands.CHILD_BANDS).alias("youngest_child_band"),
            "registered_month",
            _coded("consent", _STATES).alias("consent_status"),
            pl.col("postings_28d").fill_null(0),
            pl.when(pl.col("postings_28d") > 0)
            .then(pl.lit(bands.POSTED))
            .otherwise(pl.lit(bands.SILENT))
            .alias("activity"),
            "record_key",
            "point",
            settled(day).alias("settled"),
        )
        postings = recent.join(members.select("member_id", "member_no"), on="member_id")
        return members.drop("member_id"), postings.select("member_no", "board", "day", "hour", "weekday")


def codes_of(row: dict) -> dict[str, str]:
    """The codes of a row of `World.people`."""
    return {
        "prefecture_code": PREFECTURES[row["prefecture"]][0],
        "age_band": bands.AGE_BANDS[row["age"]],
        "youngest_child_band": bands.CHILD_BANDS[row["child"]],
        "registered_month": row["registered_month"],
        "consent_status": _STATES[row["consent"]],
    }


def _coded(column: str, codes) -> pl.Expr:
    return pl.col(column).replace_strict(dict(enumerate(codes)), return_dtype=pl.String)


def _shares(draw: np.random.Generator, count: int) -> np.ndarray:
    weights = 1 / np.arange(1, count + 1) ** 1.2
    return draw.permutation(weights / weights.sum())
