"""Whether a flow concludes the same in another process, where Python hashes texts otherwise."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.authors.found import Found
from infra.authors.market import Row, strips
from infra.authors.play import Concluded, differing, play
from infra.running import flowfile

_PIECE = 1_000
_REMEDY = "sort a set before it is gone through, and let nothing depend on hash() or id()"


class Elsewhere:
    """A play of the same tape, begun in another process."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path) -> None:
        self._process = process
        self._out = out

    def look(self, path: Path, whole: Concluded) -> Found:
        """Wait for its end, and compare what it concluded with what was concluded here."""
        said = self._process.communicate()[1].decode(errors="replace").strip()
        if self._process.returncode:
            last = said.splitlines()[-1] if said else f"status {self._process.returncode}"
            return Found("elsewhere", False, f"in another process it fails: {last}", str(path))
        with self._out.open("rb") as file:
            differs = differing(whole, pickle.load(file))  # noqa: S301 - we have just written it
        if differs:
            says = f"in another process it concludes other: {differs}"
            return Found("elsewhere", False, says, str(path), _REMEDY)
        return Found("elsewhere", good=True, says="in a process that hashes otherwise: the same")


@contextmanager
def elsewhere(path: Path, rows: Sequence[Row]) -> Iterator[Elsewhere]:
    """Let another process play the tape meanwhile."""
    with TemporaryDirectory(prefix="tapedeck-") as directory:
        tape, out = Path(directory, "tape"), Path(directory, "concluded")
        tape.write_bytes(pickle.dumps(strips(rows, _PIECE)))
        with subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "infra.authors.elsewhere", str(path), str(tape), str(out)],
            env={**os.environ, "PYTHONHASHSEED": _other_seed()},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                yield Elsewhere(process, out)
            finally:
                process.kill()


def _other_seed() -> str:
    """Return a seed of hashes that is not the one here."""
    return "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"


def _main(path: str, tape: str, out: str) -> None:
    items = pickle.loads(Path(tape).read_bytes())  # noqa: S301 - our own parent has written it
    flow = Path(path)
    Path(out).write_bytes(pickle.dumps(play(flow, flowfile.load(flow), items)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
