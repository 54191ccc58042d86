"""The signals that end what runs in a terminal: TERM, INT, and HUP, when the terminal closes."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

_ENDING = (signal.SIGINT, signal.SIGTERM)
_SIGNALS = (*_ENDING, signal.SIGHUP)


class Stop:
    """Says that it is time to stop; the handler of a signal may tell it.

    An event of `threading` locks itself up for ever when a signal comes in the wrong moment of its
    `wait`, and the handler sets it.

    Examples
    --------
    >>> stop = Stop()
    >>> stop.wait(0.0), stop.set(), stop.wait(60.0)
    (False, None, True)

    """

    def __init__(self) -> None:
        self._set, self._told = False, SimpleQueue[None]()

    def set(self) -> None:
        """Say it."""
        self._set = True
        self._told.put(None)

    def is_set(self) -> bool:
        """Tell whether it was said."""
        return self._set

    def wait(self, seconds: float) -> bool:
        """Wait until it is said, but no longer than this; whether it was."""
        with suppress(Empty):
            if not self._set:
                self._told.get(timeout=seconds)
        return self._set


@contextmanager
def hearing(stop: Callable[[], None]) -> Iterator[None]:
    """Drain on the first TERM or INT, and end at once on the second.

    A terminal that closes lets it drain, too. That is told more than once, and ends nothing.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    stopping = False

    def obey(number: int, _frame: object) -> None:
        nonlocal stopping
        if number == signal.SIGHUP:
            before[signal.SIGHUP] = signal.SIG_IGN
            speak_to_nobody()
        else:
            for each in _ENDING:
                signal.signal(each, signal.SIG_DFL)
        if not stopping:
            stopping = True
            stop()

    ours = threading.current_thread() is threading.main_thread()
    for number, handler in before.items():
        if ours and handler is not signal.SIG_IGN:
            signal.signal(number, obey)
    try:
        yield
    finally:
        for number, handler in before.items():
            if ours:
                signal.signal(number, handler)


@contextmanager
def deaf() -> Iterator[None]:
    """Let what is started here never hear the signals: we do, and tell it what to do."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def speak_to_nobody() -> None:
    """Lose what is said to a terminal that has closed: it would be an error, and end a drain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for told in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(told).st_mode) and not os.isatty(told):
                os.dup2(nowhere, told)
    os.close(nowhere)
