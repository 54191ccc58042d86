"""The bodies of HTTP requests and answers: chunks and packing, a piece at a time."""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from backports import zstd
from lz4 import frame as lz4

MAX_BODY = 4 << 30
"""Bytes of one insert, unpacked."""

_PIECE = 1 << 18
_TRAILERS = 20


class BadRequest(Exception):
    """A request that cannot be served; `status` is HTTP's number for why."""

    def __init__(self, why: str, status: int = 400, code: int = 1002) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {why}")
        self.status = status


class _Stream(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int = -1, /) -> bytes: ...


def body(stream: _Stream, headers: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the body, unpacked, in pieces; never more than `MAX_BODY` in all."""
    raw = _chunks(stream) if _chunked(headers) else _counted(stream, headers)
    encoding = headers.get("content-encoding", "").lower()
    size = 0
    try:
        for piece in _unpacked(raw, encoding):
            size += len(piece)
            if size > MAX_BODY:
                raise BadRequest(f"the body is longer than {MAX_BODY} bytes", 413)
            yield piece
    except (zlib.error, zstd.ZstdError, RuntimeError) as error:
        raise BadRequest(f"the body is no {encoding}: {error}") from None


def packed(
    pieces: Iterable[bytes | memoryview], encoding: str | None
) -> Iterator[bytes | memoryview]:
    """Yield the pieces, packed as `encoding` says, none longer than one packet of the wire."""
    pack = _packer(encoding)
    for piece in pieces:
        view = memoryview(piece)
        for at in range(0, len(view), _PIECE):
            if out := pack.compress(view[at : at + _PIECE]):
                yield out
    if rest := pack.flush():
        yield rest


class _Packer(Protocol):
    def compress(self, data: bytes | memoryview, /) -> bytes | memoryview: ...
    def flush(self) -> bytes: ...


class _Plain:
    @staticmethod
    def compress(data: bytes | memoryview) -> bytes | memoryview:
        return data

    @staticmethod
    def flush() -> bytes:
        return b""


class _Lz4:
    def __init__(self) -> None:
        self._pack = lz4.LZ4FrameCompressor()
        self._head = self._pack.begin()

    def compress(self, data: bytes | memoryview) -> bytes:
        head, self._head = self._head, b""
        packed: bytes = self._pack.compress(bytes(data))
        return bytes(head) + packed

    def flush(self) -> bytes:
        return bytes(self._head) + bytes(self._pack.flush())


def _packer(encoding: str | None) -> _Packer:
    if encoding == "lz4":
        return _Lz4()
    if encoding == "zstd":
        zstandard: _Packer = zstd.ZstdCompressor(level=1)
        return zstandard
    if encoding in {"gzip", "deflate"}:
        return zlib.compressobj(1, wbits=31 if encoding == "gzip" else 15)
    return _Plain()


def _unpacked(raw: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Unpack bit by bit: a small packed body may be a huge one, and is never held whole."""
    if encoding in {"", "identity"}:
        yield from raw
        return
    if encoding in {"gzip", "deflate"}:
        inflate = zlib.decompressobj(wbits=47)  # either head
        for piece in raw:
            rest = piece
            while rest:
                yield inflate.decompress(rest, _PIECE)
                rest = inflate.unconsumed_tail
        yield inflate.flush()
        return
    if encoding not in {"lz4", "zstd"}:
        raise BadRequest(f"cannot unpack the encoding {encoding[:20]!r}", 415)
    unpack = lz4.LZ4FrameDecompressor() if encoding == "lz4" else zstd.ZstdDecompressor()
    for piece in raw:
        if unpack.eof:
            break
        yield unpack.decompress(piece, _PIECE)
        while not unpack.eof and not unpack.needs_input:
            yield unpack.decompress(b"", _PIECE)


def _chunked(headers: Mapping[str, str]) -> bool:
    return "chunked" in headers.get("transfer-encoding", "").lower()


def _counted(stream: _Stream, headers: Mapping[str, str]) -> Iterator[bytes]:
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdecimal():
        raise BadRequest(f"the Content-Length {length[:20]!r} is no number")
    left = int(length)
    while left:
        if not (piece := stream.read(min(left, _PIECE))):
            raise BadRequest("the body ends before its Content-Length")
        left -= len(piece)
        yield piece


def _chunks(stream: _Stream) -> Iterator[bytes]:
    while left := _chunk_size(stream):
        while left:
            if not (piece := stream.read(min(left, _PIECE))):
                raise BadRequest("the body ends within a chunk")
            left -= len(piece)
            yield piece
        if stream.readline(3).strip():
            raise BadRequest("a chunk is longer than it says")
    for _ in range(_TRAILERS):
        if not stream.readline(1 << 10).strip():
            return
    raise BadRequest("too many trailers")


def _chunk_size(stream: _Stream) -> int:
    line = stream.readline(1 << 10)
    if not (size := re.match(rb"([0-9a-fA-F]{1,8})\s*(;|\r?\n)", line)):
        raise BadRequest(f"{line[:20]!r} is no chunk size")
    return int(size[1], 16)
