"""`sudare redact`: JSON lines in, redacted JSON lines out."""

import json
from collections.abc import Iterable, Iterator

from anonymizers.errors import ValueUnfit


def redact_lines(lines: Iterable[str]) -> Iterator[str]:
    """
    Redact one posting a line.

    Args:
        lines: ``{"id", "text", "names"?}`` each; blank lines are skipped.

    Yields:
        ``{"id", "text", "spans": [{"start", "end", "label"}]}``, offsets in code points of the
        text given; or ``{"id", "refused": reason}`` where the text cannot be treated.

    Raises:
        ValueUnfit: a line is not such a document. Its number is named, never its content.
    """
    from anonymizers.text.redaction import RedactionRefused, redact

    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        posting = _parse(line, number)
        try:
            redacted = redact(posting["text"], posting.get("names") or ())
            told = {
                "text": redacted.text,
                "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in redacted.spans],
            }
        except RedactionRefused as refused:
            told = {"refused": refused.reason}
        yield json.dumps({"id": posting["id"], **told}, ensure_ascii=False)


def _parse(line: str, number: int) -> dict:
    try:
        posting = json.loads(line)
    except ValueError:
        posting = None
    if not isinstance(posting, dict) or "id" not in posting or not isinstance(posting.get("text"), str):
        raise ValueUnfit(f'line {number} is no JSON object with "id" and a text "text"')
    return posting
