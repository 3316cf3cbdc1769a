"""
E-mail addresses: what members own, and what they type.

Nobody real may be behind an address. Half of the domains are reserved for examples; at
real providers the local part is one the provider does not hand out where that is known
(an underscore at Gmail, a hyphen at Yahoo! JAPAN) and carries the member's number
everywhere.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sudare.demo import names
from sudare.demo.columns import by_form, constant, full_width, join, numbers, pick
from sudare.demo.plan import Plan
from sudare.demo.traits import EMAIL_FORMS, OWN_FORMS, STATUSES, email_form, opt_out_shape, status

_DOMAINS: tuple[tuple[int, str], ...] = (
    (230, "gmail.com"),
    (10, "googlemail.com"),
    (130, "yahoo.co.jp"),
    (80, "icloud.com"),
    (80, "docomo.ne.jp"),
    (40, "ezweb.ne.jp"),
    (25, "au.com"),
    (30, "softbank.ne.jp"),
    (15, "i.softbank.jp"),
    (10, "ymobile.ne.jp"),
    (20, "outlook.jp"),
    (20, "hotmail.co.jp"),
    (100, "example.jp"),
    (80, "example.com"),
    (60, "example.ne.jp"),
    (60, "mail.example.jp"),
    (10, "ikuji.example"),
)

_GMAIL = (0, 1)
_CARRIERS = (4, 5)

_FORM_NAMES = tuple(name for _, name in EMAIL_FORMS)
_FIRST_OWN, _LAST_OWN = _FORM_NAMES.index(OWN_FORMS[0]), _FORM_NAMES.index(OWN_FORMS[-1])

_BACK = 60
"""How many earlier members a re-registration looks through for a departed one."""


def address(plan: Plan, ids: np.ndarray, version: str = "") -> pa.Array:
    """Each member's own address in canonical form; ``version`` names a later one."""
    draws = plan.draws
    domain = draws.weighted(f"domain{version}", ids, [weight for weight, _ in _DOMAINS])
    male = names.is_male(draws, ids)
    given, family = names.given(draws, ids, male, 2), names.surname(draws, ids, 2)
    number = join(numbers(ids), version)
    mark = pc.if_else(pa.array(np.isin(domain, _GMAIL)), "_", "-")

    def cut(*parts: pa.Array | str):
        return lambda rows: join(*(part if isinstance(part, str) else part.take(pa.array(rows)) for part in parts))

    makers = (
        cut(given, ".", family, mark, number),
        cut(given, mark, number),
        cut(family, mark, given, number),
        cut(given, "mama", mark, number),
        cut(family, ".", given, ".", mark, number, "+ikuji"),
        cut(given, "..", family, mark, number),
        cut(".", given, mark, number),
        cut(given, mark, number, "."),
    )
    form = draws.weighted(f"local part{version}", ids, (40, 25, 15, 15, 5))
    old_carrier = np.isin(domain, _CARRIERS) & draws.chance(f"old carrier{version}", ids, 250)
    form = np.where(old_carrier, 5 + draws.below(f"carrier form{version}", ids, 3), form)
    return join(by_form(form, makers), "@", pick(tuple(name for _, name in _DOMAINS), domain))


def typed(address: pa.Array, form: np.ndarray) -> pa.Array:
    """Addresses as they are typed; ``form`` indexes `OWN_FORMS`."""

    def of(change):
        return lambda rows: change(address.take(pa.array(rows)))

    makers = {
        "plain": of(lambda a: a),
        "capital": of(pc.utf8_capitalize),
        "upper": of(pc.utf8_upper),
        "full width": of(full_width),
        "full-width at": of(lambda a: pc.replace_substring(a, "@", "＠")),
        "leading space": of(lambda a: join(" ", a)),
        "ideographic space": of(lambda a: join(a, "\u3000")),
        "zero width": of(lambda a: pc.replace_substring(a, "@", "\u200b@")),
        "byte order mark": of(lambda a: join("\ufeff", a)),
        "line end": of(lambda a: join(a, "\r\n")),
        "no-break space": of(lambda a: join("\u00a0", a)),
        "full-width dot": of(lambda a: pc.replace_substring(pc.replace_substring(a, ".", "．"), "．jp", "。jp")),
        "odd hyphen": of(lambda a: pc.replace_substring(a, "-", "\u2011")),
    }
    return by_form(form, [makers[name] for name in OWN_FORMS])


def emails(plan: Plan, ids: np.ndarray) -> pa.Array:
    """What stands in members.email on the base day."""
    form = email_form(plan, ids)
    owner = owners(plan, ids)
    borrowed = form > _LAST_OWN
    retyped = plan.draws.weighted("retyped", ids, _RETYPED_WEIGHTS)
    own_form = np.where(borrowed, retyped, np.clip(form - _FIRST_OWN, 0, len(OWN_FORMS) - 1))
    real = address(plan, owner)

    def unreal(rows: np.ndarray) -> pa.Array:
        return _unreal(plan, ids[rows], form[rows])

    def real_typed(rows: np.ndarray) -> pa.Array:
        return typed(real.take(pa.array(rows)), own_form[rows])

    return by_form(np.where(form < _FIRST_OWN, 0, 1), (unreal, real_typed))


_RETYPED_WEIGHTS = (6, 3, 2, 1, 2, 1, 1, 0, 0, 0, 0, 0, 0)


def owners(plan: Plan, ids: np.ndarray) -> np.ndarray:
    """Whose address each member gives: mostly their own."""
    form = email_form(plan, ids)
    family = form == _FORM_NAMES.index("family")
    before = np.maximum(1, ids - 1 - plan.draws.below("family", ids, 2))
    own = email_form(plan, before)
    family &= (own >= _FIRST_OWN) & (own <= _LAST_OWN)
    owner = np.where(family, before, ids)
    again = np.flatnonzero(form == _FORM_NAMES.index("again"))
    owner[again] = _departed_before(plan, ids[again])
    return owner


def _departed_before(plan: Plan, ids: np.ndarray) -> np.ndarray:
    """The nearest earlier member who left or opted out and owned an address; else the member."""
    found = ids.copy()
    withdrawn = [name for _, name in STATUSES].index("withdrawn")
    for back in range(1, _BACK):
        earlier = np.maximum(1, ids - back)
        form = email_form(plan, earlier)
        gone = (status(plan, earlier) == withdrawn) | (opt_out_shape(plan, earlier) > 0)
        fits = (found == ids) & gone & (form >= _FIRST_OWN) & (form <= _LAST_OWN)
        found = np.where(fits, earlier, found)
    return found


def retyped(plan: Plan, ids: np.ndarray) -> pa.Array:
    """The address each member is known by, as somebody types it elsewhere."""
    return typed(address(plan, owners(plan, ids)), plan.draws.weighted("typed elsewhere", ids, _RETYPED_WEIGHTS))


def _unreal(plan: Plan, ids: np.ndarray, form: np.ndarray) -> pa.Array:
    def one_of(pool: tuple[str, ...]):
        return lambda rows: pick(pool, plan.draws.below("unreal e-mail", ids[rows], len(pool)))

    makers = (
        lambda rows: constant(None, len(rows)),
        lambda rows: constant("", len(rows)),
        one_of((" ", "\u3000", "  \u3000", "\t")),
        one_of(
            ("none", "test@test", "なし", "test@example.com", "xxx", "-", "aaa@aaa", "ないです", "dummy@dummy.example")
        ),
        one_of(("hanako@", "@docomo.ne.jp", "mama example.jp", "a@b@example.jp", "ママ@example", "haruka.example.jp")),
    )
    return by_form(form, makers)
