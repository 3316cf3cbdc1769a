"""
The nouns of delivery: where a feed goes, under which rule, in which form. Standard library only.
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
    def bytes(self) -> int:
        return {"sha256": 32, "sha1": 20, "md5": 16}[self.value]

    @property
    def hex_digits(self) -> int:
        return 2 * self.bytes


class Encoding(StrEnum):
    """How the bytes of a digest are written. Base64 is of the raw bytes, never of their hexadecimal text."""

    HEX = "hex"
    BASE64 = "base64"


class Quoting(StrEnum):
    ALWAYS = "always"
    NEVER = "never"


class Method(StrEnum):
    """How a destination is told that people have left."""

    OPT_OUT_FILE = "opt-out file"
    """Its own headers, with a flag that means *remove*."""
    DELETION_FILE = "deletion file"
    """The headers of the feed and a flag, in another place; in the feed's place the same flag would add them."""
    FEED_HEADERS = "the feed's headers, as a removal"
    """The headers of the feed, uploaded as a removal by ad-ops or a connector."""


@dataclass(frozen=True, kw_only=True)
class EmailRule:
    """
    What of an address a destination wants changed before it is digested, beyond what is done for all: NFKC, lower
    case, no white space, nothing invisible.
    """

    drop_dots_at: tuple[str, ...] = ()
    """Domains whose local part loses its dots."""
    drop_suffix_at: tuple[str, ...] = ()
    """Domains whose local part loses what follows a plus sign, and the sign; ``*`` is all."""
    any_script: bool = False
    """Letters outside ASCII are let pass as they are; else a domain becomes A-labels and a local part is refused."""
    strict_dots: bool = False
    """Refused where the local part begins or ends with a dot or has two in a row, as carriers issued until 2009."""


@dataclass(frozen=True, kw_only=True)
class FileForm:
    """The bytes of a file."""

    extension: str = "csv"
    delimiter: str = ","
    quoting: Quoting = Quoting.ALWAYS
    header: bool = True
    gzip: bool = True
    rows_ceiling: int = 500_000_000
    bytes_ceiling: int = 50_000_000_000
    """Of the file before compression."""


@dataclass(frozen=True, kw_only=True)
class Removal:
    """How people who were sent are taken back."""

    method: Method
    columns: tuple[tuple[str, Digest], ...]
    """Header and digest of each column; every digest must be one that the feed has."""
    flag: tuple[str, str] | None = None
    """Header and value of a last column that says *remove*."""
    form: FileForm = FileForm()


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who receives personal data (個人情報保護法 27条, 28条; 施行規則 20条)."""

    name: str
    country: str
    """ISO 3166-1 alpha-2, of the recipient and of where it stores what it receives."""
    relation: Relation

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{2}", self.country):
            raise ValueError(f"{self.name}: the country is stated as two capital letters")
        if not isinstance(self.relation, Relation):
            raise ValueError(f"{self.name}: the policy knows third-party provision only")

    @property
    def needs_basis(self) -> bool:
        """Outside Japan and the countries recognised as equal, 28条 asks for a basis, which an `Agreement` records."""
        return self.country not in (_EQUIVALENT | {_HOME})


@dataclass(frozen=True, kw_only=True)
class Destination:
    """An advertising destination: the shape of its files, and what its rules demand."""

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
    removal: Removal
    email: EmailRule = EmailRule()
    encoding: Encoding = Encoding.HEX
    form: FileForm = FileForm()
    fields: tuple[tuple[str, str], ...] = ()
    """Further identifiers the destination knows, and the rule each is normalised by (`delivery.identifiers`). `sudare
    digest` shows them; no feed can hold one."""
    opt_out_list: str = ""
    """Whose list of opted-out people has to be at hand and fresh, if the destination or its network keeps one."""
    prohibited: tuple[str, ...] = ()
    """What its terms forbid to send; nothing of it has a column here."""
    aliases: tuple[str, ...] = ()
    """Other names a person may call it by; capitals, hyphens, underscores and spaces never matter."""
    unconfirmed: tuple[str, ...] = ()
    """What its public pages do not say. The destination is refused until an `Agreement` says who confirmed it."""

    @property
    def algorithms(self) -> tuple[Digest, ...]:
        """The digests of its columns, each once, in their order."""
        return tuple(dict.fromkeys(algorithm for _, algorithm in self.columns))

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is not a destination's name")
        if self.age_floor < 18:
            raise ValueError(f"{self.name}: nobody under 18 is in a feed")
        for what, columns in (("", self.columns), ("removal ", self.removal.columns)):
            if not columns or len({header for header, _ in columns}) != len(columns):
                raise ValueError(f"{self.name}: needs {what}columns, each header once")
        if missing := {d for _, d in self.removal.columns} - {d for _, d in self.columns}:
            raise ValueError(f"{self.name}: {', '.join(sorted(missing))} was never sent, so nothing is removed by it")
