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

PLACEHOLDER = regex.compile(
    rf"<(?:{'|'.join(LABELS)})(?:_(?:[A-Z2-7]{{5}}|[0-9]{{4}}-[0-9]{{4}}|[一-鿿]{{2,3}}[都道府県]))?>"
)
"""What stands in the place of a span, by any action. A text that was redacted before has such; they are no names."""

PLACEHOLDERS = Policy(
    "placeholders",
    dict.fromkeys(LABELS, Action.REDACT),
)
"""Everything becomes its placeholder: `sudare redact`, and thread titles."""

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
