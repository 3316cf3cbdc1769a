"""
Match keys: an address as typed, brought to the one form that a partner digests.

The digests are unkeyed, as partners demand; whoever holds a list of addresses can compute
them. They are personal data, and nothing here may be called anonymous.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import partial

import idna
import polars as pl
import polars_hash  # noqa: F401  registers the .chash and .nchash namespaces

from delivery.spec import Digest, EmailRule, Encoding

_WHITE = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Written out: what a backslash and an s mean differs between the two engines that read this."""

_UNSEEN = r"\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"

UNSEEN = f"[{_UNSEEN}]"
"""Zero-width characters, soft hyphens and direction marks: typed by accident, never part of anything."""

INVISIBLE = f"[{_WHITE}{_UNSEEN}]"
"""These and white space of every kind, which is no part of an address either."""


def _address(letters: str) -> str:
    """
    An address whose words are of these letters and digits.

    The local part has the signs of an atom (RFC 5322 3.2.3), and dots anywhere among them: carriers issued such
    addresses until 2009, and they are live. Quotes, commas and brackets are of a list or a display name.
    """
    label = f"[{letters}](?:[{letters}-]*[{letters}])?"
    return rf"^[{letters}!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{label}(?:\.{label})+$"


_ADDRESS = _address("a-z0-9")
_ADDRESS_IN_ANY_SCRIPT = _address(r"a-z0-9\x{80}-\x{10ffff}")

LONGEST = 254
"""Octets of an address (RFC 5321 4.5.3.1.3, as corrected by erratum 1690)."""

PLACEHOLDERS = (
    r"^(?:none|null|nil|na|n/a|no|nashi|test|dummy|sample|example|aaa+|xxx+|abc|user|mail|email|noreply|no-reply)@"
    r"(?:none|null|nil|na|test|dummy|sample|aaa+|xxx+|abc|mail|email|localhost)\."
)
"""Typed to get past a form; a digest of one would match strangers to each other."""

STRAY_DOTS = r"^\.|^[^@]*\.[.@]"
"""A dot that begins or ends the local part, or follows another."""

