"""
Redact Japanese free text: every span that points at a person becomes a typed placeholder.

Fails closed: a text that cannot be treated is refused, never passed on as it is.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from presidio_analyzer import RecognizerResult
from presidio_anonymizer.entities import RecognizerResult as AnonymizerSpan

from anonymizers.text import engine
from anonymizers.text.names import known_forms
from anonymizers.text.normalisation import Normalised, normalise

LONGEST_TEXT_BYTES = 49_149
"""In UTF-8. Beyond it Sudachi, the tokenizer behind Japanese engines, refuses a text."""

LONGEST_NORMALISED = 49_149
"""Code points. NFKC writes some single characters as eighteen; this bounds the recognisers' work."""

MOST_NAMES = 500
LONGEST_NAME = 100
"""Names per posting, and code points per name: far above any site's, they bound the work of one posting."""

_REFUSALS = (
    ("lone_surrogates", re.compile("[\ud800-\udfff]")),
    ("control_characters", re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")),
    # Unicode Bidi_Control: the text a reader sees is not in the order the recognisers read.
    ("direction_marks", re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")),
)


class RedactionRefused(Exception):
    """
    A text could not be treated.

    Its message and `reason` are a code such as ``too_long``; the text, and any exception that quoted it,
    are not in it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Span:
    """A stretch of text that points at a person. Holds no text."""

    start: int
    """First code point, in the text given."""

    end: int
    """One past the last code point, in the text given."""

    label: str
    """What was found, such as ``PHONE``."""


@dataclass(frozen=True)
class Redacted:
    """A treated text and what was replaced in it."""

    text: str
    """The text given, with ``<LABEL>`` in place of each span. No recognised value is in it."""

    spans: tuple[Span, ...]
    """Sorted by start, none overlapping."""


def redact(text: str, names: Sequence[str] = ()) -> Redacted:
    """
    Replace everything that points at a person by a typed placeholder.

    Args:
        text: A posting, at most 49,149 bytes of UTF-8.
        names: Names the site knows for the author and their children, such as "山田 花子" or a nickname;
            found as `anonymizers.text.names` describes. Single characters are ignored.

    Returns:
        The redacted text and the spans, in code points of `text`. Names the site does not know, and
        anything no recogniser knows, are still in the text: it is pseudonymised, not anonymous.

    Raises:
        RedactionRefused: the text is too long, is not text, holds lone surrogates, control characters other
            than tab and line ends, or direction marks; the names are not a list or tuple of texts, or too
            many or too long; or a recogniser failed. No value is in the message and no exception hangs on it.
    """
    _refuse_unfit(text, names)
    # The handler is inside `_attempt`: raised here, the refusal has no exception quoting the text behind it.
    treated = _attempt(text, tuple(names))
    if isinstance(treated, str):
        raise RedactionRefused(treated)
    return treated


def redact_all(
    texts: Sequence[str], names: Sequence[Sequence[str]] | None = None
) -> tuple[list[str | None], Counter[str]]:
    """
    Redact many texts; one that cannot be treated is dropped and counted, never passed on.

    Args:
        texts: Postings.
        names: Per posting the names known for its author; None for no names at all.

    Returns:
        Per text its redaction, or None where it was dropped; and counts: ``redacted`` + ``unchanged`` +
        the sum of ``dropped_<reason>`` are the texts given, ``found_<LABEL>`` are spans. Identical texts
        with the same names are analysed once and counted each.

    Raises:
        ValueError: `names` has not one entry per text.
    """
    if names is not None and len(names) != len(texts):
        raise ValueError(f"names: {len(names)} entries for {len(texts)} texts; give one per text")
    counts: Counter[str] = Counter()
    seen: dict[tuple[str, tuple[str, ...]], Redacted | str] = {}
    results = [_redacted_once(text, known, seen) for text, known in _paired(texts, names)]
    published = []
    for result in results:
        published.append(None if isinstance(result, str) else result.text)
        counts.update(_tally(result))
    return published, counts


def _paired(texts: Sequence[str], names: Sequence[Sequence[str]] | None) -> Iterator[tuple[str, Sequence[str]]]:
    return zip(texts, [()] * len(texts) if names is None else names, strict=True)


def _redacted_once(
    text: str, names: Sequence[str], seen: dict[tuple[str, tuple[str, ...]], Redacted | str]
) -> Redacted | str:
    """The redaction of a text, or the reason it was refused; the same text and names are treated once."""
    try:
        _refuse_unfit(text, names)
    except RedactionRefused as refused:
        return refused.reason
    key = text, tuple(names)
    if key not in seen:
        seen[key] = _attempt(*key)
    return seen[key]


def _tally(result: Redacted | str) -> list[str]:
    """The counter keys one posting adds to."""
    if isinstance(result, str):
        return [f"dropped_{result}"]
    return ["redacted" if result.spans else "unchanged", *(f"found_{span.label}" for span in result.spans)]


def _refuse_unfit(text: str, names: Sequence[str]) -> None:
    """
    Raise `RedactionRefused` for a text or names no recogniser should see.

    A plain string as `names` would be taken for its characters, each too short to be looked for, and the
    name would go out: it is refused.
    """
    if not isinstance(text, str):
        raise RedactionRefused("not_text")
    for reason, refused in _REFUSALS:
        if refused.search(text):
            raise RedactionRefused(reason)
    if len(text.encode()) > LONGEST_TEXT_BYTES:
        raise RedactionRefused("too_long")
    if not isinstance(names, list | tuple) or len(names) > MOST_NAMES or not all(map(_is_name, names)):
        raise RedactionRefused("names_unusable")


def _is_name(name: str) -> bool:
    return isinstance(name, str) and len(name) <= LONGEST_NAME


def _attempt(text: str, names: tuple[str, ...]) -> Redacted | str:
    """The redaction, or the reason there is none. What went wrong is not kept: its message may hold the text."""
    try:
        normalised = normalise(text)
        if len(normalised.text) > LONGEST_NORMALISED:
            return "too_long"
        found = engine.analyze(normalised.text, known_forms(names))
        spans = _resolve(found, normalised)
        return Redacted(_replace(text, spans), spans)
    except Exception:  # noqa: BLE001  any failure, foreseen or not, drops the posting
        return "recogniser_failed"


def _resolve(found: list[RecognizerResult], normalised: Normalised) -> tuple[Span, ...]:
    """
    Make overlapping results one span each, in code points of the original.

    Presidio's resolution trims or drops results; here the union is kept, so that nothing any recogniser
    found is left in the text. The longest result names the span, then the surest.
    """
    placed = sorted((*normalised.original(r.start, r.end), r.score, r.entity_type) for r in found)
    clusters: list[list[tuple[int, int, float, str]]] = []
    reach = 0
    for result in placed:
        if clusters and result[0] < reach:
            clusters[-1].append(result)
        else:
            clusters.append([result])
        reach = max(reach, result[1])
    return tuple(_merged(cluster) for cluster in clusters)


def _merged(cluster: list[tuple[int, int, float, str]]) -> Span:
    _, _, _, label = max(cluster, key=lambda result: (result[1] - result[0], result[2], result[3]))
    return Span(cluster[0][0], max(end for _, end, _, _ in cluster), label)


def _replace(text: str, spans: tuple[Span, ...]) -> str:
    if not spans:
        return text
    results = [AnonymizerSpan(span.label, span.start, span.end, 1.0) for span in spans]
    return engine.anonymizer().anonymize(text, results, merge_entities_with_spaces=False).text
