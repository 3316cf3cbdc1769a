"""
The adversaries of the published tables: who they are, what they know, and how often they are right.

    python -m attacks            all of it, 60 nights, and the report that the gate asks for
    python -m attacks --short    a small world, for the tests

Each attack runs against the project's own protection, on the project's own tables and code, and against known-bad
ones, which must fall: an attack that stopped working would otherwise look like a protection that works.
"""
