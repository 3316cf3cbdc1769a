"""Boards, threads, postings and what hangs on postings."""

import bisect
import datetime
import functools
import itertools
import math
import string
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sudare.demo import canaries, names
from sudare.demo.columns import (
    by_form,
    choose,
    hexadecimal,
    instants,
    join,
    null_where,
    pick,
    replace_rows,
    scatter,
    whole,
)
from sudare.demo.members import USER_AGENTS, addresses
from sudare.demo.mentions import mention_text
from sudare.demo.phrases import BOARDS, BREAKS, CLOSERS, FILLS, OPENERS, REMARKS, TITLES, TOPICS
from sudare.demo.plan import DAY, HOUR, SECOND, Plan, day_weights, midnight

_FILLS_PER_SENTENCE = 24


@dataclass(frozen=True, kw_only=True)
class Window:
    """A run of days and the postings and threads they bring."""

    plan: Plan
    first_day: datetime.date
    days: int
    first_posting: int
    postings: int
    elder_threads: int
    """Threads that stood before the window; their ids are 1 … this."""
    threads: int
    """New threads; their ids follow."""

    @property
    def end(self) -> int:
        """The end of the last day, in microseconds."""
        return midnight(self.first_day) + self.days * DAY

    @functools.cached_property
    def _steps(self) -> np.ndarray:
        days = (self.first_day + datetime.timedelta(days=n) for n in range(self.days))
        return np.concatenate([[0], np.cumsum(np.concatenate([day_weights(day) for day in days]) * HOUR)])

    def posted_at(self, offsets: np.ndarray) -> np.ndarray:
        """When the postings ``offsets`` (0 is the window's first) are made; increasing."""
        stride = int(self._steps[-1]) // self.postings
        jitter = self.plan.draws.unit("posted jitter", self.first_posting + offsets) * stride
        place = offsets * stride + jitter.astype(np.int64)
        hour = np.searchsorted(self._steps, place, side="right") - 1
        weight = (self._steps[hour + 1] - self._steps[hour]) // HOUR
        return midnight(self.first_day) + hour * HOUR + (place - self._steps[hour]) // weight

    def started_at(self, offsets: np.ndarray) -> np.ndarray:
        """When the new threads ``offsets`` are opened: a moment before a posting."""
        posted = self.posted_at(offsets * self.postings // self.threads)
        return np.maximum(posted - 30 * SECOND, midnight(self.first_day))

    def threads_before(self, offsets: np.ndarray) -> np.ndarray:
        """How many threads stand when the postings ``offsets`` are made."""
        return self.elder_threads + 1 + offsets * self.threads // self.postings

    @functools.cached_property
    def planted(self) -> np.ndarray:
        """Offsets of the canaries' postings: some on each of the last seven days, the last one always."""
        edges = [self._offset_at(self.end - back * DAY) for back in range(min(7, self.days), -1, -1)]
        spots = [low + (high - low) * np.arange(1, 6) // 6 for low, high in itertools.pairwise(edges)]
        return np.unique(np.clip(np.concatenate([*spots, [self.postings - 1]]), 0, self.postings - 1))

    def _offset_at(self, instant: int) -> int:
        return bisect.bisect_left(range(self.postings), instant, key=lambda n: int(self.posted_at(np.array([n]))[0]))


def board_rows() -> pa.Table:
    """Every board."""
    return pa.table(
        {
            "board_id": whole(np.arange(1, len(BOARDS) + 1)),
            "title": pa.array([board.title for board in BOARDS]),
            "category": pa.array([board.category for board in BOARDS]),
            "is_sensitive": pa.array([board.is_sensitive for board in BOARDS]),
        }
    )


@functools.cache
def _expanded(sentence: str) -> tuple[str, ...]:
    slots = [slot for _, slot, _, _ in string.Formatter().parse(sentence) if slot]
    fillings = itertools.product(*(FILLS[slot] for slot in slots))
    texts = [sentence.format(**dict(zip(slots, filling, strict=True))) for filling in fillings]
    return tuple(texts[:: max(1, len(texts) // _FILLS_PER_SENTENCE)][:_FILLS_PER_SENTENCE])


@functools.cache
def _pool(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """The sentences filled in; each sentence as often as any other."""
    return tuple(
        text
        for sentence in sentences
        for text in itertools.islice(itertools.cycle(_expanded(sentence)), _FILLS_PER_SENTENCE)
    )


def _from_topics(
    plan: Plan, stream: str, ids: np.ndarray, boards: np.ndarray, topics: dict[str, tuple[str, ...]]
) -> pa.Array:
    pools = [_pool(topics[board.topic]) for board in BOARDS]
    starts = np.concatenate([[0], np.cumsum([len(pool) for pool in pools])])
    sizes = starts[1:] - starts[:-1]
    place = starts[boards - 1] + plan.draws.below(stream, ids, sizes[boards - 1])
    return pick(tuple(itertools.chain(*pools)), place)


def thread_boards(plan: Plan, threads: np.ndarray) -> np.ndarray:
    """The board each thread stands on."""
    return 1 + plan.draws.weighted("board", threads, [board.weight for board in BOARDS])


def thread_rows(window: Window, ids: np.ndarray) -> pa.Table:
    """The threads ``ids``, elder or new."""
    plan, draws = window.plan, window.plan.draws
    elder = ids <= window.elder_threads
    before = midnight(window.first_day) - (window.elder_threads - ids + 1) * 6 * HOUR
    started = np.where(elder, before, window.started_at(np.maximum(ids - window.elder_threads - 1, 0)))
    boards = thread_boards(plan, ids)
    most = plan.registered_before(midnight(window.first_day))
    opener = 1 + draws.below("thread member", ids, max(1, most // 2))
    planted = np.flatnonzero(ids > window.elder_threads + window.threads - min(3, window.threads))
    # Opened by those who are named in the titles: of others' names the site knows only those who write in a thread.
    opener[planted] = canaries.canary_ids(plan.members)[ids[planted] % canaries.CANARY_COUNT]
    titles = [canaries.THREAD_TITLES[int(ids[row]) % len(canaries.THREAD_TITLES)] for row in planted]
    return pa.table(
        {
            "thread_id": whole(ids),
            "board_id": whole(boards),
            "member_id": whole(opener, draws.chance("thread anonymous", ids, 60)),
            "title": replace_rows(_from_topics(plan, "title", ids, boards, TITLES), planted, titles),
            "created_at": instants(started),
        }
    )


def author(plan: Plan, ids: np.ndarray, most: int) -> np.ndarray:
    """Who writes each posting, of the first ``most`` members: few write much."""
    share = plan.draws.unit("author", ids) + 0.08
    rank = ((share * share * share - 0.000512) / 1.2592 * most).astype(np.int64)
    return 1 + np.clip(rank, 0, most - 1) * _stride(most) % most


def _stride(most: int) -> int:
    """A step that visits every member once, so that the busy ones are spread over all ids."""
    return next(step for step in (7_368_787, 7_368_791, 1) if math.gcd(step, most) == 1)


def posting_rows(window: Window, offsets: np.ndarray, gone: np.ndarray) -> pa.Table:
    """
    The postings ``offsets`` of a window.

    Args:
        gone: Sorted ids of members who have left; they write no more.
    """
    plan, draws, ids = window.plan, window.plan.draws, window.first_posting + offsets
    posted = window.posted_at(offsets)
    standing = window.threads_before(offsets)
    share = draws.unit("thread", ids)
    thread = standing - (share * share * share * standing).astype(np.int64)
    member = author(plan, ids, plan.registered_before(midnight(window.first_day)))
    anonymous = draws.chance("anonymous", ids, 75) | _is_in(member, gone)
    edited = posted + (60 + draws.below("edited", ids, 7200)) * SECOND
    deleted = posted + (60 + draws.below("deleted", ids, 200_000)) * SECOND
    is_plain = _is_in(offsets, window.planted)
    rows = {
        "posting_id": whole(ids),
        "thread_id": whole(thread),
        "member_id": whole(member, anonymous),
        "display_name": _display_name(plan, ids, member, anonymous),
        "body": bodies(plan, ids, thread_boards(plan, thread), member),
        "image_url": null_where(~draws.chance("image", ids, 45), _image_url(plan, ids)),
        "posted_at": instants(posted),
        "edited_at": instants(edited, ~draws.chance("is edited", ids, 35) | (edited >= window.end) | is_plain),
        "deleted_at": instants(deleted, ~draws.chance("is deleted", ids, 25) | (deleted >= window.end) | is_plain),
    }
    return pa.table(_with_canaries(window, offsets, rows))


def _is_in(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), bool)
    return ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values


def bodies(plan: Plan, ids: np.ndarray, boards: np.ndarray, speakers: np.ndarray) -> pa.Array:
    """What each posting says."""
    draws = plan.draws

    def drawn(stream: str, pool: tuple[str, ...]) -> pa.Array:
        return pick(pool, draws.below(stream, ids, len(pool)))

    def topic(turn: int) -> pa.Array:
        return _from_topics(plan, f"sentence {turn}", ids, boards, TOPICS)

    more = choose(draws.chance("second sentence", ids, 750), join(drawn("break 2", BREAKS), topic(2)), "")
    yet_more = choose(draws.chance("third sentence", ids, 700), join(drawn("break 3", BREAKS), topic(3)), "")
    remark = choose(draws.chance("remark", ids, 900), drawn("remark text", _pool(REMARKS)), "")
    again = choose(draws.chance("second remark", ids, 750), drawn("remark text 2", _pool(REMARKS)), "")
    telling = np.flatnonzero(draws.chance("mention", ids, 80))
    mentions = scatter(len(ids), telling, join(mention_text(plan, ids[telling], speakers[telling]), "。"), "")
    return join(
        drawn("opener", OPENERS),
        topic(1),
        more,
        yet_more,
        drawn("break 1", BREAKS),
        mentions,
        remark,
        again,
        drawn("closer", CLOSERS),
    )


def _display_name(plan: Plan, ids: np.ndarray, member: np.ndarray, anonymous: np.ndarray) -> pa.Array:
    pool = ("匿名", "名無しママ", "通りすがり", None, "匿名さん", "トピ主", "にゃん")
    makers = (
        lambda rows: names.nickname(plan.draws, member[rows]),
        lambda rows: pick(pool, plan.draws.below("display name", ids[rows], len(pool))),
    )
    return by_form((anonymous | plan.draws.chance("other name", ids, 100)).astype(np.int64), makers)


def _image_url(plan: Plan, ids: np.ndarray) -> pa.Array:
    return join("https://img.example.jp/p/", hexadecimal(plan.draws.bits("image name", ids)), ".jpg")


def _with_canaries(window: Window, offsets: np.ndarray, rows: dict[str, pa.Array]) -> dict[str, pa.Array]:
    rows_here = np.flatnonzero(_is_in(offsets, window.planted))
    who = [canaries.CANARIES[int(offset) % canaries.CANARY_COUNT] for offset in offsets[rows_here]]
    member_ids = canaries.canary_ids(window.plan.members)
    turns = range(len(who))
    told = [(window.first_posting + int(offsets[row])) * 7 % len(canaries.BODIES) for row in rows_here]
    values: dict[str, list[object]] = {
        "member_id": [None if told[turn] == 8 else int(member_ids[who[turn].number]) for turn in turns],
        "display_name": [canary.nickname for canary in who],
        "body": [canaries.BODIES[told[turn]].format(n=who[turn].number) for turn in turns],
    }
    return rows | {name: replace_rows(rows[name], rows_here, column) for name, column in values.items()}


def access_log_rows(window: Window, offsets: np.ndarray, postings: pa.Table) -> pa.Table:
    """Where the postings ``offsets`` came from."""
    plan, ids = window.plan, window.first_posting + offsets
    posted = window.posted_at(offsets)
    planted = np.flatnonzero(_is_in(offsets, window.planted))
    ip = replace_rows(addresses(plan, "posting IP", ids), planted, [canaries.CANARY_IP] * len(planted))
    return pa.table(
        {
            "posting_id": whole(ids),
            "ip": ip,
            "port": whole(1024 + plan.draws.below("port", ids, 64_000), plan.draws.chance("no port", ids, 100)),
            "user_agent": pick(USER_AGENTS, plan.draws.below("posting agent", ids, len(USER_AGENTS))),
            "cookie_id": null_where(
                postings["member_id"].is_null().to_numpy(), hexadecimal(plan.draws.bits("cookie", ids))
            ),
            "accessed_at": instants(posted - plan.draws.below("access", ids, SECOND)),
        }
    )


def reaction_rows(window: Window, offsets: np.ndarray) -> pa.Table:
    """Who liked the postings ``offsets``: one or two members for a quarter of them."""
    plan, draws, ids = window.plan, window.plan.draws, window.first_posting + offsets
    most = plan.registered_before(midnight(window.first_day))
    liked = draws.chance("liked", ids, 250)
    twice = liked & draws.chance("liked twice", ids, 300) & (most > 1)
    fan = author(plan, ids + (1 << 40), most)
    posting = np.concatenate([ids[liked], ids[twice]])
    member = np.concatenate([fan[liked], fan[twice] % most + 1])
    offset = np.concatenate([offsets[liked], offsets[twice]])
    delay = draws.below("reaction", posting * 2 + (np.arange(len(posting)) >= liked.sum()), 86_400) * SECOND
    order = np.lexsort((member, posting))
    reacted = np.minimum(window.posted_at(offset) + delay, window.end - 1)
    return pa.table(
        {
            "posting_id": whole(posting[order]),
            "member_id": whole(member[order]),
            "reacted_at": instants(reacted[order]),
        }
    )
