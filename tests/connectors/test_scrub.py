"""Whatever way a secret tries to leave, it does not."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import ccxt.pro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scrub import HIDDEN, ScrubFilter, keep_secret, scrub, scrubbed
from connectors.venue.venue import reason

ROOT = Path(__file__).parents[2]
SECRET = "Mark/er+SECRET=77%&"
LISTEN = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"


@pytest.fixture(autouse=True)
def _known() -> None:
    keep_secret(SECRET)


@pytest.mark.parametrize(
    "text",
    [
        f"secret is {SECRET}",
        f"GET /order?x={quote(SECRET, safe='')}",
        f"GET /order?x={quote(SECRET)}",
        f"Basic {base64.b64encode(SECRET.encode()).decode()}",
        f"{{'key': {SECRET!r}}}",
        f"{SECRET.encode()!r}",
        SECRET.encode().hex(),
    ],
)
def test_a_known_secret_is_hidden_in_every_form(text: str) -> None:
    left = scrub(text)
    assert HIDDEN in left
    assert "Mark" not in left
    assert "SECRET" not in left


@pytest.mark.parametrize(
    "text",
    [
        "POST https://host/order?symbol=X&timestamp=17&signature=LEAK 503 Service Unavailable",
        "symbol=X&timestamp=17&signature=LEAK",
        "{'X-MBX-APIKEY': 'LEAK', 'Content-Type': 'json'}",
        "[('X-MBX-APIKEY', 'LEAK')]",
        "[(b'OK-ACCESS-SIGN', b'LEAK')]",
        "OK-ACCESS-KEY: LEAK",
        "{'OK-ACCESS-PASSPHRASE': 'LEAK and LEAK'}",
        '{"op":"login","args":[{"apiKey":"LEAK","passphrase":"LEAK","sign":"LEAK"}]}',
        '{"body":"{\\"apiKey\\":\\"LEAK\\"}"}',
        "https://me:LEAK@proxy/path",
        "apiKey%3DLEAK",
        "Authorization: Bearer LEAK",
        '{"listenKey":"LEAK"}',
        "binance(apiKey=LEAK, secret=LEAK)",
    ],
)
def test_what_is_named_like_a_secret_is_hidden(text: str) -> None:
    assert "LEAK" not in scrub(text)
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "address",
    [
        f"wss://stream.binance.com/ws/{LISTEN}",
        f"wss://fstream.binance.com/private/ws?listenKey={LISTEN}&events=A",
        f"wss://stream.binance.com/stream?streams={LISTEN}",
    ],
)
def test_a_listen_key_is_hidden_in_the_address_of_a_stream(address: str) -> None:
    assert LISTEN not in scrub(address)


@pytest.mark.parametrize(
    "text",
    [
        "binance:BTC/USDT: bought 0.5 at 64,000.1 (order a1b2c3d4e5f6g7h8i9j0k1l2m3)",
        "the design is a sign of signatures, passwords and tokens",
        "RequestTimeout: binance GET https://api.binance.com/api/v3/time",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert scrub(text) == text


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40))
def test_any_secret_is_hidden_wherever_it_stands(secret: str) -> None:
    keep_secret(secret)
    for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert form not in scrub(f"<<<{form}>>>") or form in f"<<<{HIDDEN}>>>"


def test_an_error_and_all_that_led_to_it_are_told_without_a_secret() -> None:
    def first() -> None:
        raise ConnectionError(f"https://me:word@host/?signature={SECRET}")

    def second() -> None:
        try:
            first()
        except ConnectionError as error:
            raise ccxt.NetworkError(f"binance {SECRET}") from error

    with pytest.raises(ccxt.NetworkError) as raised:
        second()
    told = scrubbed(raised.value) + reason(raised.value)
    assert "ConnectionError" in told
    assert "NetworkError" in told
    assert SECRET not in told
    assert "word@" not in told


def test_a_log_record_holds_no_secret_in_its_text_arguments_or_traceback() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logger = logging.Logger("tapedeck.test")
    logger.addHandler(handler)
    logger.addFilter(ScrubFilter())

    def fail() -> None:
        raise ValueError(SECRET)

    try:
        fail()
    except ValueError:
        logger.exception("%s %r", SECRET, {"secret": SECRET}, stack_info=True)
    logger.warning("%d", SECRET)
    assert "ValueError" in out.getvalue()
    assert SECRET not in out.getvalue()


def test_what_ccxt_itself_shows_of_a_client_with_keys_is_scrubbed() -> None:
    async def shown() -> str:
        venue = ccxt.pro.binance({"apiKey": SECRET, "secret": SECRET, "password": SECRET})
        signed = venue.sign("order", ["private"], "POST", {"symbol": "BTCUSDT"})
        text = f"{venue!r} {vars(venue)} {signed} {signed['url']} {signed['body']}"
        await venue.close()
        return text

    raw = asyncio.run(shown())
    assert SECRET in raw
    assert SECRET not in scrub(raw)


_LEAKS = """
import asyncio, logging, sys, threading
from connectors.scrub import install, keep_secret
install()
keep_secret("MARKER77")
logging.basicConfig(level=logging.DEBUG)
url, headers = "https://host/?signature=abcLEAK", {"X-MBX-APIKEY": "abcLEAK"}
logging.getLogger("ccxt").debug("%s %s", url, headers)
late = logging.StreamHandler()
logging.getLogger("late").addHandler(late)
logging.getLogger("late").warning("MARKER77")
def fail():
    raise ValueError("MARKER77 apiKey=abcLEAK")
thread = threading.Thread(target=fail); thread.start(); thread.join()
class Lost:
    def __del__(self):
        fail()
lost = Lost(); del lost
async def forgotten():
    task = asyncio.ensure_future(asyncio.to_thread(fail)); await asyncio.wait([task]); del task
asyncio.run(forgotten())
try:
    fail()
except ValueError as error:
    raise RuntimeError("MARKER77") from error
"""


def test_a_process_that_fails_in_every_way_shows_no_secret() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LEAKS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    shown = done.stdout + done.stderr
    assert done.returncode == 1
    assert shown.count("ValueError") >= 4
    assert "RuntimeError" in shown
    assert "MARKER77" not in shown
    assert "LEAK" not in shown
