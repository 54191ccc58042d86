"""What the process imports of which commands are forks: imported there, and nowhere else.

Its output is nobody's, as theirs is no terminal: what is decided when it is imported fits them.
"""

from __future__ import annotations

import os
from importlib import import_module

from infra.deck import DOORS

_COMMANDS = ("trade", "replay", "executor", "ingest", "flatten", "topics")

for _number in (0, 1):
    os.dup2(os.open(os.devnull, os.O_RDWR), _number)
import_module("tests.infra.hasty_deck")
for _command in _COMMANDS:
    import_module(f"infra.{DOORS[_command].module}")
for _needed in ("ccxt.pro", "river.linear_model", "river.preprocessing"):
    import_module(_needed)
