"""The log in Kafka: what every log owes, and what only Kafka can do to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from confluent_kafka import Producer, TopicPartition

from connectors.kafka import client as kafka_client
from connectors.kafka.log import KafkaCursor, KafkaLog
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import Bounds, Log, LogError
from tests.connectors.kafka_place import (
    KafkaPlace,
    any_place,
    kafka_place,
    make,
    mock_place,
    remove,
)
from tests.connectors.log_contract import (
    LogContract,
    Place,
    append,
    chunks,
    home,
    messages,
    read_all,
)
from tests.connectors.mock_kafka import Api, MockKafka


class TestContract(LogContract):
    @pytest.fixture
    def place(self) -> Iterator[Place]:
        with any_place() as place:
            yield place

    def test_an_offset_is_found_by_the_time_of_appending(self, place: Place, log: Log) -> None:
        if isinstance(place, KafkaPlace) and place.mock:
            pytest.skip("the mock cluster finds no offset by time: set KAFKA_BOOTSTRAP")
        super().test_an_offset_is_found_by_the_time_of_appending(place, log)


MARKET = "binance:BTC/USDT"
LEADER_NOT_AVAILABLE, NOT_LEADER, DENIED = 5, 6, 29


@pytest.fixture
def place() -> Iterator[KafkaPlace]:
    with mock_place() as place:
        yield place


@pytest.fixture
def kafka(place: KafkaPlace) -> MockKafka:
    assert place.mock is not None
    return place.mock


@pytest.fixture
def log(place: KafkaPlace) -> Iterator[Log]:
    with closing(place.log()) as log:
        yield log


def test_in_an_outage_nothing_is_read_and_after_it_all(
    place: KafkaPlace, log: Log, kafka: MockKafka
) -> None:
    append(place, messages([MARKET], 10))
    with closing(log.open(home(log, MARKET), 0)) as cursor:
        first = [entry for part in chunks(cursor.read, 100, 10) for entry in part]
        kafka.down()
        with closing(log.open(home(log, MARKET), 0)) as other:
            assert [other.read(100) for _ in range(1_000)] == [[]] * 1_000
        assert [cursor.read(100) for _ in range(1_000)] == [[]] * 1_000
        kafka.up()
        append(place, messages([MARKET], 5))
        then = [entry for part in chunks(cursor.read, 100, 5) for entry in part]
    assert first + then == read_all(log, home(log, MARKET))


@pytest.mark.timeout(30)
def test_a_log_is_closed_at_once_also_in_an_outage(place: KafkaPlace, kafka: MockKafka) -> None:
    append(place, messages([MARKET], 1))
    log = place.log()
    cursor = log.open(home(log, MARKET), 0)
    list(chunks(cursor.read, 1, 1))
    kafka.down()
    cursor.close()
    log.close()


def test_who_may_not_read_is_told_again_and_again(
    place: KafkaPlace, log: Log, kafka: MockKafka
) -> None:
    kafka.fail(Api.FETCH, *[DENIED] * 50)
    with closing(log.open(home(log, MARKET), 0)) as cursor:
        for _ in range(2):
            with pytest.raises(LogError, match=r"this user may not; docs/kafka\.md"):
                list(chunks(cursor.read, 100, 1))


@pytest.mark.parametrize("code", [NOT_LEADER, LEADER_NOT_AVAILABLE])
def test_what_is_asked_of_a_partition_that_moves_is_asked_again(
    place: KafkaPlace, log: Log, kafka: MockKafka, code: int
) -> None:
    append(place, messages([MARKET], 5))
    name = home(log, MARKET)
    kafka.fail(Api.LIST_OFFSETS, *[code] * 3)
    assert log.bounds(name) == (0, 5)
    kafka.fail(Api.LIST_OFFSETS, *[code] * 3)
    assert log.offset_at(name, 0) == 5  # the mock cluster knows no times


def test_a_cursor_tells_how_far_behind_it_is(place: KafkaPlace, log: Log) -> None:
    append(place, messages([MARKET], 30))
    with closing(log.open(home(log, MARKET), 0)) as cursor:
        assert isinstance(cursor, KafkaCursor)
        assert cursor.lag() == 0
        read = sum(map(len, chunks(cursor.read, 7, 1)))
        assert cursor.lag() == 30 - read
        list(chunks(cursor.read, 100, 30 - read))
        assert cursor.lag() == 0


def test_an_offset_that_no_log_has_is_refused(log: Log) -> None:
    with pytest.raises(LogError, match="there is no offset -1"):
        log.open(home(log, MARKET), -1)


def test_a_place_behind_the_end_is_told_with_the_end(place: KafkaPlace, log: Log) -> None:
    append(place, messages([MARKET], 3))
    with (
        closing(log.open(home(log, MARKET), 1_000)) as cursor,
        pytest.raises(LogError, match="there is nothing at 1,000, it ends at 3"),
    ):
        list(chunks(cursor.read, 100, 1))


def test_a_place_that_is_not_there_stays_an_error_when_nobody_says_what_is(
    place: KafkaPlace,
) -> None:
    def away() -> Bounds:
        raise LogError("nobody answers")

    beyond = TopicPartition(place.settings.topic, 0, 1_000)
    with closing(KafkaCursor(place.settings, beyond, "market/0", away)) as cursor:
        for _ in range(2):
            with pytest.raises(LogError, match="nobody answers"):
                list(chunks(cursor.read, 100, 1))


def test_a_topic_that_is_not_there_is_refused_with_what_to_do(place: KafkaPlace) -> None:
    with pytest.raises(LogError, match=r"has no topic 'none'.*`deck topics create`"):
        KafkaLog(replace(place.settings, topic="none"))


def test_a_broker_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_client, "ANSWER_SECONDS", 1.0)
    with pytest.raises(LogError, match=r"127\.0\.0\.1:1 does not answer .*Connection refused"):
        KafkaLog(KafkaSettings("127.0.0.1:1"))


def test_a_message_without_market_and_content_is_one_that_cannot_be_read(
    place: KafkaPlace, log: Log
) -> None:
    producer = Producer({"bootstrap.servers": place.settings.bootstrap})
    producer.produce(place.settings.topic, partition=0)
    producer.flush()
    (entry,) = read_all(log, log.partitions()[0])
    assert entry == (0, "", b"")


def test_a_topic_made_again_has_other_partitions() -> None:
    real = KafkaSettings.from_environment(os.environ)
    if real is None:
        pytest.skip("the mock cluster gives a topic no id: set KAFKA_BOOTSTRAP")
    with kafka_place(real) as place:
        with closing(place.log()) as log:
            before = log.partitions()
        remove(place)
        make(place)
        with closing(place.log()) as log:
            assert not {*log.partitions()} & {*before}
            with pytest.raises(LogError, match="the topic was made again"):
                log.open(before[0], 0)
