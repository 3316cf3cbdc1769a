"""The rows of members."""

import datetime

import numpy as np
import pyarrow as pa

from sudare.demo import canaries, names, phones, places
from sudare.demo.columns import (
    by_form,
    dates,
    hexadecimal,
    instants,
    join,
    null_where,
    numbers,
    pick,
    replace_rows,
    whole,
)
from sudare.demo.emails import emails
from sudare.demo.plan import SECOND, Plan, epoch_day
from sudare.demo.traits import STATUSES, status

_AGE_WEIGHTS = (
    *(1, 2, 4, 8, 12, 16, 22, 30, 40, 55, 70, 85),  # 16 to 27
    *(100, 112, 120, 126, 130, 130, 128, 124, 118, 112, 106, 98, 90, 82, 74),  # 28 to 42
    *(60, 50, 42, 35, 29, 24, 20, 16, 13, 10, 8, 7, 6, 5, 4, 3, 3, 2),  # 43 to 60
)
"""Members by age in whole years, from 16."""

_FIRST_BIRTHDAY_ID = 10

USER_AGENTS: tuple[str, ...] = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/129.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; SO-51C) AppleWebKit/537.36 Chrome/128.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
    "MamaApp/4.2.1 (iOS 17.6; ja_JP)",
    "MamaApp/4.1.0 (Android 12; ja_JP)",
)
"""What browsers and the site's app say they are."""


