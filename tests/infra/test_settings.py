"""What the environment says is taken as it is meant, or refused without showing it."""

import pytest

from infra.settings import Settings, SettingsError


def test_exchanges_have_their_own_addresses_and_keys() -> None:
    said = {
        "EXCHANGE_URLS": "binance=http://localhost:9000  okx=https://proxy/a=b",
        "EXCHANGE_KEYS": "binance=K1 okx=K2==",
    }
    settings = Settings.from_environment(said)
    assert settings.exchange_urls == {
        "binance": "http://localhost:9000",
        "okx": "https://proxy/a=b",
    }
    assert settings.exchange_keys == {"binance": "K1", "okx": "K2=="}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXCHANGE_URLS", "http://me:sesame@localhost:9000"),
        ("EXCHANGE_URLS", "binance=me:sesame@localhost:9000"),
        ("EXCHANGE_URLS", "binance=http://a,okx=http://sesame"),
        ("EXCHANGE_KEYS", "sesame"),
        ("EXCHANGE_KEYS", "binance="),
        ("EXCHANGE_KEYS", "okx=a,binance=sesame"),
        ("EXCHANGE_KEYS", "okx=a okx=sesame"),
    ],
)
def test_what_would_go_elsewhere_is_refused_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: word . is not like binance=") as refused:
        Settings.from_environment({name: value})
    assert "sesame" not in str(refused.value)
