"""The switches in front of real money."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.screen import Misused
from infra.settings import Settings
from infra.trading.switches import WORD, Broker, Locked, check, purse


@pytest.mark.parametrize(
    ("live", "said"), [("", "is not set"), ("yes", "is 'yes'"), (WORD.lower(), "is 'i-under")]
)
def test_real_money_needs_the_second_switch_word_for_word(live: str, said: str) -> None:
    with pytest.raises(Locked, match=f"real money, and TAPEDECK_LIVE {said}.*TAPEDECK_LIVE={WORD}"):
        check(Broker.LIVE, "main", Settings(Path(), live=live))


def test_the_second_switch_alone_sends_nothing_anywhere() -> None:
    check(Broker.PAPER, "", Settings(Path(), live=WORD))
    check(Broker.SANDBOX, "main", Settings(Path(), live=WORD))
    check(Broker.LIVE, "main", Settings(Path(), live=WORD))


@pytest.mark.parametrize("broker", [Broker.SANDBOX, Broker.LIVE])
def test_an_exchange_needs_an_account_and_paper_has_none(broker: Broker) -> None:
    with pytest.raises(Misused, match="name it, such as --account main"):
        check(broker, "", Settings(Path(), live=WORD))
    with pytest.raises(Misused, match="leave --account main out"):
        check(Broker.PAPER, "main", Settings(Path()))


def test_orders_for_a_sandbox_and_for_money_are_never_queued_under_one_name() -> None:
    assert len({purse("main", broker) for broker in Broker}) == len(Broker)
