"""
What becomes of each entity once it is found: one table for each use of redacted text.

Every entity a recogniser can find must be in the table; there is no default, so a new recogniser is not in use until
somebody has decided. Terms are ISO/IEC 20889's: redaction is masking, and *drop* suppresses the whole posting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import regex


class Action(Enum):
    """What is done with a span."""

    REDACT = "redact"
    """A typed placeholder stands in its place: ``<PHONE>``."""

    PSEUDONYMISE = "pseudonymise"
    """A placeholder with a tag, the same for the same name in one thread and for no other: ``<PERSON_3F9A>``."""

    GENERALISE = "generalise"
    """A placeholder that says a little: ``<ADDRESS_東京都>``, ``<BIRTH_DATE_2020-2024>``."""

    DROP = "drop"
    """The posting is dropped whole, and counted."""


GENERALISED = frozenset({"ADDRESS", "BIRTH_DATE"})
"""The entities that have something more general to say (`anonymizers.text.operators`)."""


@dataclass(frozen=True)
class Policy:
    """A use of redacted text, and what it does with each entity."""

    use: str
    actions: Mapping[str, Action]
    """By entity label."""

    def __post_init__(self) -> None:
        """
        Refuse what cannot be done.

        Raises:
            TypeError: an action is none of `Action`.
            ValueError: an entity is to be generalised that nothing more general is known for.
        """
        if not all(isinstance(action, Action) for action in self.actions.values()):
            raise TypeError(f"{self.use}: every action must be an Action")
        general = {entity for entity, action in self.actions.items() if action is Action.GENERALISE}
        if general - GENERALISED:
            raise ValueError(
                f"{self.use}: nothing more general is known for {', '.join(sorted(general - GENERALISED))}"
            )
        object.__setattr__(self, "actions", MappingProxyType(dict(self.actions)))

    def action(self, entity: str) -> Action:
        """
        What is done with an entity.

        Raises:
            KeyError: nobody has decided.
        """
        return self.actions[entity]


LABELS = (
    "BANK_ACCOUNT", "CORPORATE_NUMBER", "CREDIT_CARD", "DRIVER_LICENSE", "EMAIL", "EMPLOYMENT_INSURANCE", "FACILITY",
    "HEALTH_INSURANCE", "IP_ADDRESS", "LINE_ID", "MATERNAL_HANDBOOK", "PASSPORT", "PENSION_NUMBER", "PHONE",
    "POSTAL_CODE", "RESIDENCE_CARD", "SNS_HANDLE", "URL", "VEHICLE_PLATE",
    "ADDRESS", "BIRTH_DATE", "MY_NUMBER", "PERSON",
)  # fmt: skip
"""Every entity that a recogniser finds."""

_PREFECTURES = (
    "北海道|青森県|岩手県|宮城県|秋田県|山形県|福島県|茨城県|栃木県|群馬県|埼玉県|千葉県|東京都|神奈川県|新潟県|富山県|石川県|福井県|山梨県|"
    "長野県|岐阜県|静岡県|愛知県|三重県|滋賀県|京都府|大阪府|兵庫県|奈良県|和歌山県|鳥取県|島根県|岡山県|広島県|山口県|徳島県|香川県|愛媛県|"
    "高知県|福岡県|佐賀県|長崎県|熊本県|大分県|宮崎県|鹿児島県|沖縄県"
)
PLACEHOLDER = regex.compile(
    rf"<(?:(?:{'|'.join(LABELS)})|PERSON_[A-Z2-7]{{5}}|ADDRESS_(?:{_PREFECTURES})|"
    r"BIRTH_DATE_(?:19|20)[0-9][05]-(?:19|20)[0-9][49])>"
)
"""
What an action writes in the place of a span, and nothing that anybody could hide a value in.

A text that was redacted before has such, and no recogniser is believed about what lies inside.
"""

PLACEHOLDERS = Policy(
    "placeholders",
    dict.fromkeys(LABELS, Action.REDACT),
)
"""Everything becomes its placeholder: `sudare redact`."""

ANALYSIS = Policy(
    "text analysis",
    {
        **dict.fromkeys(LABELS, Action.REDACT),
        # Who speaks of whom is what an analyst of threads needs; who it is, nobody does.
        "PERSON": Action.PSEUDONYMISE,
        "ADDRESS": Action.GENERALISE,
        "BIRTH_DATE": Action.GENERALISE,
        # 番号法 第20条 lets nobody keep an individual number but for the ends of the law (read 2026-11-24). A posting
        # that holds one is not worth the risk that the number was read only in part.
        "MY_NUMBER": Action.DROP,
    },
)
"""What the night stages for internal analysis."""
