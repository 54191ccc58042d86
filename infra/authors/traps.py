"""Traps: what a flow reads that is not on its tape, and the line that does."""

from __future__ import annotations

import gc
import random
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import NamedTuple

_ROOT = Path(__file__).parents[2]
_NOT_THEIRS = (
    *(str(_ROOT / room) for room in ("schemas", "operators", "connectors", "infra")),
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)
_PASSING = frozenset({"importlib", "linecache", "zoneinfo", "warnings"})
"""What these read is no data: code, its text, and the zones of the world."""

_CLOCKS = frozenset({
    "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
    "process_time", "process_time_ns", "localtime", "sleep", "ctime", "generate_time_safe",
})  # fmt: skip
_TODAY = frozenset({"now", "utcnow", "today"})
_DRAWS = frozenset({"random", "getrandbits"})
_ENTROPY = frozenset({"urandom", "getrandom"})
_CALLS = _CLOCKS | _TODAY | _DRAWS | _ENTROPY
_FRAMES = frozenset({"pandas", "polars", "pyarrow"})
"""Some of what they read they open by themselves, and Python does not hear of it."""
_OUTSIDE = frozenset({
    "open", "os.listdir", "os.scandir", "os.remove", "os.mkdir", "os.rename", "os.system",
    "socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen",
})  # fmt: skip


class Caught(NamedTuple):
    """What was read, by which line."""

    kind: str
    """`clock`, `chance`, `outside` or `sets`."""
    what: str
    file: Path
    line: int


class Traps:
    """Catch what the user's code does, in the thread that has `set` them."""

    def __init__(self) -> None:
        self.caught: dict[Caught, None] = {}
        self._away = False

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """Look away while garbage is collected: whoever's line that falls into, others left it."""
        gc.callbacks.insert(0, self._garbage_begins)  # others' callbacks are none of the line's
        gc.callbacks.append(self._garbage_ends)
        try:
            yield
        finally:
            gc.callbacks.remove(self._garbage_begins)
            gc.callbacks.remove(self._garbage_ends)

    def set(self) -> None:
        """Watch this thread."""
        sys.setprofile(self._called)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Let this thread call what it likes for a while, and run three times as fast."""
        sys.setprofile(None)
        try:
            yield
        finally:
            self.set()

    def _called(self, frame: FrameType, event: str, callee: object) -> None:
        if self._away:
            return
        if event == "c_call":
            name = getattr(callee, "__name__", "")
            if name in _CALLS and (kind := _kind(name, getattr(callee, "__self__", None))):
                self.note(kind, f"{name}()", frame)
        elif event == "call" and frame.f_code.co_name.startswith(("read_", "scan_")):
            module = str(frame.f_globals.get("__name__"))
            if module.partition(".")[0] in _FRAMES:
                self.note("outside", f"{frame.f_code.co_name}()", frame.f_back)

    def note(self, kind: str, what: str, frame: FrameType | None) -> None:
        """Note what was done, if it was the user's code that did it."""
        if (line := _theirs(frame)) is not None:
            self.note_line(Caught(kind, what, *line))

    def _garbage_begins(self, phase: str, _: Mapping[str, int]) -> None:
        self._away = self._away or phase == "start"

    def _garbage_ends(self, phase: str, _: Mapping[str, int]) -> None:
        self._away = self._away and phase != "stop"

    def note_line(self, found: Caught) -> None:
        """Note what a line does, if nothing of the kind was caught there yet."""
        if not any(one.kind == found.kind and one[2:] == found[2:] for one in self.caught):
            self.caught[found] = None


_set: list[Traps] = []
"""Those that are set: an audit hook stays for as long as Python runs."""
_hooked: list[bool] = []


@contextmanager
def traps() -> Iterator[Traps]:
    """Set traps, in this thread and for all that reaches outside."""
    if not _hooked:
        sys.addaudithook(_audited)
        _hooked.append(True)
    caught, before = Traps(), sys.getprofile()
    _set.append(caught)
    caught.set()
    try:
        with caught.looking_away():
            yield caught
    finally:
        sys.setprofile(before)
        _set.remove(caught)


def _audited(event: str, arguments: tuple[object, ...]) -> None:
    if _set and event in _OUTSIDE and "zoneinfo" not in str(arguments[:1]):
        what = f"{event}({arguments[0]!r})" if event == "open" else event
        _set[-1].note("outside", what, sys._getframe(1))


def _kind(name: str, owner: object) -> str:
    """Tell what a function of C's reads, if it is what a flow may not."""
    if isinstance(owner, ModuleType):
        if owner.__name__ in ("time", "_uuid"):
            return "clock" if name in _CLOCKS else ""
        return "chance" if name in _ENTROPY else ""
    if isinstance(owner, type):
        return "clock" if name in _TODAY and issubclass(owner, date) else ""
    shared = random.random.__self__  # type: ignore[attr-defined]
    return "chance" if owner is shared and name in _DRAWS else ""


def _theirs(frame: FrameType | None) -> tuple[Path, int] | None:
    """Return the nearest line of the user's that led here."""
    while frame is not None:
        file, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] in _PASSING or module.startswith("infra."):
            return None  # what stands behind us is who asked for this look
        if _is_theirs(file):
            return Path(file), frame.f_lineno
        frame = frame.f_back
    return None


@lru_cache
def _is_theirs(file: str) -> bool:
    return not file.startswith(("<", *_NOT_THEIRS))
