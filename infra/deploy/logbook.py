"""What a deployment says, in a file that does not grow for ever: as text, or one JSON a line."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

import orjson

from connectors.disk import kept
from connectors.scrub import scrub

BYTES, OLD = 4 << 20, 4
"""Of a file, and how many older ones are kept."""
_LOOK_SECONDS = 0.1
_PIECE = 1 << 16


def open_book(
    path: Path,
    name: str,
    beside: TextIO | None = None,
    environment: Mapping[str, str] = os.environ,
) -> logging.Logger:
    """Return what writes a deployment's log; what is secret is left out.

    Parameters
    ----------
    path
        The file.
    name
        The deployment's.
    beside
        Where all of it is written, too.
    environment
        `TAPEDECK_LOG=json` asks for one JSON a line.

    """
    with kept("a log", path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = RotatingFileHandler(path, maxBytes=BYTES, backupCount=OLD, encoding="utf-8")
    json = environment.get("TAPEDECK_LOG", "").lower() == "json"
    form = _Json(name) if json else _Text()
    logger = logging.getLogger(f"tapedeck.deploy.{name}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handlers: list[logging.Handler] = [handler]
    if beside is not None:
        handlers.append(logging.StreamHandler(beside))
    for one in handlers:
        one.setFormatter(form)
        logger.addHandler(one)
    return logger


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{_stamp(record)} {record.levelname.lower():7} {scrub(record.getMessage())}"


class _Json(logging.Formatter):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def format(self, record: logging.LogRecord) -> str:
        said = scrub(record.getMessage())
        line = {"ts": _stamp(record), "level": record.levelname.lower(), "flow": self._name}
        return orjson.dumps({**line, "text": said}).decode()


def _stamp(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def last(path: Path, lines: int) -> list[str]:
    """Return the last lines of a log, also those that stand in the file before."""
    found: list[str] = []
    for file in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, OLD + 1))):
        if len(found) >= lines or not file.exists():
            break
        found = file.read_text("utf-8", "replace").splitlines()[-(lines - len(found)) :] + found
    return found


def follow(path: Path) -> Generator[str, None, None]:
    """Yield what is added to a log from now on, without end; also when a new file is begun."""
    with ExitStack() as held:
        file = held.enter_context(path.open("rb")) if path.exists() else None
        if file is not None:
            file.seek(0, os.SEEK_END)
        rest = b""
        while True:
            if file is not None and (piece := file.read(_PIECE)):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in lines)
            elif path.exists() and (file is None or _inode(file.fileno()) != _inode(path)):
                held.close()
                file = held.enter_context(path.open("rb"))
            else:
                time.sleep(_LOOK_SECONDS)


def _inode(file: Path | int) -> int:
    return os.stat(file).st_ino  # noqa: PTH116 - a Path cannot be a descriptor
