"""Sending into Kafka: what it does not take is an error, what it takes late is there once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from random import Random

import pytest

from connectors.kafka import client as kafka_client
from connectors.kafka.sender import MESSAGE_BYTES, UNDER_WAY_BYTES, Sender
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import LogError
from tests.connectors.kafka_place import KafkaPlace, kafka_place, mock_place
from tests.connectors.log_contract import read_all, wait_for
from tests.connectors.mock_kafka import Api, MockKafka

REQUEST_TIMED_OUT, NOT_LEADER, MSG_SIZE_TOO_LARGE, NOT_ENOUGH_REPLICAS, DENIED = 7, 6, 10, 19, 29
CLUSTER_DENIED = 31
PATIENCE = 2.0


@pytest.fixture
def place() -> Iterator[KafkaPlace]:
    with mock_place() as place:
        yield place


@pytest.fixture
def kafka(place: KafkaPlace) -> MockKafka:
    assert place.mock is not None
    return place.mock


@pytest.fixture
def sender(place: KafkaPlace) -> Sender:
    return Sender(place.settings, place.settings.topic, PATIENCE)


def kept(place: KafkaPlace, number: int = 0) -> list[bytes]:
    with closing(place.log()) as log:
        return [entry.message for entry in read_all(log, log.partitions()[number])]


def send_until_refused(sender: Sender, *contents: bytes) -> None:
    for content in contents:
        sender.send(0, "m", content)
    sender.flush()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (MSG_SIZE_TOO_LARGE, "Message size too large: the topic's max.message.bytes is too small"),
        (DENIED, "Topic authorization failed: this user may not; docs/kafka.md"),
    ],
)
def test_what_the_broker_refuses_is_told_with_the_market_and_a_remedy(
    sender: Sender, kafka: MockKafka, code: int, said: str
) -> None:
    kafka.fail(Api.PRODUCE, code)
    sender.send(0, "binance:BTC/USDT", b"four")
    with pytest.raises(LogError, match=said) as refused:
        sender.flush()
    assert "a message of binance:BTC/USDT, 4 bytes, did not go into the log" in str(refused.value)


def test_who_may_not_write_anything_is_told_so(place: KafkaPlace, kafka: MockKafka) -> None:
    kafka.fail(Api.INIT_PRODUCER_ID, *[CLUSTER_DENIED] * 10)
    sender = Sender(place.settings, place.settings.topic, PATIENCE)
    with pytest.raises(LogError, match=r"Cluster authorization failed: this user may not"):
        send_until_refused(sender, b"refused")
    with pytest.raises(LogError, match="this user may not"):
        sender.close()


def test_behind_a_refused_message_all_is_refused_and_none_arrives(
    sender: Sender, place: KafkaPlace, kafka: MockKafka
) -> None:
    sender.send(0, "m", b"before")
    sender.flush()
    kafka.fail(Api.PRODUCE, MSG_SIZE_TOO_LARGE)
    with pytest.raises(LogError, match="message of m, 7 bytes"):
        send_until_refused(sender, b"refused", *[b"behind"] * 1_000)
    with pytest.raises(LogError, match="message of m, 7 bytes"):
        sender.send(0, "m", b"later")
    for again in (sender.flush, sender.close):
        with pytest.raises(LogError, match="message of m, 7 bytes"):
            again()
    assert kept(place) == [b"before"]


def test_what_waits_behind_a_refused_message_never_arrives() -> None:
    real = KafkaSettings.from_environment(os.environ)
    if real is None:
        pytest.skip("the mock cluster counts no messages: set KAFKA_BOOTSTRAP")
    noise = Random(1)
    with kafka_place(real, longest=1_500_000) as place:
        sender = Sender(place.settings, place.settings.topic, 30.0)
        sender.send(0, "m", b"before")
        sender.flush()
        sender.send(0, "m", noise.randbytes(2_000_000))  # and each of these travels alone
        with pytest.raises(LogError, match="2,000,000 bytes, did not go into the log"):
            send_until_refused(sender, *(noise.randbytes(900_000) for _ in range(8)))
        with pytest.raises(LogError, match="2,000,000 bytes, did not go into the log"):
            sender.close()
        assert kept(place) == [b"before"]


@pytest.mark.parametrize("code", [NOT_LEADER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS])
def test_what_is_tried_again_is_there_once_and_in_order(
    sender: Sender, place: KafkaPlace, kafka: MockKafka, code: int
) -> None:
    kafka.fail(Api.PRODUCE, code, code)
    sent = [b"%d" % number for number in range(500)]
    for message in sent:
        sender.send(0, "m", message)
    sender.flush()
    assert kept(place) == sent


def test_an_outage_that_ends_in_time_loses_and_doubles_nothing(
    sender: Sender, place: KafkaPlace, kafka: MockKafka
) -> None:
    sent = [b"%d" % number for number in range(300)]
    for number, message in enumerate(sent):
        if number == 100:
            kafka.down()
        if number == 200:
            kafka.up()
        sender.send(0, "m", message)
    sender.flush()
    assert kept(place) == sent


def test_an_outage_that_lasts_is_an_error_and_nothing_arrives_after_it(
    sender: Sender, place: KafkaPlace, kafka: MockKafka
) -> None:
    sender.send(0, "m", b"before")
    sender.flush()
    kafka.down()
    sender.send(0, "m", b"lost")
    with pytest.raises(LogError, match="did not take what was sent in time"):
        sender.flush()
    kafka.up()
    with pytest.raises(LogError, match="message of m, 4 bytes"):
        sender.send(0, "m", b"behind")
    with pytest.raises(LogError, match="message of m, 4 bytes"):
        sender.close()
    assert kept(place) == [b"before"]


def test_a_message_that_is_too_large_is_refused_at_once(sender: Sender) -> None:
    with pytest.raises(LogError, match=r"message of m, 8,388,609 bytes.*too large"):
        sender.send(0, "m", b"x" * (MESSAGE_BYTES + 1))


def test_what_is_under_way_is_bounded_and_goes_on_when_there_is_room(
    place: KafkaPlace, kafka: MockKafka
) -> None:
    message, count, handed = b"x" * (1 << 20), 2 * UNDER_WAY_BYTES >> 20, []
    with closing(Sender(place.settings, place.settings.topic, 60.0)) as sender:

        def send() -> None:
            for number in range(count):
                sender.send(0, "m", message + b"%d" % number)
                handed.append(number)

        kafka.down()
        thread = threading.Thread(target=send)
        thread.start()
        wait_for(lambda: len(handed) >= (UNDER_WAY_BYTES >> 20) - 2)
        thread.join(0.3)  # time enough to hand over all, if nothing held it back
        assert len(handed) <= UNDER_WAY_BYTES >> 20
        kafka.up()
        thread.join()
        sender.flush()
    assert kept(place) == [message + b"%d" % number for number in range(count)]


def test_a_topic_that_is_not_there_is_refused_with_what_to_do(place: KafkaPlace) -> None:
    with pytest.raises(LogError, match=r"has no topic 'none'.*`deck topics create`"):
        Sender(place.settings, "none", PATIENCE)


def test_a_broker_that_is_not_there_is_told(
    place: KafkaPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_client, "ANSWER_SECONDS", 1.0)
    settings = replace(place.settings, bootstrap="127.0.0.1:1")
    with pytest.raises(LogError, match=r"127\.0\.0\.1:1 does not answer .*Connection refused"):
        Sender(settings, settings.topic, PATIENCE)


def test_no_error_tells_a_secret(place: KafkaPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_client, "ANSWER_SECONDS", 1.0)
    settings = KafkaSettings(
        place.settings.bootstrap,
        protocol="SASL_PLAINTEXT",
        mechanism="SCRAM-SHA-512",
        username="the-user",
        password="the-password",
    )
    with pytest.raises(LogError) as refused:
        Sender(settings, settings.topic, PATIENCE)
    assert "the-" not in str(refused.value)
    assert "the-" not in repr(refused.value)
