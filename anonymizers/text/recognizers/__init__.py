"""
One file per recogniser; what is in this folder is found and used, and there is no list to keep.

A file defines ``recognizer()``, giving a Presidio ``EntityRecognizer`` for language "ja" that reads
normalised text, and ``EXAMPLES``, a tuple of `anonymizers.text.patterns.Example`. Boundaries are written
as ASCII look-arounds: ``\\b`` sees no boundary between a kanji and a digit.
"""