_INSTEAD = str.maketrans({"。": ".", **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")})
"""What a Japanese keyboard, or a word processor, writes for a dot and a hyphen and NFKC leaves as it is."""

_LONG_VOWEL_FOR_HYPHEN = re.compile(r"(?<=[a-z0-9])ー+(?=[a-z0-9])")
"""Among kana it is a letter, of a name such as サーバー.jp."""


def normalise(typed: pl.Expr, rule: EmailRule = EmailRule()) -> pl.Expr:
    """
    The form of an address that is digested.

    NFKC first, then lower case, then all white space and invisible characters out; then what the
    destination's rule asks for. Without one, dots and plus signs stay: LiveRamp folds no address, and a
    repaired carrier address would be another person's. A domain in another script becomes A-labels
    (UTS 46), the form in which mail servers know it; a local part in one is refused.

    Args:
        typed: Addresses as typed, shape (rows,).

        rule: What the destination wants changed or refused besides.

    Returns:
        Strings, shape (rows,); null where it is no address, a placeholder, or refused by the rule.

    Source:
        https://docs.liveramp.com/connect/en/hashing-identifiers.html, read 2026-11-23; each rule's in its destination.
    """
    # Most addresses are ASCII, which NFKC leaves alone.
    form = _by_rows(typed, lambda series: series.str.normalize("NFKC"), where=_beyond_ascii)
    form = form.str.to_lowercase().str.replace_all(INVISIBLE, "")
    # One chain, each step once: an expression that is named several times is computed as often.
    form = _by_rows(form, partial(_reread, any_script=rule.any_script), where=_beyond_ascii)
    form = _folded(form, rule)
    # What begins like a placeholder loses its local part, and so is no address; an address is ASCII, so its characters
    # are its octets.
    for unwanted in (PLACEHOLDERS, *((STRAY_DOTS,) if rule.strict_dots else ())):
        form = form.str.replace(unwanted, "@")
    pattern = _ADDRESS_IN_ANY_SCRIPT if rule.any_script else _ADDRESS
    return form.map_batches(partial(_only, pattern=pattern), return_dtype=pl.String, is_elementwise=True)


def _only(series: pl.Series, pattern: str) -> pl.Series:
    """What is an address, and no longer than one can be; whether it matches is found faster than what matches."""
    address = series.str.contains(pattern) & (series.str.len_chars() <= LONGEST)
    return series.set(~address.fill_null(False), None)


def digest(normalised: pl.Expr, algorithm: Digest, encoding: Encoding = Encoding.HEX) -> pl.Expr:
    """
    The digest of the UTF-8 bytes of each normalised address; null stays null.

    Hexadecimal is in lower case; base64 is of the digest's raw bytes, with padding.
    """
    if algorithm is Digest.SHA256:
        text = normalised.chash.sha2_256()
    else:
        text = normalised.nchash.sha1() if algorithm is Digest.SHA1 else normalised.nchash.md5()
    return text if encoding is Encoding.HEX else text.str.decode("hex").bin.encode("base64")


def _beyond_ascii(series: pl.Series) -> pl.Series:
    return series.str.len_bytes() != series.str.len_chars()


def _by_rows(form: pl.Expr, change: Callable, where: Callable) -> pl.Expr:
    """Change only some rows; ``change`` is of a series without nulls."""

    def changed(series: pl.Series) -> pl.Series:
        rows = where(series).fill_null(False).arg_true()
        # `scatter` writes into the series it is called on, and the caller's is not ours.
        return series.clone().scatter(rows, change(series.gather(rows))) if len(rows) else series

    return form.map_batches(changed, return_dtype=pl.String, is_elementwise=True)


def _reread(series: pl.Series, any_script: bool) -> pl.Series:
    read = _settled if any_script else _in_ascii
    return pl.Series(series.name, [read(text.translate(_INSTEAD)) for text in series], dtype=pl.String)


def _settled(text: str) -> str:
    """Until nothing changes: what an invisible character kept apart may compose, and have a lower case of its own."""
    while True:
        text = _LONG_VOWEL_FOR_HYPHEN.sub("-", text)
        again = re.sub(INVISIBLE, "", unicodedata.normalize("NFKC", text).lower()).translate(_INSTEAD)
        if again == text:
            return text
        text = again


def _in_ascii(text: str) -> str:
    """With a domain of A-labels, if it can be; else something that is no address, whatever a rule cuts off it."""
    local, _, domain = _LONG_VOWEL_FOR_HYPHEN.sub("-", text).rpartition("@")
    if not local.isascii() or len(domain) > LONGEST:
        return "@"
    if domain.isascii():
        return f"{local}@{domain}"
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except UnicodeError:  # idna's own errors are of this kind
        return "@"


def _folded(form: pl.Expr, rule: EmailRule) -> pl.Expr:
    """Without the dots and the suffix that the rule says mean nothing."""
    if "*" in rule.drop_suffix_at:
        form = form.str.replace(r"^([^@+]*)\+[^@]*@", "${1}@")
    elif rule.drop_suffix_at:
        form = form.str.replace(rf"^([^@+]*)\+[^@]*@({_any_of(rule.drop_suffix_at)})$", "${1}@${2}")
    if rule.drop_dots_at:
        pattern = rf"^[^@]*\.[^@]*@(?:{_any_of(rule.drop_dots_at)})$"
        form = _by_rows(form, _without_dots, where=lambda series: series.str.contains(pattern))
    return form


def _without_dots(series: pl.Series) -> pl.Series:
    local = series.str.extract(r"^([^@]*)", 1).str.replace_all(".", "", literal=True)
    return local + series.str.extract(r"(@.*)$", 1)


def _any_of(domains: tuple[str, ...]) -> str:
    return "|".join(re.escape(domain) for domain in domains)
