"""
The benchmark: the nightly pipeline beside the night most people would write first, on one database.

`python -m bench` runs both and compares time, memory and every output. Nothing of the
product imports this package.
"""
