"""
The redaction most people would write first: Presidio as its documentation sets it up, with GiNZA for Japanese.

JSON lines ``{"id", "text"}`` in, ``{"id", "text", "spans", "cpu_s"}`` out, one by one; CPU seconds are of analysis and
anonymisation alone. It runs in an environment of its own (`bench.text.RIVAL`): GiNZA is nothing the product needs.
What it finds can be scored: ``python -m bench.quality --predictions FILE``.
"""

import json
import logging
import sys
import time

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_anonymizer import AnonymizerEngine

# GiNZA names entities by Sekine's hierarchy; unmapped, Presidio would see none of them.
CONFIGURATION = {
    "nlp_engine_name": "spacy",
    "models": [{"lang_code": "ja", "model_name": "ja_ginza"}],
    "ner_model_configuration": {
        "model_to_presidio_entity_mapping": {
            "Person": "PERSON",
            "City": "LOCATION",
            "GPE": "LOCATION",
            "Province": "LOCATION",
            "School": "ORGANIZATION",
        },
        "labels_to_ignore": [],
    },
}


def main() -> None:
    """Redact what comes, until nothing more comes."""
    # It asks the network for the list of public suffixes and, without one, reads the list it came with.
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    nlp = NlpEngineProvider(nlp_configuration=CONFIGURATION).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=nlp, supported_languages=["ja"])
    anonymizer = AnonymizerEngine()
    for line in sys.stdin:
        post = json.loads(line)
        started = time.process_time()
        found = analyzer.analyze(post["text"], language="ja") if post["text"].strip() else []
        text = anonymizer.anonymize(post["text"], found).text
        used = time.process_time() - started
        spans = [{"start": one.start, "end": one.end, "label": one.entity_type} for one in found]
        print(json.dumps({"id": post["id"], "text": text, "spans": spans, "cpu_s": used}), flush=True)


if __name__ == "__main__":
    main()
