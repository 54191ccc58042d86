"""Processes that divide the work, and the keyboard."""

import subprocess
import sys
from pathlib import Path

ASK = """
import signal
from infra.running.processes import together


class Asked:
    def __init__(self, number):
        pass

    def run(self):
        return signal.pthread_sigmask(signal.SIG_BLOCK, [])

    def stop(self):
        pass

    def at(self):
        return None


if __name__ == "__main__":
    for blocked in together(Asked, 2, lambda at: None):
        print({signal.SIGINT, signal.SIGTERM} <= blocked)
"""


def test_the_keyboard_reaches_none_of_them_not_even_the_first(tmp_path: Path) -> None:
    script = tmp_path / "ask.py"
    script.write_text(ASK)
    root = Path(__file__).parents[3]
    said = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.splitlines() == ["True", "True"], said.stderr
