"""
Reading ahead: while one piece of work is done, the next one's rows are read.

The database and this process take turns otherwise, and either is idle half of the time.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """
    The same items; one is made in a thread of its own while the one before it is used.

    Never more than one: whoever makes them faster than they are used waits, so that two are in memory and no third.

    Args:
        items: A generator. All of it, its connections and its clean-up included, happens in the one thread.

    Raises:
        Whatever `items` raises, when its turn has come.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        try:
            coming = thread.submit(_next, items)
            while (found := coming.result()) is not None:
                coming = thread.submit(_next, items)
                yield found[0]
                # Nothing here holds what has been used while the one after it is waited for.
                del found
        finally:
            thread.submit(items.close).result()


def _next(items: Iterator[T]) -> tuple[T] | None:
    for item in items:
        return (item,)
    return None
