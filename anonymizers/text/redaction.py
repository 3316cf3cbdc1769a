"""
Redact Japanese free text: every span that points at a person becomes a typed placeholder.

Fails closed: a text that cannot be treated is refused, never passed on as it is.
"""

import bisect
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from presidio_analyzer import RecognizerResult
from presidio_anonymizer.operators import Operator, Replace

from anonymizers.text import engine, name_lists, name_shapes
from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.names import KnownNames, Words, forms_of
from anonymizers.text.normalisation import Normalised
from anonymizers.text.operators import KEY_BYTES, Generalise, ThreadPseudonym
from anonymizers.text.policy import PLACEHOLDER, PLACEHOLDERS, Action, Policy
from anonymizers.text.recognizers.known_name import KnownNameRecognizer, words_of
from anonymizers.text.tokenizer import (
    LONGEST_STRETCH_BYTES,
    PREFERRED_STRETCH,
    SentenceTooLong,
    of_this_thread,
    stretches,
)

LONGEST_TEXT = 1_000_000
"""Code points; far above any posting, it bounds what one of them may cost."""

CERTAIN = 0.9
"""The score from which a name found once is looked for in the whole thread."""

OVERLAP = 300
"""Code points that one stretch reads of the next; longer than any identifier with the word that tells it."""

LONGEST_NORMALISED = 49_149
"""Code points per stretch. NFKC writes some single characters as eighteen; this bounds the recognisers' work."""

MOST_NAMES = 500
LONGEST_NAME = 100
"""Names per posting, and code points that are looked for of each: above any site's, they bound the work of a thread."""

