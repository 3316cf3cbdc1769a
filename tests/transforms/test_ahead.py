"""Reading ahead: the same items, one ahead and never two, and nothing left open."""

import threading

import pytest

from transforms.ahead import ahead


class Made:
    """What was made until now, by which threads, and whether the maker's clean-up has run."""

    def __init__(self, items: int, breaks_at: int | None = None) -> None:
        self.items, self.breaks_at = items, breaks_at
        self.count, self.threads, self.closed = 0, set(), 0
        self.made = threading.Semaphore(0)

    def __call__(self):
        try:
            for number in range(self.items):
                self.threads.add(threading.get_ident())
                if number == self.breaks_at:
                    raise ValueError(f"at {number}")
                self.count += 1
                self.made.release()
                yield number
        finally:
            self.threads.add(threading.get_ident())
            self.closed += 1


@pytest.mark.parametrize("items", [0, 1, 2, 7])
def test_the_items_come_as_they_are(items):
    made = Made(items)
    assert list(ahead(made())) == list(range(items))
    assert made.closed == 1


def test_an_item_may_be_none():
    assert list(ahead(one for one in (None, 0, None))) == [None, 0, None]


def test_one_is_made_while_one_is_used_and_no_second():
    made = Made(5)
    for number in ahead(made()):
        for _ in range(2 if number == 0 else 1):
            if number + 1 < made.items:
                assert made.made.acquire(timeout=10)  # the next one is made meanwhile
        assert not made.made.acquire(timeout=0.05)  # and not the one after it
    assert len(made.threads) == 1 and threading.get_ident() not in made.threads


def test_what_the_maker_raises_comes_when_its_turn_has_come():
    made, used = Made(5, breaks_at=2), []
    with pytest.raises(ValueError, match="at 2"):
        used.extend(ahead(made()))
    assert (used, made.closed) == ([0, 1], 1)


def test_whoever_stops_early_leaves_nothing_open():
    made = Made(5)
    items = ahead(made())
    assert next(items) == 0
    items.close()
    assert made.closed == 1
    assert len(made.threads) == 1
