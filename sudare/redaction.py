"""`sudare redact`: JSON lines in, redacted JSON lines out."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from anonymizers.text.redaction import LONGEST_NAME, MOST_NAMES, Redacted, redact_each
from sudare.json_lines import Id, is_id, read_object, require_none

MOST_TOGETHER = 1_000
"""Postings of one thread that are treated as one; a longer thread is so many threads, and memory stays flat."""

UNUSABLE = "not_a_posting"
"""Why a line is refused that is no JSON object with an "id" and a text "text"."""


@dataclass(frozen=True)
class Posting:
    """One line, read. Either it has a text or it is unusable."""

    line: int
    """From 1."""

    id: Id = None
    text: str | None = None
    """None of an unusable line."""

    names: object = ()
    """As given: whether they can be used is the library's to say."""

    thread: Id = None
    """None: a thread of its own."""


@dataclass(frozen=True)
class Treated:
    """A posting, and what came of it. Holds the text as it was written."""

    posting: Posting
    redacted: Redacted | None = None
    """None if it was refused."""

    refused: str = ""
    """A code such as ``too_long``; empty if it was not."""


def redact_lines(lines: Iterable[str | bytes]) -> Iterator[str]:
    """
    Redact one posting a line.

    Args:
        lines: As `treat_lines` reads them.

    Yields:
        As `told` writes them, one for each line that is not blank.

    Raises:
        ValueUnfit: as `all_usable` does, after the last line.
    """
    return map(told, all_usable(treat_lines(lines)))


def told(treated: Treated) -> str:
    """
    What is said of a posting, as JSON without a line end.

    Returns:
        ``{"id", "text", "spans": [{"start", "end", "label"}]}``, offsets in code points of the text given;
        ``{"id", "refused": reason}`` where the text cannot be treated, with ``"line"`` where the line is no posting.
        Of what was refused nothing is in it but its id.
    """
    what: dict = {"id": treated.posting.id}
    if treated.redacted is None:
        what["refused"] = treated.refused
        if treated.refused == UNUSABLE:
            what["line"] = treated.posting.line
    else:
        what["text"] = treated.redacted.text
        what["spans"] = [{"start": s.start, "end": s.end, "label": s.label} for s in treated.redacted.spans]
    return json.dumps(what, ensure_ascii=False)


def treat_lines(lines: Iterable[str | bytes]) -> Iterator[Treated]:
    """
    Read, redact, hand on: a line that names no thread is handed on before the next is read.

    Args:
        lines: ``{"id", "text", "names"?, "thread"?}`` each, in UTF-8; blank lines are skipped. Lines of one
            ``"thread"`` that follow each other share the names known of their authors, and are handed on together; at
            most `MOST_TOGETHER`, and as many as have `MOST_NAMES` names, which keeps memory flat.

    Yields:
        Every posting with its redaction or the reason it was refused, in order.
    """
    for batch in _together(_read(lines)):
        yield from _treat(batch)


def all_usable(treated: Iterable[Treated]) -> Iterator[Treated]:
    """
    Hand on what comes; if lines were no postings, say so at the end, when all others are through.

    Raises:
        ValueUnfit: the message names the first line and how many there are, never a content.
    """
    unusable = []
    for one in treated:
        if one.refused == UNUSABLE:
            unusable.append(one.posting.line)
        yield one
    require_none(unusable, 'JSON object with "id" and a text "text"')


def _read(lines: Iterable[str | bytes]) -> Iterator[Posting]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _parse(line, number)


def _parse(line: str | bytes, number: int) -> Posting:
    read = read_object(line)
    if read is None:
        return Posting(number)
    usable = "id" in read and isinstance(read.get("text"), str) and is_id(read.get("thread"))
    if not usable:
        return Posting(number, read.get("id"))
    return Posting(
        number, read["id"], read["text"], () if read.get("names") is None else read["names"], read.get("thread")
    )


def _together(postings: Iterable[Posting]) -> Iterator[list[Posting]]:
    """Postings of one thread that follow each other; one without a thread is alone and waits for nothing."""
    batch: list[Posting] = []
    names: set[str] = set()
    for posting in postings:
        names |= set(_usable_names(posting))
        if batch and (posting.thread != batch[0].thread or len(batch) == MOST_TOGETHER or len(names) > MOST_NAMES):
            yield batch
            batch, names = [], set(_usable_names(posting))
        batch.append(posting)
        if posting.thread is None:
            yield batch
            batch, names = [], set()
    if batch:
        yield batch


def _usable_names(posting: Posting) -> list[str]:
    """Its names, if the library will take them; else it will refuse the posting, and the others need not go with it."""
    names = posting.names if isinstance(posting.names, list) else []
    fit = len(names) <= MOST_NAMES and all(isinstance(name, str) and len(name) <= LONGEST_NAME for name in names)
    return names if fit else []


def _treat(batch: list[Posting]) -> Iterator[Treated]:
    """One thread together; what is no posting is left out of it."""
    postings = [posting for posting in batch if posting.text is not None]
    results = iter(redact_each([p.text for p in postings], [p.names for p in postings], ["one thread"] * len(postings)))
    for posting in batch:
        if posting.text is None:
            yield Treated(posting, refused=UNUSABLE)
            continue
        result = next(results)
        yield Treated(posting, refused=result) if isinstance(result, str) else Treated(posting, result)
