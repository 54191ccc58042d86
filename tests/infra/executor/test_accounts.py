"""Accounts on the command line: whose keys are known, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from infra.executor import executor
from infra.screen import Misused
from tests.connectors.desk import PERPETUAL, binance
from tests.infra.rig import Rig, Said
from tests.standin.account import KEY, SECRET, Account

FILE = f"[main]\nexchange = binance\nkey = {KEY}\nsecret = {SECRET}\n"
OTHER = {"EXCHANGE": "okx", "KEY": "MARKED-KEY", "SECRET": "MARKED-SECRET"}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Give a home with a file of keys, whose user looks that no command shows one."""
    (tmp_path / "accounts.ini").write_text(FILE)
    (tmp_path / "accounts.ini").chmod(0o600)
    return Rig(tmp_path)


def quiet(said: Said) -> Said:
    """Return what was said, having seen that no key is in it."""
    for secret in (KEY, SECRET, "MARKED"):
        assert secret not in said.out + said.err
    return said


def test_accounts_are_listed_with_where_their_keys_come_from(rig: Rig) -> None:
    rig.environment |= {f"TAPEDECK_ACCOUNT_TWO_{name}": value for name, value in OTHER.items()}
    said = quiet(rig.deck("accounts"))
    [main, two] = [
        line.split() for line in said.out.splitlines() if "okx" in line or ".ini" in line
    ]
    assert main == ["main", "binance", str(rig.home / "accounts.ini")]
    assert two == ["two", "okx", "TAPEDECK_ACCOUNT_TWO_..."]


@pytest.mark.parametrize(
    "command", [("accounts",), ("accounts", "--check", "main"), ("executor", "--account", "main")]
)
def test_a_file_of_keys_that_others_may_read_is_refused(rig: Rig, command: tuple[str, ...]) -> None:
    (rig.home / "accounts.ini").chmod(0o640)
    said = quiet(rig.deck(*command, status=1))
    assert "may be read by others (mode 0640): run chmod 600" in said.err


def test_without_keys_it_is_told_how_to_give_some(tmp_path: Path) -> None:
    said = Rig(tmp_path).deck("accounts", status=1)
    assert "set TAPEDECK_ACCOUNT_MAIN_EXCHANGE" in said.err
    said = Rig(tmp_path).deck("executor", "--account", "main", status=1)
    assert "no keys of account 'main': set TAPEDECK_ACCOUNT_MAIN_EXCHANGE" in said.err


@pytest.mark.parametrize(
    ("account", "options", "status", "told"),
    [
        (Account(), (), 0, "main: binance lets it trade (sandbox)"),
        (Account(hedged=True), ("--markets", PERPETUAL), 1, "set it to one-way mode at binance"),
        (Account(secret="another"), (), 1, "binance does not let main in: "),
        (Account(withdraws=True), ("--broker", "live"), 1, "the keys may withdraw money from bin"),
    ],
)
def test_an_account_is_checked_at_its_exchange(
    rig: Rig, account: Account, options: tuple[str, ...], status: int, told: str
) -> None:
    with binance(account) as exchange:
        rig.environment |= {
            "EXCHANGE_URLS": f"binance={exchange.url}", "TAPEDECK_LIVE": "I-understand",
        }  # fmt: skip
        said = quiet(rig.deck("accounts", "--check", "main", *options, status=status))
    assert told in said.out + said.err


def test_what_an_account_has_is_told_with_its_positions_in_contracts_that_are_named(
    rig: Rig,
) -> None:
    money = {"USDT": Decimal("1234.50"), "BTC": Decimal("0.30"), "ETH": Decimal(0)}
    with binance(Account(spot=money)) as exchange:
        rig.environment["EXCHANGE_URLS"] = f"binance={exchange.url}"
        said = quiet(rig.deck("accounts", "--check", "main", "--markets", PERPETUAL))
    assert said.out.splitlines()[1:] == [
        "it has 0.3 BTC, 1,234.5 USDT", f"its position in {PERPETUAL}: 0",
    ]  # fmt: skip


def test_an_exchange_that_does_not_answer_lets_nobody_in_and_refuses_nobody(rig: Rig) -> None:
    rig.environment["EXCHANGE_URLS"] = "binance=http://127.0.0.1:9"
    said = quiet(rig.deck("accounts", "--check", "main", status=1))
    assert "binance cannot be asked now: " in said.err


def test_real_money_needs_both_switches_here_too(rig: Rig) -> None:
    for command in (("executor", "--account", "main"), ("accounts", "--check", "main")):
        said = quiet(rig.deck(*command, "--broker", "live", status=2))
        assert "set TAPEDECK_LIVE=I-understand" in said.err
    said = rig.deck("executor", "--account", "main", "--broker", "paper", status=2)
    assert "'paper' is not one of 'sandbox', 'live'" in " ".join(said.err.replace("│", "").split())
    assert not (rig.home / "executor").exists()


@pytest.mark.parametrize("text", ["-1", "0", "much", "nan", "inf"])
def test_an_amount_of_money_is_one_above_nothing(text: str) -> None:
    with pytest.raises(Misused, match=f"--daily-loss {text}: give an amount above 0"):
        executor._amount("--daily-loss", text)
    assert executor._amount("--daily-loss", "") is None
    assert executor._amount("--daily-loss", "0.10") == Decimal("0.10")
