"""
LiveRamp, the partner that the privacy policy names (4-4): a file of e-mail digests for ATS-style matching.

Japanese telephone numbers are not sent: no rule is published for them (the page and the ATS API speak of
numbers of the United States), and whoever has a digest tries all numbers. Hashed names and addresses are not
accepted. The ATS API digests an address as the file does, so it is an alias and no destination of its own.
"""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

DESTINATION = Destination(
    name="liveramp",
    title="LiveRamp ATS",
    recipient=Recipient(name="LiveRamp Japan株式会社", country="JP", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("EMAIL1_SHA-256", Digest.SHA256), ("EMAIL1_SHA-1", Digest.SHA1), ("EMAIL1_MD5", Digest.MD5)),
    removal=Removal(
        method=Method.OPT_OUT_FILE,
        columns=(("md5_hash", Digest.MD5), ("sha1_hash", Digest.SHA1), ("sha256_hash", Digest.SHA256)),
        flag=("opted-out", "1"),
        form=FileForm(extension="psv", delimiter="|", quoting=Quoting.NEVER),
    ),
    fields=(
        ("phone", "phone_us_sha1"),
        ("aaid", "device_lower_sha1"),
        ("idfa", "device_upper_sha1"),
        ("csv_quoting", "csv_value"),
    ),
    aliases=("liveramp ats", "ats"),
    prohibited=(
        "government identifiers and account numbers",
        "a full date of birth, or parts that rebuild it",
        "health, sexual orientation, religion, biometrics",
        "anything about a person known to be under 16 (18 in one version of the page)",
        "hashed names and postal addresses",
    ),
    unconfirmed=(
        "the opt-out pages are written for the CCPA: that LiveRamp Japan takes the same file, and how fast, in writing",
        "worked digests of its own (the page has a heading for them and shows none)",
    ),
    opt_out_list="liveramp",
    age_floor=18,
    rows_floor=25,
    rule_id="liveramp-file/2026-11-23",
    sources=(
        "https://docs.liveramp.com/connect/en/hashing-identifiers.html",
        "https://docs.liveramp.com/connect/en/formatting-column-based-files.html",
        "https://docs.liveramp.com/connect/en/for-match-partners--uploading-consumer-opt-out-files.html",
        "https://docs.liveramp.com/connect/en/liveramp-data-restrictions.html",
        "https://developers.liveramp.com/authenticatedtraffic-api/docs/about-the-ats-api",
        "https://docs.liveramp.com/privacy-manager/en/"
        "asia-pacific-publisher-recommendations-for-privacy-and-data-ethics-review.html",
    ),
    read_on="2026-11-23",
    example=(
        ("MyName@liveramp.com ", "myname@liveramp.com"),
        ("\u3000ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｊｐ", "hanako@example.jp"),
        ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("ha\u200bnako@example.jp", "hanako@example.jp"),
        ("なし", None),
        ("test@test", None),
        ("", None),
        ("hana ko@example.jp", "hanako@example.jp"),
        ("a@b@example.jp", None),
        ("0a" * 32, None),
    ),
)
