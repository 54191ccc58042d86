"""What can be done to a process besides signals: its clock is wrong, its disk is slow or full."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SLOT = struct.Struct("=4q")
_STARTS = range(0, 16 * _SLOT.size, _SLOT.size)
_PID = 8
"""Bytes of the process's id, the first of a slot."""
_SHIM = Path(__file__).with_name("shim.c")


@dataclass(frozen=True)
class Trouble:
    """What a process has to live with.

    Parameters
    ----------
    clock
        How far its clock is ahead, in nanoseconds.
    sync
        How much longer a sync takes, in nanoseconds.
    full
        Whether its disk takes nothing.

    """

    clock: int = 0
    sync: int = 0
    full: bool = False


class Troubles:
    """The troubles of all processes that are started with `environment`.

    Parameters
    ----------
    directory
        Where the shim is built, and told what to do.

    Raises
    ------
    FileNotFoundError
        When there is no C compiler.

    """

    def __init__(self, directory: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise FileNotFoundError("no C compiler: install one (Debian: apt install gcc)")
        shim, told = directory / "shim.so", directory / "troubles"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(shim), str(_SHIM), "-ldl"]
        subprocess.run(command, check=True)
        told.write_bytes(bytes(_STARTS.stop))
        self.environment = {"LD_PRELOAD": str(shim), "CHAOS": str(told)}
        with told.open("r+b") as file:
            self._told = mmap.mmap(file.fileno(), 0)

    def give(self, pid: int, trouble: Trouble) -> None:
        """Let a process have a trouble from now on."""
        at = next(at for at in _STARTS if self._whose(at) in (pid, 0))
        slot = _SLOT.pack(pid, trouble.clock, trouble.sync, trouble.full)
        self._told[at + _PID : at + _SLOT.size] = slot[_PID:]
        self._told[at : at + _PID] = slot[:_PID]  # it counts when all of it is there

    def take(self, pid: int) -> None:
        """Let it have none."""
        for at in _STARTS:
            if self._whose(at) == pid:
                self._told[at : at + _PID] = bytes(_PID)

    def close(self) -> None:
        """Let nobody have any."""
        for at in _STARTS:
            self._told[at : at + _PID] = bytes(_PID)
        self._told.close()

    def _whose(self, at: int) -> int:
        return int.from_bytes(self._told[at : at + _PID], "little")
