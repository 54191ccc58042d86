"""Keys come from the environment or a file that only its owner may read; none is ever shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.account.keys import FILE, AccountKeys, KeysError, account_keys, account_names

WRITTEN = "[main]\nexchange = binance\nkey = KEY%1\nsecret = MARKER\n"


def written(home: Path, text: str = WRITTEN, mode: int = 0o600) -> Path:
    path = home / FILE
    path.write_text(text)
    path.chmod(mode)
    return home


def said(account: str = "MAIN", **more: str) -> dict[str, str]:
    values = {"EXCHANGE": "okx", "KEY": "K", "SECRET": "S", **more}
    return {f"TAPEDECK_ACCOUNT_{account}_{name}": value for name, value in values.items()}


def test_keys_are_read_from_the_file(tmp_path: Path) -> None:
    keys = account_keys("main", written(tmp_path), {})
    assert (keys.exchange, keys.key, keys.secret, keys.password) == (
        "binance", "KEY%1", "MARKER", "",
    )  # fmt: skip
    assert keys.source == str(tmp_path / FILE)


def test_the_environment_goes_first(tmp_path: Path) -> None:
    keys = account_keys("main", written(tmp_path), said(PASSWORD="P"))
    assert (keys.exchange, keys.secrets) == ("okx", ("K", "S", "P"))


def test_a_hyphen_of_a_name_is_an_underscore_in_the_environment(tmp_path: Path) -> None:
    assert account_keys("my-desk", tmp_path, said("MY_DESK")).account == "my-desk"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_that_others_may_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeysError, match=rf"\(mode {mode:04o}\): run chmod 600 .*{FILE}"):
        account_keys("main", written(tmp_path, mode=mode), {})
    with pytest.raises(KeysError, match="chmod 600"):
        account_names(tmp_path, {})


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: 4321)
    with pytest.raises(KeysError, match="belongs to another user"):
        account_keys("main", tmp_path, {})


def test_an_account_without_keys_is_told_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"set TAPEDECK_ACCOUNT_MAIN_EXCHANGE.*\[main\] into"):
        account_keys("main", tmp_path, {})
    with pytest.raises(KeysError, match="which has main"):
        account_keys("other", written(tmp_path), {})


def test_what_is_missing_is_named_and_nothing_else_shown(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="does not say exchange and secret") as told:
        account_keys("main", written(tmp_path, "[main]\nkey = MARKER\n"), {})
    assert "MARKER" not in str(told.value)


@pytest.mark.parametrize(
    "text", ["secret MARKER\n", "[main]\nMARKER\n", "[main]\nkey = a\nkey = MARKER\n", "\xff\0"]
)
def test_a_file_that_cannot_be_read_is_told_without_what_it_holds(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(KeysError) as told:
        account_keys("main", written(tmp_path, text), {})
    assert "MARKER" not in str(told.value)
    assert told.value.__suppress_context__ or told.value.__context__ is None


@pytest.mark.parametrize("name", ["", "1st", "a b", "a=b", "../x"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeysError, match="is no name"):
        account_keys(name, tmp_path, {})


def test_all_accounts_are_listed_each_once(tmp_path: Path) -> None:
    says = {**said(), **said("DESK")}
    assert account_names(written(tmp_path), says) == ["desk", "main"]


def test_keys_never_show() -> None:
    keys = AccountKeys("main", "binance", "MARKER1", "MARKER2", "MARKER3", "here")
    assert "MARKER" not in f"{keys} {keys!r} {keys:}"
