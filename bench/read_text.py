"""
One reader of texts in a process of its own: the redaction, or a limit it cannot beat.

    python -m bench.read_text redaction|sudachi|characters

JSON lines ``{"id", "text"}`` in, ``{"id", "cpu_s"}`` out, one by one; `bench.naive_text` speaks the same.
"""

import json
import sys
import time
from collections.abc import Callable


def redaction() -> Callable[[str], object]:
    """The project's, each text by itself."""
    from anonymizers.text.redaction import redact

    return redact


def sudachi() -> Callable[[str], object]:
    """Words and their parts of speech alone: what any redaction that knows names has to read first."""
    from anonymizers.text.tokenizer import tokenize

    return lambda text: [word.kind for word in tokenize(text)]


def characters() -> Callable[[str], object]:
    """Each character looked at once by an interpreter's loop."""
    return lambda text: sum(map(ord, text))


READERS = {reader.__name__: reader for reader in (redaction, sudachi, characters)}


def main() -> None:
    """Read what comes, until nothing more comes."""
    read = READERS[sys.argv[1]]()
    for line in sys.stdin:
        post = json.loads(line)
        started = time.process_time()
        read(post["text"])
        used = time.process_time() - started
        print(json.dumps({"id": post["id"], "cpu_s": used}), flush=True)


if __name__ == "__main__":
    main()
