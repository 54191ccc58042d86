"""What is wrong is told once, and when it is over."""

from __future__ import annotations

from connectors.executor.troubles import Troubles
from connectors.scrub import keep_secret


def test_a_trouble_is_told_when_it_begins_when_it_changes_and_when_it_ends() -> None:
    told: list[str] = []
    troubles = Troubles(told.append)
    for why in ("away", "away", "503"):
        troubles.begin("exchange", why)
    troubles.end("exchange")
    troubles.end("exchange")
    assert told == ["exchange: away", "exchange: 503", "exchange: all right again"]
    assert not troubles.present


def test_no_secret_is_told() -> None:
    keep_secret("MARKER-1234")
    told: list[str] = []
    troubles = Troubles(told.append)
    troubles.begin("exchange", "signature=MARKER-1234")
    troubles.say("MARKER-1234")
    assert "MARKER-1234" not in f"{told} {troubles.present}"
