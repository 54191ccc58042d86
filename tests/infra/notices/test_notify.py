"""Notices: in order, each once, as digests when there are many, and nobody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connectors import chat
from connectors.chat import Webhook
from infra.metrics.gauges import Gauges
from infra.notices import courier
from infra.notices.notices import Notices
from infra.notices.notify import Notifier
from infra.notices.settings import NotifySettings
from infra.settings import Settings, SettingsError
from schemas import SECOND, Candle, Closed, Event, Fault, Fill, Halt
from schemas.tables import Record
from tests.chat_room import ChatRoom
from tests.infra.rig import Rig

M = "okx:A/B"
TWO, NOTHING = Decimal(2), Decimal(0)


@pytest.fixture
def room() -> Iterator[ChatRoom]:
    with ChatRoom() as made:
        yield made


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "_REFILL_SECONDS", 0.02)
    monkeypatch.setattr(courier, "_RETRY_SECONDS", (0.01,))


def notifier(room: ChatRoom) -> Notifier:
    return Notifier("demo", [Webhook(room.url)])


def outcomes(gauges: Gauges) -> dict[str, float]:
    return {name: n for (name,), n in gauges.numbers["tapedeck_notices_total"].items()}


def fill(ts: int = 7 * SECOND) -> Fill:
    return Fill(M, ts, 1, 1, "buy", Decimal("0.5"), TWO, NOTHING)


def written(notices: Notices, *events: Event, first: int = 0) -> None:
    notices.write([Record(first + n, event) for n, event in enumerate(events)])


def test_what_is_told_comes_in_order_without_secrets_and_waits_for_nobody(room: ChatRoom) -> None:
    room.open.clear()
    told = notifier(room)
    for number in range(5):
        told.tell("fill", f"{number} token=abcdef")
    assert room.heard == []  # and yet we are here
    room.open.set()
    room.until(5)
    told.close()
    assert room.texts == [f"demo · {number} token=<hidden>" for number in range(5)]
    assert outcomes(told.gauges()) == {"sent": 5, "refused": 0, "dropped": 0}


def test_many_come_as_a_digest_and_each_is_counted(room: ChatRoom) -> None:
    room.open.clear()
    told = notifier(room)
    for number in range(300):
        told.tell("fill" if number % 2 else "halt", f"number {number} " + "x" * 100)
    room.open.set()
    told.close(30.0)
    assert 2 <= len(room.texts) < 30
    assert outcomes(told.gauges())["sent"] == 300
    lines = [line for text in room.texts for line in text.split("\n")]
    assert lines[0].startswith("demo · number 0 ")
    shown = [line for line in lines if line.startswith("demo")]
    more = [int(line.split()[1]) for line in lines if line.startswith("and")]
    assert len(shown) + sum(more) == 300
    assert max(map(len, room.texts)) <= 2_000


def test_an_outage_delays_and_a_refusal_is_counted(room: ChatRoom) -> None:
    room.answers.extend([(503, {}), (429, {"Retry-After": "0.01"}), (404, {})])
    told = notifier(room)
    told.tell("fill", "lost")
    told.tell("fill", "kept")
    room.until(1)
    told.close()
    assert room.texts == ["demo · kept"]
    assert outcomes(told.gauges()) == {"sent": 1, "refused": 1, "dropped": 0}


def test_no_more_wait_than_there_is_room_for_and_what_is_dropped_is_counted(
    room: ChatRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "ROOM", 3)
    room.open.clear()
    told, done = notifier(room), []
    for number in range(5):
        told.tell("fill", str(number), lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == [3, 4]
    assert told.gauges().numbers["tapedeck_notices_waiting"] == {(): 3.0}
    room.open.set()
    told.close()
    assert sorted(done) == [0, 1, 2, 3, 4]
    assert outcomes(told.gauges()) == {"sent": 3, "refused": 0, "dropped": 2}


def test_a_chat_that_does_not_answer_holds_up_no_end(
    room: ChatRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "_SECONDS", 60.0)
    room.open.clear()
    told = notifier(room)
    told.tell("fill", "waits")
    told.close(0.01)
    assert outcomes(told.gauges())["sent"] == 0


def test_a_flow_tells_of_fills_ends_halts_and_faults_and_of_nothing_else(
    room: ChatRoom, tmp_path: Path
) -> None:
    notices = Notices(notifier(room), tmp_path, since=5 * SECOND)
    notices.resume(None)
    closed = Closed(
        M, 9 * SECOND, 1, "long", TWO, TWO, TWO, 7, "stop", NOTHING, Decimal("-1.5"), 0.0, -0.01
    )
    candle = Candle(
        M, 9 * SECOND, "1m", 0, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1, 1.0, 0.0, 1, 0, 1.0, "", "",
        0, 0, True,
    )  # fmt: skip
    old = fill(4 * SECOND)
    written(notices, old, candle, fill(), closed, Halt(M, 9 * SECOND, "halted", "by me"))
    room.until(3)
    notices.close()
    assert room.texts == [
        "demo · okx:A/B: buy 2 at 0.5 · 00:00:07 UTC",
        "demo · okx:A/B: long closed, stop: -1.50 (-1.00%) · 00:00:09 UTC",
        "demo · okx:A/B: halted: by me · 00:00:09 UTC",
    ]


def test_a_fault_is_told_first_and_then_ever_more_rarely(room: ChatRoom, tmp_path: Path) -> None:
    fault = Fault(M, 9 * SECOND, "rule", "ZeroDivisionError", "")
    notices = Notices(notifier(room), tmp_path, since=0)
    notices.resume(None)
    written(notices, *[fault] * 60)
    kept = notices.snapshot()
    notices.close()
    again = Notices(notifier(room), tmp_path, since=0)
    again.resume(kept)
    written(again, *[fault] * 60, first=60)
    again.close()
    told = [line for text in room.texts for line in text.split("\n")]
    assert [line.partition("Error")[2].partition(" · ")[0] for line in told] == [
        "", ", 10 times so far", ", 100 times so far",
    ]  # fmt: skip


def test_what_a_crash_concludes_again_is_not_told_again_and_what_was_not_told_is(
    room: ChatRoom, tmp_path: Path
) -> None:
    first = Notices(notifier(room), tmp_path, since=0)
    first.resume(None)
    written(first, fill())
    room.until(1)
    first.close()
    room.open.clear()
    dying = Notices(notifier(room), tmp_path, since=0)
    dying.resume(None)  # the crash came in front of the first snapshot
    written(dying, fill(), fill(8 * SECOND))
    kept = dying.snapshot()
    room.answers.append((500, {}))
    dying.notifier.close(0.0)
    room.open.set()
    dying.close()
    assert len(room.texts) == 1
    again = Notices(notifier(room), tmp_path, since=0)
    again.resume(kept)
    written(again, fill(9 * SECOND), first=2)
    again.close()
    told = [line for text in room.texts for line in text.split("\n")]
    assert [line[-12:] for line in told] == ["00:00:07 UTC", "00:00:08 UTC", "00:00:09 UTC"]


def test_without_a_chat_nothing_is_kept(tmp_path: Path) -> None:
    notices = Notices(Notifier("demo", []), tmp_path, since=0)
    notices.resume(None)
    written(notices, fill())
    assert not notices.snapshot()
    assert threading.active_count() < 20


def test_the_settings_show_no_secret_and_name_what_must_be_hidden() -> None:
    said = {
        "TAPEDECK_NOTIFY_WEBHOOK": "https://example.org/services/T0/B0/XyZ123",
        "TAPEDECK_NOTIFY_TELEGRAM_TOKEN": "4711:AAbb",
        "TAPEDECK_NOTIFY_TELEGRAM_CHAT": "-1001234",
    }
    settings = Settings.from_environment(said)
    assert settings.notify.ways == ("webhook", "telegram")
    assert {*said.values()} <= {*settings.secrets}
    for value in said.values():
        assert value not in repr(settings)
        assert value not in repr(settings.notify)
    assert NotifySettings.from_environment({}).ways == ()
    for odd in ("XyZ123", "https://", "https://[XyZ123"):
        with pytest.raises(SettingsError, match="is no address") as told:
            Settings.from_environment({"TAPEDECK_NOTIFY_WEBHOOK": odd})
        assert "XyZ123" not in str(told.value)


def test_the_command_tries_each_chat_and_says_what_came_back(
    room: ChatRoom, tmp_path: Path
) -> None:
    rig = Rig(tmp_path)
    assert "set TAPEDECK_NOTIFY_WEBHOOK" in rig.deck("notify", status=1).err
    rig.environment |= {
        "TAPEDECK_NOTIFY_WEBHOOK": f"{room.url}/secret-path-of-it",
        "TAPEDECK_NOTIFY_TELEGRAM_TOKEN": "4711:AAbbCC",
        "TAPEDECK_NOTIFY_TELEGRAM_CHAT": "-1001234",
        "TAPEDECK_NOTIFY_TELEGRAM_URL": room.url,
    }
    room.answers.extend([(200, {}), (403, {})])
    said = rig.deck("notify", "--test", status=1)
    assert "webhook: taken, 200" in said.out
    assert "telegram: not taken: 403" in " ".join(said.err.split())
    assert "secret-path" not in said.out + said.err
    assert "AAbbCC" not in said.out + said.err
