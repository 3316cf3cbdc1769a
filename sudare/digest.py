"""`sudare digest`: identifiers in, the form and the digests that a destination knows them by out."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from delivery.identifiers import Identified, Request, identify
from sudare.json_lines import Id, read_object, require_none

UNUSABLE = "not_a_record"
"""Why a line is refused that is no JSON object with an "id"."""


@dataclass(frozen=True)
class Answer:
    """A line, and what came of it."""

    line: int
    """From 1."""

    id: Id = None
    identified: Identified | None = None
    """None of a line that is no record."""


def answer_lines(batches: Iterable[list[str] | list[bytes]]) -> Iterator[list[str]]:
    """
    Answer every line that is not blank, a batch before the next is read.

    Args:
        batches: Lines ``{"id", "destination", "field", "value", "region"?}`` each, in UTF-8.

    Yields:
        As `told` writes them, in order.

    Raises:
        ValueUnfit: lines were no records; after the last one. The message names the first and how many there are.
    """
    line = 0
    unusable: list[int] = []
    for batch in batches:
        numbered = list(enumerate(batch, start=line + 1))
        line += len(batch)
        answers = _answer([(number, text) for number, text in numbered if text.strip()])
        unusable += [one.line for one in answers if one.identified is None]
        yield [told(one) for one in answers]
    require_none(unusable, 'JSON object with an "id"')


def told(answer: Answer) -> str:
    """
    What is said of a line, as JSON without a line end.

    Returns:
        ``{"id", "normalized", "digests", "encoded", "rejected"}``; where ``rejected`` is a reason, ``digests`` is
        empty and the others are null. ``{"id": null, "rejected": "not_a_record", "line"}`` for a line that is none.
    """
    one = answer.identified
    if one is None:
        return json.dumps({"id": None, "rejected": UNUSABLE, "line": answer.line})
    what = {
        "id": answer.id,
        "normalized": one.normalized,
        "digests": one.digests,
        "encoded": one.encoded,
        "rejected": one.refused and one.refused.value,
    }
    return json.dumps(what, ensure_ascii=False)


def _answer(lines: list[tuple[int, str | bytes]]) -> list[Answer]:
    read = [(number, read_object(text)) for number, text in lines]
    records = [(number, record) for number, record in read if record is not None and "id" in record]
    asked = [
        Request(record.get("destination"), record.get("field"), record.get("value"), record.get("region"))
        for _, record in records
    ]
    found = {number: Answer(number, r["id"], one) for (number, r), one in zip(records, identify(asked), strict=True)}
    return [found.get(number, Answer(number)) for number, _ in lines]
