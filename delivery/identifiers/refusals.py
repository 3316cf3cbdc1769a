"""Why a value is not digested. Codes only: no refusal holds the value."""

from enum import StrEnum


class Refusal(StrEnum):
    EMPTY = "empty"
    """Nothing is left of it."""
    PLACEHOLDER = "placeholder"
    """Typed to get past a form; its digest would match strangers to each other."""
    MALFORMED = "malformed"
    """Not what the field holds."""
    ALREADY_HASHED = "already_hashed"
    """A digest; a digest of it would match nobody."""
    TOO_LONG = "too_long"
    UNMATCHABLE = "unmatchable"
    """Somebody's, but the destination has no form for it or refuses the one it has."""
    UNKNOWN_REGION = "unknown_region"
    """A national number whose country is not said, or is none."""
    INVALID_NUMBER = "invalid_number"
    UNSUPPORTED_FIELD = "unsupported_field"
    UNKNOWN_DESTINATION = "unknown_destination"
    NOT_TEXT = "not_text"


class Refused(ValueError):
    """Raised instead of a normal form; says why, and nothing of the value."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why
