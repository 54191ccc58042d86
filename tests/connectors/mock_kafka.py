"""librdkafka's own mock cluster: a broker in this process that fails on command."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, c_char_p, c_int, c_int16, c_int32, c_size_t, c_void_p
from enum import IntEnum
from pathlib import Path

import confluent_kafka

_ONE = 1
"""The only broker's number."""


class Api(IntEnum):
    """Requests that can be made to fail, by their number in Kafka's protocol."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    INIT_PRODUCER_ID = 22


def _library() -> ctypes.CDLL:
    beside = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    (path,) = beside.glob("librdkafka*.so*")
    library = ctypes.CDLL(str(path))
    for name, result, *arguments in (
        ("rd_kafka_conf_new", c_void_p),
        ("rd_kafka_conf_set", c_int, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t),
        ("rd_kafka_new", c_void_p, c_int, c_void_p, c_char_p, c_size_t),
        ("rd_kafka_destroy", None, c_void_p),
        ("rd_kafka_mock_cluster_new", c_void_p, c_void_p, c_int),
        ("rd_kafka_mock_cluster_destroy", None, c_void_p),
        ("rd_kafka_mock_cluster_bootstraps", c_char_p, c_void_p),
        ("rd_kafka_mock_topic_create", c_int, c_void_p, c_char_p, c_int, c_int),
        ("rd_kafka_mock_broker_set_down", c_int, c_void_p, c_int32),
        ("rd_kafka_mock_broker_set_up", c_int, c_void_p, c_int32),
        (
            "rd_kafka_mock_push_request_errors_array",
            None, c_void_p, c_int16, c_size_t, POINTER(c_int),
        ),
    ):  # fmt: skip
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class MockKafka:
    """One broker without a disk; topics that are not made here make themselves."""

    def __init__(self) -> None:
        self._library = _library()
        why = ctypes.create_string_buffer(512)
        conf = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(conf, b"log_level", b"0", why, len(why))
        self._client = self._library.rd_kafka_new(0, conf, why, len(why))
        assert self._client, why.value
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def topic(self, name: str, partitions: int) -> None:
        """Make a topic."""
        made = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        assert made == 0, made

    def down(self) -> None:
        """Stop answering."""
        assert self._library.rd_kafka_mock_broker_set_down(self._cluster, _ONE) == 0

    def up(self) -> None:
        """Answer again."""
        assert self._library.rd_kafka_mock_broker_set_up(self._cluster, _ONE) == 0

    def fail(self, api: Api, *errors: int) -> None:
        """Let the next requests fail, one with each of these codes of Kafka's protocol."""
        codes = (c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, api, len(errors), codes
        )

    def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


@contextmanager
def mock_kafka() -> Iterator[MockKafka]:
    broker = MockKafka()
    try:
        yield broker
    finally:
        broker.close()
