"""What may be taken in, before anything starts."""

from pathlib import Path

import pytest

from connectors.exchange.venue import Asks
from connectors.venue.venue import VenueError
from infra.intake.intake import Intake
from infra.log.places import place
from infra.settings import Settings

FUNDING = Asks(["funding"], 60.0)


def test_numbers_are_asked_of_contracts_only_and_one_is_enough(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    where = place(settings, kafka=False)
    spot = ("binance:BTC/USDT", "okx:ETH/USDT")
    with pytest.raises(VenueError, match="there is no funding of what is no contract"):
        Intake(where, spot, asks=FUNDING, settings=settings)
    Intake(where, (*spot, "binance:BTC/USDT:USDT"), 2, FUNDING, settings=settings)
