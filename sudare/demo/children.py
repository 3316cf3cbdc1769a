"""The rows of children."""

import numpy as np
import pyarrow as pa

from sudare.demo import canaries, names
from sudare.demo.columns import dates, instants, join, null_where, pick, replace_rows, whole
from sudare.demo.plan import DAY, HOUR, SECOND, Plan

_COUNT_WEIGHTS = (150, 380, 320, 120, 30)
"""Born children per member, from none to four."""

MOST = 8
"""Row keys are member * MOST + place; the last place is the child that is expected."""

_EXPECTED, _UNKNOWN = MOST - 1, MOST - 2
"""Places of an expected child, and of a row nobody finished."""


def child_nickname(plan: Plan, keys: np.ndarray) -> pa.Array:
    """What the child ``keys`` (member * MOST + place) is called at home."""
    return pick(names.CHILDREN, plan.draws.below("child nickname", keys, len(names.CHILDREN)))


def _places(plan: Plan, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's member and place."""
    born = plan.draws.weighted("children", members, _COUNT_WEIGHTS)
    expecting = plan.draws.chance("expecting", members, 60) | (members == 5)
    unknown = plan.draws.chance("unfinished child", members, 8) | (members == 6)
    planted = np.isin(members, canaries.canary_ids(plan.members))
    born = np.where(planted, np.maximum(born, 1), born)
    wanted = np.stack([*(born > place for place in range(4)), unknown, expecting])
    place_of = np.array([0, 1, 2, 3, _UNKNOWN, _EXPECTED])
    member, place = np.nonzero(wanted.T)
    return members[member], place_of[place]


def child_rows(plan: Plan, members: np.ndarray, first_id: int, now: int) -> pa.Table:
    """The children of ``members`` at ``now``, numbered from ``first_id``."""
    draws = plan.draws
    member, place = _places(plan, members)
    keys = member * MOST + place
    today = (now + 9 * HOUR) // DAY - 1
    expected, unknown = place == _EXPECTED, place == _UNKNOWN
    born = today - draws.below("child age", keys, 18 * 365)
    due = today - 5 + draws.below("due", keys, 275)
    known_day = ~expected & ~unknown
    joined = plan.registered_at(member)
    changed = joined + draws.below("child changed", keys, np.maximum((now - joined) // SECOND, 1)) * SECOND
    gender = pick(("female", "male", None), draws.weighted("child gender", keys, (47, 47, 6)))
    rows = {
        "child_id": whole(first_id + np.arange(len(keys))),
        "member_id": whole(member),
        "nickname": null_where(expected & draws.chance("unnamed", keys, 700), child_nickname(plan, keys)),
        "birth_date": dates(born, ~known_day),
        "due_date": dates(due, ~expected),
        "gender": null_where(expected, gender),
        "nursery_or_school": null_where(
            ~known_day | draws.chance("no school", keys, 550), facility(plan, "school", keys)
        ),
        "medical_note": null_where(draws.chance("no note", keys, 900), _note(plan, keys)),
        "updated_at": instants(changed),
    }
    return pa.table(_with_canaries(plan, member, place, rows))


def _note(plan: Plan, keys: np.ndarray) -> pa.Array:
    return pick(_NOTES, plan.draws.below("note", keys, len(_NOTES)))


def facility(plan: Plan, stream: str, keys: np.ndarray, kinds: tuple[str, ...] | None = None) -> pa.Array:
    """A made-up nursery, school or, as ``kinds`` say, clinic."""
    kinds = kinds or SCHOOLS
    place = pick(_FACILITY_NAMES, plan.draws.below(f"{stream} name", keys, len(_FACILITY_NAMES)))
    return join(place, pick(kinds, plan.draws.below(f"{stream} kind", keys, len(kinds))))


def _with_canaries(plan: Plan, member: np.ndarray, place: np.ndarray, rows: dict[str, pa.Array]) -> dict[str, pa.Array]:
    ids = canaries.canary_ids(plan.members)
    planted = np.flatnonzero(np.isin(member, ids) & (place < 4))
    number = np.searchsorted(ids, member[planted])

    def cycle(pool: tuple[str, ...]) -> list[str]:
        return [pool[n % len(pool)] for n in number]

    values = {
        "nickname": cycle(canaries.CHILD_NICKNAMES),
        "nursery_or_school": cycle(canaries.FACILITIES),
        "medical_note": cycle((canaries.MEDICAL_NOTE,)),
    }
    return rows | {name: replace_rows(rows[name], planted, column) for name, column in values.items()}


def born_on(plan: Plan, child_ids: np.ndarray, due_days: np.ndarray) -> np.ndarray:
    """The day each expected child is born: from two weeks before the due date to ten days after."""
    return due_days - 14 + plan.draws.below("born on", child_ids, 25)


SCHOOLS: tuple[str, ...] = ("保育園", "幼稚園", "こども園", "小学校", "第二小学校", "中学校", "保育所")

CLINICS: tuple[str, ...] = (
    "クリニック",
    "小児科",
    "産婦人科",
    "レディースクリニック",
    "総合病院",
    "こども病院",
    "助産院",
)

_FACILITY_NAMES = (
    *(
        "さくら",
        "ひまわり",
        "たんぽぽ",
        "みどり",
        "あおぞら",
        "つくし",
        "すみれ",
        "ひかり",
        "ほしのこ",
        "めばえ",
        "若葉",
        "青葉",
    ),
    *(
        "緑ヶ丘",
        "栄町",
        "中央",
        "東",
        "西原",
        "南台",
        "泉",
        "本町",
        "旭",
        "桜台",
        "富士見",
        "あさひ",
        "こばと",
        "どんぐりの森",
    ),
)

_NOTES = (
    "卵アレルギー",
    "乳アレルギー(加熱は可)",
    "喘息で吸入中",
    "熱性けいれんの既往あり",
    "低出生体重児",
    "アトピー。ステロイド使用",
    "発達外来に通院中",
    "川崎病の既往",
    "心室中隔欠損(経過観察)",
    "そばアレルギー",
    "斜視で眼科フォロー",
    "1型糖尿病",
)
