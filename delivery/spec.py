"""
The nouns of delivery: where a feed goes, and under which rule. Standard library only.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_HOME = "JP"
_EQUIVALENT = frozenset(
    (
        *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU"),
        *("MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO", "GB"),
    )
)
"""Countries whose protection Japan recognises as equal (個人情報保護法 28条; EU, EEA and UK), read 2026-11-23."""


class Relation(StrEnum):
    """What the recipient is in law. 委託 and 共同利用 do not exist here: the policy rules them out (7 and 8)."""

    THIRD_PARTY = "第三者提供"


class Digest(StrEnum):
    """Unkeyed digests that partners match on. They protect nobody: a feed is personal data."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"

    @property
    def hex_digits(self) -> int:
        return {"sha256": 64, "sha1": 40, "md5": 32}[self.value]


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who receives personal data (個人情報保護法 27条, 28条; 施行規則 20条)."""

    name: str
    country: str
    """ISO 3166-1 alpha-2, of the recipient and of where it stores what it receives."""
    relation: Relation
    article_28_basis: str = ""
    """Needed for a country other than Japan and those recognised as equal."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{2}", self.country):
            raise ValueError(f"{self.name}: the country is stated as two capital letters")
        if self.country not in (_EQUIVALENT | {_HOME}) and not self.article_28_basis:
            raise ValueError(f"{self.name}: country {self.country} needs a recorded basis under 28条")
        if not isinstance(self.relation, Relation):
            raise ValueError(f"{self.name}: the policy knows third-party provision only")


@dataclass(frozen=True, kw_only=True)
class Destination:
    """An advertising destination: the shape of its file, and what its rules demand."""

    name: str
    title: str
    recipient: Recipient
    purpose: str
    columns: tuple[tuple[str, Digest], ...]
    """Header and digest of each column. A feed can hold e-mail digests and nothing else."""
    age_floor: int
    """Completed years on the day; unknown age is under it."""
    rows_floor: int
    """Rows below which the destination takes no file."""
    rule_id: str
    sources: tuple[str, ...]
    read_on: str
    """When the rules were read, ISO date."""
    example: tuple[tuple[str, str | None], ...]
    """Worked example: an address as typed, and its normal form here, or None where it is rejected."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is not a destination's name")
        if self.age_floor < 18:
            raise ValueError(f"{self.name}: nobody under 18 is in a feed")
        if not self.columns or len({header for header, _ in self.columns}) != len(self.columns):
            raise ValueError(f"{self.name}: needs columns, each header once")
