"""What an embedded log's writer and its clients say to each other, over a socket in its directory.

A client says who it is, and then sends its messages, numbered from 1. The writer answers with the
number up to which they are durable: first with what it has from before, then behind each commit.
A listener says that it is one, and is answered behind each commit, whoever it came from.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from connectors.log.log import LogError

SOCKET = "socket"
MAX_MESSAGE = 64 << 20
"""Bytes a message may have."""

_PATH_BYTES = 100
"""Some systems take no longer path of a socket."""

_HELLO = struct.Struct("!4s16s?")
_HEAD = struct.Struct("!IHQ")
_ANSWER = struct.Struct("!QI")
_MAGIC, _LISTENER = b"TDL1", b"TDH1"
HELLO_BYTES, ANSWER_BYTES = _HELLO.size, _ANSWER.size


class Torn(ValueError):
    """What came is not what a client of this version sends."""


class Message(NamedTuple):
    """One message as a client sends it."""

    number: int
    market: str
    content: bytes


def hello(client: bytes, *, again: bool) -> bytes:
    """Return how a client begins: its id, and whether the writer answered it before."""
    return _HELLO.pack(_MAGIC, client, again)


def listening() -> bytes:
    """Return how one begins who only wants to hear that there is something new."""
    return _HELLO.pack(_LISTENER, bytes(16), False)


def read_hello(data: bytes | bytearray) -> tuple[bytes, bool] | None:
    """Return a client's id, and whether a writer answered it before; None of a listener."""
    magic, client, again = _HELLO.unpack_from(data)
    if magic == _LISTENER:
        return None
    if magic != _MAGIC:
        raise Torn(f"a client begins with {magic!r}, not {_MAGIC!r}")
    return client, again


def frame(number: int, market: str, content: bytes) -> bytes:
    """Return a message as it is sent.

    Examples
    --------
    >>> sent = bytearray(frame(1, "sim:A/USD", b"{}") + frame(2, "sim:A/USD", b"[]")[:10])
    >>> list(take(sent)), len(sent)
    ([Message(number=1, market='sim:A/USD', content=b'{}')], 10)

    """
    key = market.encode()
    return _HEAD.pack(len(content), len(key), number) + key + content


def take(buffer: bytearray) -> Iterator[Message]:
    """Take all whole messages off the front of a buffer."""
    at = 0
    with memoryview(buffer) as view:
        while at + _HEAD.size <= len(buffer):
            size, keyed, number = _HEAD.unpack_from(buffer, at)
            if size > MAX_MESSAGE:
                raise Torn(f"a message of {size:,} bytes")
            key = at + _HEAD.size
            if key + keyed + size > len(buffer):
                break
            at = key + keyed + size
            yield Message(
                number, str(view[key : key + keyed], "utf-8"), bytes(view[key + keyed : at])
            )
    del buffer[:at]


def answer(number: int, trouble: str = "") -> bytes:
    """Return the writer's word: durable up to `number`, or what is wrong."""
    text = trouble.encode()
    return _ANSWER.pack(number, len(text)) + text


def read_answers(buffer: bytearray) -> int | None:
    """Take all answers off the front of a buffer; the last of them, if there is one.

    Raises
    ------
    LogError
        When one of them tells what is wrong.

    """
    last, at = None, 0
    while at + _ANSWER.size <= len(buffer):
        number, size = _ANSWER.unpack_from(buffer, at)
        text = at + _ANSWER.size
        if text + size > len(buffer):
            break
        at = text + size
        if size:
            raise LogError(buffer[text:at].decode())
        last = number
    del buffer[:at]
    return last


@contextmanager
def address(directory: Path) -> Iterator[str]:
    """Give the path of a log's socket, by a short way round if it is too long for a socket."""
    path = directory / SOCKET
    if len(os.fsencode(path)) <= _PATH_BYTES:
        yield str(path)
        return
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        around = Path(f"/proc/self/fd/{held}")
        if not around.exists():
            raise LogError(f"{path} is too long for a socket: keep the log elsewhere")
        yield str(around / SOCKET)
    finally:
        os.close(held)


def dial(directory: Path, seconds: float) -> socket.socket:
    """Connect to a log's writer; an `OSError` says that none answers."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        with address(directory) as path:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
