"""Messages to chats: what is sent, and what is said of it when it is not taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.chat import Telegram, UndeliveredError, Webhook
from connectors.scrub import keep_secret
from tests.chat_room import ChatRoom

TOKEN = "4711:AAbbCCddEEff"


@pytest.fixture
def room() -> Iterator[ChatRoom]:
    with ChatRoom() as made:
        yield made


def test_a_webhook_and_telegram_get_what_they_read(room: ChatRoom) -> None:
    assert Webhook(f"{room.url}/hook").send("hello") == '200 {"ok": true}'
    Telegram(TOKEN, "-100", room.url).send("hello")
    assert room.heard == [
        ("/hook", {"text": "hello"}),
        (f"/bot{TOKEN}/sendMessage", {"chat_id": "-100", "text": "hello"}),
    ]


@pytest.mark.parametrize(
    ("status", "headers", "again", "seconds"),
    [
        (404, {}, False, 0.0),
        (301, {"Location": "/elsewhere"}, False, 0.0),
        (429, {"Retry-After": "7"}, True, 7.0),
        (500, {"Retry-After": "soon"}, True, 0.0),
    ],
)
def test_a_refusal_says_whether_to_try_again_and_when(
    room: ChatRoom, status: int, headers: dict[str, str], again: bool, seconds: float
) -> None:
    room.answers.append((status, headers))
    with pytest.raises(UndeliveredError, match=str(status)) as told:
        Webhook(room.url).send("hello")
    assert (told.value.again, told.value.seconds) == (again, seconds)


def test_neither_a_refusal_nor_an_outage_shows_the_key(room: ChatRoom) -> None:
    keep_secret(TOKEN)
    chat = Telegram(TOKEN, "-100", room.url)
    room.answers.append((404, {}))
    with pytest.raises(UndeliveredError) as refused:
        chat.send("hello")
    nobody = Telegram(TOKEN, "-100", "http://127.0.0.1:1")
    with pytest.raises(UndeliveredError) as away:
        nobody.send("hello")
    assert away.value.again
    assert TOKEN not in str(UndeliveredError(f"no answer at {TOKEN}", again=True))
    for text in (str(refused.value), str(away.value), repr(chat), repr(Webhook("http://x/key"))):
        assert TOKEN not in text
        assert "key" not in text
