"""Settings: read once, refused by name, and no password shows."""

import pytest

from anonymizers.errors import KeyMissing, KeyTooShort, SettingRefused, ThresholdTooLow
from delivery.settings import home, read_settings

GOOD = {
    "SUDARE_SOURCE_URL": "postgresql://reader:canary-one@db/site",
    "SUDARE_WAREHOUSE_URL": "postgresql+psycopg://writer:canary-two@db/warehouse",
    "SUDARE_SECRET": "canary-three-0123456789-0123456789",
    "SUDARE_HOME": "/somewhere",
}


def test_what_nobody_set_has_a_default():
    settings = read_settings(GOOD)
    assert settings.staging_url == "/somewhere/staging"
    assert str(settings.published) == "/somewhere/published"
    assert str(settings.outbox) == "/somewhere/outbox"
    assert settings.control.threshold == 10
    assert settings.members_per_shard == 125_000
    assert settings.postings_per_text_shard == 20_000
    assert settings.purposes == ("P09", "P10")
    assert settings.epoch == 1
    assert settings.accept_fewer_stop_signals is False


def test_what_is_set_is_taken():
    more = {
        "SUDARE_STAGING_URL": "s3://bucket/x",
        "SUDARE_PUBLISHED": "/p",
        "SUDARE_OUTBOX": "/o",
        "SUDARE_THRESHOLD": "15",
        "SUDARE_MEMBERS_PER_SHARD": "1",
        "SUDARE_PURPOSES": "P09",
        "SUDARE_ACCEPT_FEWER_STOP_SIGNALS": "1",
    }
    settings = read_settings(GOOD | more)
    assert settings.staging_url == "s3://bucket/x"
    assert (str(settings.published), str(settings.outbox)) == ("/p", "/o")
    assert (settings.control.threshold, settings.members_per_shard) == (15, 1)
    assert settings.purposes == ("P09",)
    assert settings.accept_fewer_stop_signals is True


@pytest.mark.parametrize("epoch", [1, 2, 32_767])
def test_epochs_are_counted_from_1_to_32_767(epoch):
    """As many as the warehouse can hold in a smallint."""
    assert read_settings(GOOD | {"SUDARE_EPOCH": str(epoch)}).epoch == epoch


@pytest.mark.parametrize("value", ["0", "true", "yes", "", "1 "])
def test_fewer_stop_signals_are_accepted_for_a_one_only(value):
    assert not read_settings(GOOD | {"SUDARE_ACCEPT_FEWER_STOP_SIGNALS": value}).accept_fewer_stop_signals


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        pytest.param("SUDARE_SOURCE_URL", "", SettingRefused, id="no source"),
        pytest.param("SUDARE_SOURCE_URL", "mysql://u:canary@h/d", SettingRefused, id="another kind of database"),
        pytest.param("SUDARE_SOURCE_URL", "host=db password=canary", SettingRefused, id="no URL"),
        pytest.param("SUDARE_WAREHOUSE_URL", "", SettingRefused, id="no warehouse"),
        pytest.param("SUDARE_SECRET", "", KeyMissing, id="no secret"),
        pytest.param("SUDARE_SECRET", "canary", KeyTooShort, id="a short secret"),
        pytest.param("SUDARE_THRESHOLD", "4", ThresholdTooLow, id="a threshold of four"),
        pytest.param("SUDARE_THRESHOLD", "0", ThresholdTooLow, id="a threshold of nothing"),
        pytest.param("SUDARE_THRESHOLD", "-10", ThresholdTooLow, id="a negative threshold"),
        pytest.param("SUDARE_THRESHOLD", "canary", SettingRefused, id="a threshold that is a word"),
        pytest.param("SUDARE_THRESHOLD", "10.5", SettingRefused, id="a threshold with a fraction"),
        pytest.param("SUDARE_THRESHOLD", "1e2", SettingRefused, id="a threshold with an exponent"),
        pytest.param("SUDARE_THRESHOLD", "-", SettingRefused, id="a threshold of a sign"),
        pytest.param(
            "SUDARE_THRESHOLD",
            "--5",
            SettingRefused,
            id="a threshold with two signs",
        ),
        pytest.param("SUDARE_MEMBERS_PER_SHARD", "0", SettingRefused, id="shards of nobody"),
        pytest.param("SUDARE_MEMBERS_PER_SHARD", "-5", SettingRefused, id="shards of fewer than nobody"),
        pytest.param("SUDARE_EPOCH", "0", SettingRefused, id="no epoch"),
        pytest.param("SUDARE_EPOCH", "-1", SettingRefused, id="an epoch before the first"),
        pytest.param("SUDARE_EPOCH", "32768", SettingRefused, id="an epoch that no smallint holds"),
        pytest.param("SUDARE_EPOCH", "99999999999", SettingRefused, id="an epoch far away"),
        pytest.param("SUDARE_EPOCH", "canary", SettingRefused, id="an epoch that is a word"),
        pytest.param("SUDARE_POSTINGS_PER_TEXT_SHARD", "0", SettingRefused, id="shards of no text"),
        pytest.param("SUDARE_POSTINGS_PER_TEXT_SHARD", "many", SettingRefused, id="shards of many texts"),
    ],
)
def test_a_bad_setting_is_refused_by_name_and_not_quoted(name, value, error):
    with pytest.raises(error) as refused:
        read_settings(GOOD | {name: value})
    assert type(refused.value) is error
    assert "canary" not in str(refused.value)
    if error is SettingRefused:
        assert str(refused.value).startswith(name)


@pytest.mark.parametrize("name", ["SUDARE_SOURCE_URL", "SUDARE_WAREHOUSE_URL", "SUDARE_SECRET"])
def test_a_setting_that_is_not_there_is_refused(name):
    with pytest.raises((SettingRefused, KeyMissing), match=f"^{name} is not set"):
        read_settings({key: value for key, value in GOOD.items() if key != name})


def test_neither_password_nor_secret_shows():
    assert "canary" not in repr(read_settings(GOOD)) + str(read_settings(GOOD))


def test_home_is_here_unless_somebody_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert home({}) == tmp_path.resolve() / ".sudare"
    assert home({"SUDARE_HOME": "x"}) == tmp_path.resolve() / "x"


def test_a_secret_of_any_letters_can_be_compared_with_the_demo():
    secret = read_settings(GOOD | {"SUDARE_SECRET": "秘密" * 20}).secret
    secret.require_fit_for(demo_source=False)