def member_rows(plan: Plan, ids: np.ndarray, now: int) -> pa.Table:
    """The members ``ids`` as they stand at ``now``, in microseconds."""
    draws, gone = plan.draws, status(plan, ids)
    joined = plan.registered_at(ids)
    alive_s = np.maximum((now - joined) // SECOND, 1)
    left = joined + draws.below("left", ids, alive_s) * SECOND
    withdrawn = gone == _WITHDRAWN
    changed = np.where(withdrawn, left, joined + draws.below("changed", ids, alive_s) * SECOND)
    last_seen = joined + draws.below("seen", ids, np.where(withdrawn, (left - joined) // SECOND + 1, alive_s)) * SECOND
    verified = joined + draws.below("verified", ids, np.minimum(86_400, alive_s)) * SECOND
    home, male = places.homes(draws, ids), names.is_male(draws, ids)
    gap = draws.weighted("name gap", ids, (5, 4, 2))
    kana = join(names.surname(draws, ids, 1), pick(("", " ", "\u3000"), gap), names.given(draws, ids, male, 1))
    rows = {
        "member_id": whole(ids),
        "email": emails(plan, ids),
        "email_verified_at": instants(verified, draws.chance("unverified", ids, 110)),
        "password_hash": _password_hash(plan, ids),
        "full_name": null_where(draws.chance("no name", ids, 30), names.full_name(draws, ids)),
        "full_name_kana": null_where(draws.chance("no kana", ids, 60), kana),
        "nickname": null_where(draws.chance("no nickname", ids, 20), names.nickname(draws, ids)),
        "phone": null_where(
            draws.chance("no phone", ids, 200), phones.typed_phone(draws, "phone", ids, phones.MEMBER_FORMS)
        ),
        "postal_code": home.postal_code,
        "prefecture_code": home.prefecture_code,
        "municipality_code": home.municipality_code,
        "address_line": home.address_line,
        "birth_date": _birth_dates(plan, ids),
        "gender": pick(names.GENDERS, draws.weighted("gender", ids, names.GENDER_WEIGHTS)),
        "registered_at": instants(joined),
        "updated_at": instants(changed),
        "last_login_at": instants(last_seen, draws.chance("never seen", ids, 50)),
        "last_ip": null_where(draws.chance("no IP", ids, 50), addresses(plan, "last IP", ids)),
        "user_agent": pick(USER_AGENTS, draws.below("user agent", ids, len(USER_AGENTS))),
        "status": pick(tuple(name for _, name in STATUSES), gone),
        "withdrawn_at": instants(left, ~withdrawn),
    }
    return pa.table(_with_canaries(plan, ids, rows))


_WITHDRAWN = [name for _, name in STATUSES].index("withdrawn")


def _password_hash(plan: Plan, ids: np.ndarray) -> pa.Array:
    words = (hexadecimal(plan.draws.bits(f"password {part}", ids)) for part in range(3))
    return join("$2b$12$", *words, "aBcDe")


def addresses(plan: Plan, stream: str, ids: np.ndarray) -> pa.Array:
    """IP addresses from the ranges kept for documentation; none of them is a canary's."""
    last = plan.draws.below(f"{stream} last", ids, 253) + 1
    last = numbers(last + (last >= int(canaries.CANARY_IP.rpartition(".")[2])))

    def under(prefix: str):
        return lambda rows: join(prefix, last.take(pa.array(rows)))

    makers = (under("203.0.113."), under("198.51.100."), under("192.0.2."), under("2001:db8::"))
    return by_form(plan.draws.weighted(f"{stream} net", ids, (40, 35, 20, 5)), makers)


def _birth_dates(plan: Plan, ids: np.ndarray) -> pa.Array:
    today = np.datetime64(plan.base)
    age = 16 + plan.draws.weighted("age", ids, _AGE_WEIGHTS)
    birthday = today - (age * 365 + age // 4).astype("timedelta64[D]")
    born = (birthday - plan.draws.below("birthday", ids, 365).astype("timedelta64[D]")).astype(np.int64)
    missing = plan.draws.chance("no birth date", ids, 60)
    special = _special_birth_dates(plan.base)
    walk = ids - _FIRST_BIRTHDAY_ID
    planned = (walk >= 0) & (walk < 2 * len(special))
    born = np.where(planned, np.asarray([epoch_day(day) for day in special])[walk % len(special)], born)
    return dates(born, missing & ~planned)


def years_before(day: datetime.date, years: int) -> datetime.date:
    """The same day ``years`` earlier; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return datetime.date(day.year - years, 3, 1)


def _special_birth_dates(base: datetime.date) -> tuple[datetime.date, ...]:
    tomorrow = base + datetime.timedelta(days=1)
    leap_years = [year for year in range(base.year - 45, base.year - 20) if year % 4 == 0]
    return (
        years_before(base, 18),
        years_before(tomorrow, 18),
        years_before(base, 17),
        years_before(base, 16),
        datetime.date(leap_years[0], 2, 29),
        datetime.date(leap_years[-1], 2, 29),
        datetime.date(base.year - 18 - (base.year - 18) % 4, 2, 29),
    )


def _with_canaries(plan: Plan, ids: np.ndarray, rows: dict[str, pa.Array]) -> dict[str, pa.Array]:
    planted = np.flatnonzero(np.isin(ids, canaries.canary_ids(plan.members)))
    numbers_here = np.searchsorted(canaries.canary_ids(plan.members), ids[planted])
    who = [canaries.CANARIES[number] for number in numbers_here]
    joined = rows["registered_at"].take(pa.array(planted)).to_pylist()
    values: dict[str, list[object]] = {
        "email": [canary.email for canary in who],
        "email_verified_at": joined,
        "full_name": [canaries.FULL_NAMES[c.number % len(canaries.FULL_NAMES)] for c in who],
        "full_name_kana": ["CANARYハナコ" for _ in who],
        "nickname": [canary.nickname for canary in who],
        "phone": [canary.phone for canary in who],
        "address_line": [canaries.ADDRESSES[c.number % len(canaries.ADDRESSES)] for c in who],
        "birth_date": [datetime.date(plan.base.year - 25 - c.number, 5, 15) for c in who],
        "gender": ["female" for _ in who],
        "last_ip": [canaries.CANARY_IP for _ in who],
    }
    return rows | {name: replace_rows(rows[name], planted, column) for name, column in values.items()}