_REFUSALS = (
    ("lone_surrogates", re.compile("[\ud800-\udfff]")),
    ("control_characters", re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")),
    # Unicode Bidi_Control: the text a reader sees is not in the order the recognisers read.
    ("direction_marks", re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")),
)


_Treated = TypeVar("_Treated")


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


@dataclass(frozen=True)
class _Analysed:
    """What the recognisers found in one text, which holds for it whoever wrote it."""

    stretches: tuple[tuple[int, Normalised, Words], ...]
    """Where each begins in the text, its normalised reading, in which names are looked for, and its `words_of`."""

    results: tuple[RecognizerResult, ...]
    """In code points of the text as written."""


def redact(text: str, names: Sequence[str] = ()) -> Redacted:
    """
    Replace everything that points at a person by a typed placeholder.

    Args:
        text: A posting.
        names: Names the site knows for the author and their children, such as "山田 花子" or a nickname;
            found as `anonymizers.text.names` describes.

    Returns:
        The redacted text and the spans, in code points of `text`. Names that neither the site knows nor the
        recognisers tell are still in the text: it is pseudonymised, not anonymous.

    Raises:
        RedactionRefused: the text is too long, is not text, holds lone surrogates, control characters other
            than tab and line ends, or direction marks; the names are not a list or tuple of texts, or too
            many or too long; or a recogniser failed. No value is in the message and no exception hangs on it.
    """
    (treated,) = redact_each([text], [names])
    # Raised here, where no exception quoting the text is being handled, the refusal has none behind it.
    if isinstance(treated, str):
        raise RedactionRefused(treated)
    return treated


def redact_all(
    texts: Sequence[str],
    names: Sequence[Sequence[str]] | None = None,
    threads: Sequence[Hashable] | None = None,
    *,
    policy: Policy = PLACEHOLDERS,
    key: bytes = b"",
) -> tuple[list[str | None], Counter[str]]:
    """
    Redact many texts; one that cannot be treated is dropped and counted, never passed on.

    Args:
        texts: Postings.
        names: As `redact_each`.
        threads: As `redact_each`.
        policy: As `redact_each`.
        key: As `redact_each`.

    Returns:
        Per text its redaction, or None where it was dropped; and counts: ``redacted`` + ``unchanged`` +
        the sum of ``dropped_<reason>`` are the texts given, ``found_<LABEL>`` are spans in what was not dropped.
    """
    results = redact_each(texts, names, threads, policy=policy, key=key)
    return [None if isinstance(result, str) else result.text for result in results], tally(results)


def redact_each(
    texts: Sequence[str],
    names: Sequence[Sequence[str]] | None = None,
    threads: Sequence[Hashable] | None = None,
    *,
    known: Mapping[Hashable, Iterable[str]] | None = None,
    policy: Policy = PLACEHOLDERS,
    key: bytes = b"",
) -> list[Redacted | str]:
    """
    Redact many texts, those of one thread together.

    Args:
        texts: Postings.
        names: Per posting the names known for its author; None for no names at all.
        threads: Per posting its thread; None if each is one of its own. Known names, and names a recogniser was
            certain of, are looked for in all postings of the thread.
        known: Per thread further names, such as those of members who wrote in it on other days.
        policy: What becomes of each entity.
        key: 32 bytes, where the policy pseudonymises. Tags are of one thread: the same name has others elsewhere.

    Returns:
        Per text its redaction, or the reason it was dropped, such as ``too_long`` or ``policy``. Identical texts
        are analysed once.

    Raises:
        ValueError: `names` or `threads` has not one entry per text, or a key is needed and is missing or short.
    """
    for what, given in (("names", names), ("threads", threads)):
        if given is not None and len(given) != len(texts):
            raise ValueError(f"{what}: {len(given)} entries for {len(texts)} texts; give one per text")
    if Action.PSEUDONYMISE in policy.actions.values() and len(key) < KEY_BYTES:
        raise ValueError(f"policy {policy.use} pseudonymises: give a key of {KEY_BYTES} bytes")
    names, threads = names or [()] * len(texts), threads or range(len(texts))
    analysed = _analysed_once(texts)
    recognisers = _recognisers(texts, names, threads, analysed, known or {})
    treated: list[Redacted | str] = []
    for text, thread, found in zip(texts, threads, analysed, strict=True):
        theirs = recognisers[thread]
        if isinstance(found, str) or isinstance(theirs, str):
            treated.append(found if isinstance(found, str) else theirs)
        else:
            treated.append(_attempt(_redacted, text, found, theirs, policy, _thread_key(key, thread)))
    return treated


def _analysed_once(texts: Sequence[str]) -> list["_Analysed | str"]:
    """Per text what was found in it, or why it was refused; the same text is read once."""
    seen: dict[str, _Analysed | str] = {}
    results = []
    for text in texts:
        reason = _unfit(text)
        if not reason and text not in seen:
            seen[text] = _attempt(_analyse, text)
        results.append(reason or seen[text])
    return results


def _recognisers(
    texts: Sequence[str],
    names: Sequence[Sequence[str]],
    threads: Sequence[Hashable],
    analysed: Sequence["_Analysed | str"],
    known: Mapping[Hashable, Iterable[str]],
) -> dict[Hashable, KnownNameRecognizer | str]:
    """
    Per thread the recogniser of its names, or why there is none.

    Names count whatever becomes of the text they came with. One that cannot be used refuses its whole thread: it
    would be looked for in none of it.
    """
    told: dict[Hashable, set[str]] = {thread: set() for thread in threads}
    certain: dict[Hashable, set[str]] = {thread: set() for thread in threads}
    unusable = set()
    for text, own, thread, found in zip(texts, names, threads, analysed, strict=True):
        if _are_names(own) and len(own) <= MOST_NAMES:
            told[thread].update(own)
        else:
            unusable.add(thread)
        certain[thread] |= _certain(text, found)
    recognisers: dict[Hashable, KnownNameRecognizer | str] = {}
    for thread, own in told.items():
        further = known.get(thread, ())
        if thread in unusable or not _are_names(further):
            recognisers[thread] = "names_unusable"
        elif not (own or further or certain[thread]):
            recognisers[thread] = _nobody()
        else:
            recognisers[thread] = _attempt(_recogniser, {*own, *further}, certain[thread])
    return recognisers


@cache
def _nobody() -> KnownNameRecognizer:
    """Of the threads without a name, which are most."""
    return _recogniser(set(), set())


def _recogniser(told: set[str], certain: set[str]) -> KnownNameRecognizer:
    return KnownNameRecognizer(KnownNames((name[:LONGEST_NAME] for name in told), certain))


def _are_names(names: object) -> bool:
    """A plain string would be taken for its characters, each too short to be looked for, and the name would go out."""
    return isinstance(names, list | tuple | set | frozenset) and all(isinstance(name, str) for name in names)


def _thread_key(key: bytes, thread: Hashable) -> bytes:
    return hmac.new(key, repr(thread).encode(), hashlib.sha256).digest() if key else b""


def forget() -> None:
    """
    Empty what is remembered of the texts that were read.

    Pieces of texts and what the lists say of them are kept for speed, at most some 200,000 short strings, names among
    them. Whoever has read a shard forgets it, so that no worker holds names of yesterday's.
    """
    for remembered in (name_lists.entry, name_lists.reading, name_lists.readings_of_romaji, name_shapes.made_of,
                       name_shapes.given, name_shapes.is_never, forms_of, of_this_thread):  # fmt: skip
        remembered.cache_clear()


def tally(results: Sequence[Redacted | str]) -> Counter[str]:
    """
    Count what became of texts.

    Args:
        results: From `redact_each`.

    Returns:
        ``redacted``, ``unchanged`` and ``dropped_<reason>``, which add up to the texts; ``found_<LABEL>``, which are
        spans in what was not dropped.
    """
    counts: Counter[str] = Counter()
    for result in results:
        if isinstance(result, str):
            counts[f"dropped_{result}"] += 1
        else:
            counts["redacted" if result.spans else "unchanged"] += 1
            counts.update(f"found_{span.label}" for span in result.spans)
    return counts


def _unfit(text: str) -> str | None:
    """Why no recogniser should see a text; None if they may."""
    if not isinstance(text, str):
        return "not_text"
    if len(text) > LONGEST_TEXT:
        return "too_long"
    return next((reason for reason, refused in _REFUSALS if refused.search(text)), None)


def _attempt(step: Callable[..., _Treated], *given: Any) -> _Treated | str:
    """What a step gives, or the reason there is nothing. What went wrong is not kept: it may hold the text."""
    try:
        return step(*given)
    except SentenceTooLong:
        return "too_long"
    except Exception:  # noqa: BLE001  any failure, foreseen or not, drops the posting
        return "recogniser_failed"


def _analyse(text: str) -> _Analysed:
    read, results = [], []
    for start, stretch in _overlapping(text):
        artifacts = TextArtifacts(stretch)
        if len(artifacts.normalised.text) > LONGEST_NORMALISED:
            raise SentenceTooLong
        for result in engine.analyze(artifacts):
            result.start, result.end = result.start + start, result.end + start
            results.append(result)
        read.append((start, artifacts.normalised, words_of(artifacts)))
    return _Analysed(tuple(read), tuple(results))


def _overlapping(text: str) -> Iterator[tuple[int, str]]:
    """The stretches of a text, each with the beginning of the next: an identifier is whole in one of them."""
    for start, stretch in stretches(text):
        end = start + len(stretch)
        more = text[end : end + OVERLAP]
        fits = len(stretch) <= PREFERRED_STRETCH or len((stretch + more).encode()) <= LONGEST_STRETCH_BYTES
        yield start, stretch + more if fits else stretch


def _certain(text: str, found: _Analysed | str) -> set[str]:
    """The names in a text that are certain enough to be looked for in all of its thread."""
    if isinstance(found, str):
        return set()
    return {text[r.start : r.end] for r in found.results if r.entity_type == "PERSON" and r.score >= CERTAIN}


def _redacted(
    text: str, found: _Analysed, known: KnownNameRecognizer, policy: Policy, thread_key: bytes
) -> Redacted | str:
    placed = _outside_placeholders(text, [(r.start, r.end, r.score, r.entity_type) for r in found.results])
    for start, reading, words in found.stretches:
        placed += [(start + r.start, start + r.end, r.score, r.entity_type) for r in known.find(reading, words)]
    spans = _resolve(placed)
    # Asked of every label, also of those merged into another span: a number is one wherever it stands.
    if any(policy.action(label) is Action.DROP for *_, label in placed):
        return "policy"
    return Redacted(_replace(text, spans, policy, thread_key), spans)


_Placed = list[tuple[int, int, float, str]]


def _outside_placeholders(text: str, placed: _Placed) -> _Placed:
    """Without what lies inside a placeholder of an earlier redaction, such as the label that follows "LINE ID:"."""
    inside = [match.span() for match in PLACEHOLDER.finditer(text)] if "<" in text else []
    starts = [start for start, _ in inside]

    def is_inside(start: int, end: int) -> bool:
        before = bisect.bisect_right(starts, start)
        return before > 0 and end <= inside[before - 1][1]

    return [result for result in placed if not is_inside(result[0], result[1])] if inside else placed


def _resolve(placed: _Placed) -> tuple[Span, ...]:
    """
    Make overlapping results one span each.

    Presidio's resolution trims or drops results; here the union is kept, so that nothing any recogniser
    found is left in the text. The longest result names the span, then the surest.
    """
    clusters: list[list[tuple[int, int, float, str]]] = []
    reach = 0
    for result in sorted(placed):
        if clusters and result[0] < reach:
            clusters[-1].append(result)
        else:
            clusters.append([result])
        reach = max(reach, result[1])
    return tuple(_merged(cluster) for cluster in clusters)


def _merged(cluster: list[tuple[int, int, float, str]]) -> Span:
    _, _, _, label = max(cluster, key=lambda result: (result[1] - result[0], result[2], result[3]))
    return Span(cluster[0][0], max(end for _, end, _, _ in cluster), label)


_OPERATORS: Mapping[Action, Operator] = {
    Action.REDACT: Replace(),
    Action.PSEUDONYMISE: ThreadPseudonym(),
    Action.GENERALISE: Generalise(),
}
"""Presidio's operator and our own, by what a policy asks for; a posting with what it drops is never written."""


def _replace(text: str, spans: tuple[Span, ...], policy: Policy = PLACEHOLDERS, thread_key: bytes = b"") -> str:
    """
    The text with what its operator makes of each span in the span's place.

    Presidio's `AnonymizerEngine` would call the same operators; it copies, sorts and merges results first, and
    these are sorted and apart already.
    """
    pieces, at = [], 0
    for span in spans:
        operator, given = _OPERATORS[policy.action(span.label)], {"entity_type": span.label, "key": thread_key}
        pieces += text[at : span.start], operator.operate(text[span.start : span.end], given)
        at = span.end
    return "".join((*pieces, text[at:]))
