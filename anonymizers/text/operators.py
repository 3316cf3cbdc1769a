"""
Presidio operators for what a policy may do with a span beyond its placeholder.

`anonymizers.text.redaction` calls them beside Presidio's own; they go into anybody's `AnonymizerEngine` as well.
"""

import base64
import hashlib
import hmac

import regex
from presidio_anonymizer.operators import Operator, OperatorType

from anonymizers.text.names import fold
from anonymizers.text.normalisation import normalise, unmask
from anonymizers.text.places import prefecture_of

KEY_BYTES = 32
"""Of a key for pseudonyms, at least."""

TAG_LENGTH = 5
"""Characters of a tag, base32: among 100 names of a thread, two share one once in 7,000 threads."""

YEARS = 5
"""Width of the band a year of birth becomes."""

_LETTERS = regex.compile(r"[^\p{L}\p{N}]+")
_FIRST_YEARS = {"明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}
_ERA_LETTERS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
_YEAR = regex.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9]{1,3}(?![0-9]))")
_ERA_YEAR = regex.compile(r"(?P<era>明治|大正|昭和|平成|令和|[MTSHRmtshr](?=[.0-9]))\.? ?(?P<year>元|[0-9]{1,2})")


class ThreadPseudonym(Operator):
    """
    The placeholder with a tag: HMAC-SHA-256 of the folded name under the thread's key, truncated.

    The same name in hiragana and katakana has one tag, a full name and its surname have two. Without the key
    nobody can tell whose a tag is; with it, anybody who guesses the name can.
    """

    def operate(self, text: str, params: dict | None = None) -> str:
        """The placeholder of one name; `params` holds ``entity_type`` and ``key`` (bytes)."""
        name = _LETTERS.sub("", fold(normalise(text).text))
        digest = hmac.new(params["key"], name.encode(), hashlib.sha256).digest()
        return f"<{params['entity_type']}_{base64.b32encode(digest).decode()[:TAG_LENGTH]}>"

    def validate(self, params: dict | None = None) -> None:
        """
        Check the parameters.

        Raises:
            ValueError: there is no key of 32 bytes.
        """
        if not isinstance((params or {}).get("key"), bytes) or len(params["key"]) < KEY_BYTES:
            raise ValueError(f"pseudonyms need a key of {KEY_BYTES} bytes")

    def operator_name(self) -> str:
        """Its name in an `OperatorConfig`."""
        return "thread_pseudonym"

    def operator_type(self) -> OperatorType:
        """Anonymize: there is no way back from the tag."""
        return OperatorType.Anonymize


class Generalise(Operator):
    """The placeholder with the prefecture of an address, or five years for a date of birth, where they are told."""

    def operate(self, text: str, params: dict | None = None) -> str:
        """The placeholder of one span; `params` holds ``entity_type``."""
        entity = params["entity_type"]
        general = prefecture_of(normalise(text).text) if entity == "ADDRESS" else birth_years(text)
        return f"<{entity}_{general}>" if general else f"<{entity}>"

    def validate(self, params: dict | None = None) -> None:
        """Nothing to check."""

    def operator_name(self) -> str:
        """Its name in an `OperatorConfig`."""
        return "generalise"

    def operator_type(self) -> OperatorType:
        """Anonymize."""
        return OperatorType.Anonymize


def birth_years(text: str) -> str | None:
    """
    The five calendar years that hold a date's year, such as "2020-2024".

    Args:
        text: A date as it was written, in any writing and era.

    Returns:
        None where no year of four digits and no era is told: 5月3日, '18.5.3.
    """
    read = unmask(normalise(text)).text
    western, era = _YEAR.search(read), _ERA_YEAR.search(read)
    if western:
        year = int(western[0][:4])
    elif era:
        first = _FIRST_YEARS[_ERA_LETTERS.get(era["era"].upper(), era["era"])]
        year = first + (1 if era["year"] == "元" else int(era["year"])) - 1
    else:
        return None
    return f"{year - year % YEARS}-{year - year % YEARS + YEARS - 1}"
