"""Agreements: without one nothing is provided, and nothing in one is guessed."""

import dataclasses

import pytest

from anonymizers.errors import DestinationRefused, SettingRefused
from delivery.agreements import Agreement, Login, credential_variables, read_agreements, read_login
from delivery.destinations import destinations
from delivery.destinations.liveramp import DESTINATION

WHOLE = Agreement(
    destination="liveramp", recipient_address="a town", recipient_representative="somebody", confirmed="by mail"
)
ABROAD = next(d for d in destinations().values() if d.recipient.needs_basis)


def test_without_a_file_nobody_is_provided_to():
    assert read_agreements({}) == {}


def test_a_file_holds_a_table_a_destination(tmp_path):
    (tmp_path / "a.toml").write_text('[liveramp]\nsend_to = "s3://bucket/x"\nrecipient_address = "東京都"\n')
    found = read_agreements({"SUDARE_AGREEMENTS": str(tmp_path / "a.toml")})
    assert found == {"liveramp": Agreement(destination="liveramp", send_to="s3://bucket/x", recipient_address="東京都")}


REFUSED = {
    "no such file": None,
    "no TOML": "[liveramp",
    "no such destination": "[nobody]",
    "an unknown key": '[liveramp]\npassword = "x"',
    "not a text": "[liveramp]\nconfirmed = true",
    "not a table": 'liveramp = "x"',
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_no_agreement_is_refused(content, tmp_path):
    if content is not None:
        (tmp_path / "a.toml").write_text(content)
    with pytest.raises(SettingRefused, match=r"^SUDARE_AGREEMENTS: "):
        read_agreements({"SUDARE_AGREEMENTS": str(tmp_path / "a.toml")})


def test_what_was_arranged_is_enough():
    WHOLE.require_usable(DESTINATION)
    sealed = {"public_key": "k", "fingerprint": "f", "host_key": "h"}
    dataclasses.replace(WHOLE, send_to="sftp://x/y", **sealed).require_usable(DESTINATION)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"recipient_address": ""}, "'recipient_address'"),
        ({"recipient_representative": ""}, "'recipient_representative'"),
        ({"confirmed": ""}, "'confirmed'"),
        ({"public_key": "k"}, "both or neither"),
        ({"fingerprint": "f"}, "both or neither"),
        ({"send_to": "sftp://x/y", "public_key": "k", "fingerprint": "f"}, "'host_key'"),
        ({"send_to": "s3://x/y"}, "'fingerprint'"),
        ({"send_to": "SFTP://x/y"}, "'fingerprint'"),
        ({"removals_to": "sftp://x/y"}, "'fingerprint'"),
        ({"send_to": "s3://x/y", "public_key": "k", "fingerprint": "f"}, "'removals_to'"),
        ({"send_to": "/a/b", "removals_to": "/a/b/"}, "another 'removals_to'"),
        ({"send_to": "sftp://x/y", "removals_to": "SFTP://X:22/y/"}, "another 'removals_to'"),
    ],
)
def test_what_is_missing_is_named(changes, missing):
    with pytest.raises(DestinationRefused, match=r"^liveramp: the agreement lacks ") as refused:
        dataclasses.replace(WHOLE, **changes).require_usable(DESTINATION)
    assert missing in str(refused.value)
    assert refused.value.exit_status == 53


def test_abroad_needs_a_basis():
    agreement = dataclasses.replace(WHOLE, destination=ABROAD.name)
    with pytest.raises(DestinationRefused, match=r"28条"):
        agreement.require_usable(ABROAD)
    dataclasses.replace(agreement, article_28_basis="本人の同意").require_usable(ABROAD)


def test_a_login_shows_nothing():
    names = credential_variables("yahoo_japan")
    assert names == ("SUDARE_YAHOO_JAPAN_LOGIN", "SUDARE_YAHOO_JAPAN_PASSWORD", "SUDARE_YAHOO_JAPAN_PRIVATE_KEY")
    login = read_login("yahoo_japan", dict.fromkeys(names, "canary"))
    assert login == Login("canary", "canary", "canary")
    assert "canary" not in repr(login)
