"""What a log's writer and its clients say to each other comes over however it is cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.log.log import LogError
from connectors.log.wire import (
    MAX_MESSAGE,
    SOCKET,
    Message,
    Torn,
    address,
    answer,
    frame,
    hello,
    listening,
    read_answers,
    read_hello,
    take,
)

_MESSAGES = st.lists(
    st.builds(Message, st.integers(0, 2**64 - 1), st.text(max_size=20), st.binary(max_size=50))
)


@given(_MESSAGES, st.integers(1, 40))
def test_messages_come_over_however_they_are_cut(sent: list[Message], size: int) -> None:
    stream = b"".join(frame(*message) for message in sent)
    buffer = bytearray()
    got: list[Message] = []
    for at in range(0, len(stream), size):
        buffer += stream[at : at + size]
        got += take(buffer)
    assert got == sent
    assert not buffer


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.integers(1, 40))
def test_the_last_answer_counts(sent: list[int], size: int) -> None:
    stream = b"".join(map(answer, sent))
    buffer, got = bytearray(), []
    for at in range(0, len(stream), size):
        buffer += stream[at : at + size]
        got.append(read_answers(buffer))
    assert [number for number in got if number is not None][-1] == sent[-1]


def test_trouble_is_an_error_once_all_of_its_text_is_there() -> None:
    said = answer(3) + answer(4, "the disk is full: ä")
    buffer = bytearray(said[:-1])
    assert read_answers(buffer) == 3
    buffer += said[-1:]
    with pytest.raises(LogError, match="the disk is full: ä"):
        read_answers(buffer)


@pytest.mark.parametrize("again", [False, True])
def test_a_client_says_who_it_is(again: bool) -> None:
    assert read_hello(listening()) is None
    assert read_hello(hello(b"0123456789abcdef", again=again)) == (b"0123456789abcdef", again)
    with pytest.raises(Torn, match="begins with b'GET '"):
        read_hello(b"GET / HTTP/1.1\r\nHost: localhost\r\n")


def test_a_message_that_cannot_be_is_not_waited_for() -> None:
    head = bytearray(frame(1, "m", b""))
    head[:4] = (MAX_MESSAGE + 1).to_bytes(4, "big")
    with pytest.raises(Torn, match="bytes"):
        list(take(head))


def test_a_short_path_is_taken_as_it_is_and_a_long_one_another_way(tmp_path: Path) -> None:
    short, long = Path("/log"), tmp_path / ("d" * 100)
    long.mkdir()
    (long / SOCKET).touch()
    with address(short) as path:
        assert path == "/log/socket"
    with address(long) as path:
        assert len(path) < 100
        assert Path(path).samefile(long / SOCKET)
