"""Whether what is kept at home is kept well: rights, keys, stores, rows that wait."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import orjson

from connectors.account.keys import KeysError, account_keys, account_names
from connectors.history.journal import waiting
from infra.doctor.finding import Finding, bad, ok, warn
from infra.notices.settings import NotifySettings

_LONG_SECONDS = 300.0
_PRIVATE = ("history", "executor/*", "deployments/*", "trading/*", "supervisor")
"""Directories whose content is secret, or run as code."""


def rights(home: Path) -> Iterator[Finding]:
    """Look who may use what is ours."""
    if not home.exists():
        yield ok("home", f"nothing yet in {home}")
        return
    if home.stat().st_uid != os.getuid():
        yield bad("home", f"{home} is another user's", "set TAPEDECK_HOME to a directory of yours")
        return
    if not os.access(home, os.W_OK):
        yield bad("home", f"{home} may not be written to", f"chmod u+w '{home}'")
        return
    if home.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield bad("home", f"others may write to {home}", f"chmod go-w '{home}'")
        return
    open_ones = [
        str(path)
        for name in _PRIVATE
        for path in sorted(home.glob(name))
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if open_ones:
        said = " ".join(open_ones)
        yield warn("home", f"others may look into {said}", f"chmod 700 {said}")
    else:
        yield ok("home", str(home))


def keys(home: Path) -> Iterator[Finding]:
    """Look whether accounts have their keys, and nobody else has."""
    try:
        names = account_names(home)
        for name in names:
            account_keys(name, home)
    except KeysError as error:
        yield bad("keys", str(error), "as it says")
    else:
        if names:
            yield ok("keys", f"of {', '.join(names)}")


def chats(notify: NotifySettings) -> Iterator[Finding]:
    """Look whether people are told."""
    if bool(notify.telegram_token) != bool(notify.telegram_chat):
        yield bad(
            "notices", "a Telegram token and a chat go together, and one is missing",
            "set TAPEDECK_NOTIFY_TELEGRAM_TOKEN and TAPEDECK_NOTIFY_TELEGRAM_CHAT",
        )  # fmt: skip
    elif notify.ways:
        yield ok("notices", f"by {' and '.join(notify.ways)}; deck notify --test tries it")


def stores(home: Path) -> Iterator[Finding]:
    """Compare the versions that stores were made with with those that are here."""
    here = {
        "python": ".".join(map(str, sys.version_info[:2])),
        "bytewax": version("bytewax"),
        "river": version("river"),
    }
    found = [*home.glob("trading/*/run.json"), *home.glob("deployments/*/store/run.json")]
    for path in sorted(found):
        check = f"store {path.parent.relative_to(home)}"
        try:
            there = orjson.loads(path.read_bytes())
            other = [f"{name} {there[name]}" for name in here if there[name] != here[name]]
        except (ValueError, KeyError, TypeError):
            yield bad(check, "run.json is damaged", "put the whole directory back from a backup")
            continue
        if other:
            said = f"made with {', '.join(other)}"
            yield bad(check, said, "go on with these versions, or start the flow afresh")
    if found:
        yield ok("stores", f"{len(found)} looked at")


def journals(home: Path) -> Iterator[Finding]:
    """Look for rows that wait for history for long."""
    found = [
        entry.path
        for pattern in ("runs/*/*/journal", "trading/*/*/journal", "deployments/*/store/*/journal")
        for journal in home.glob(pattern)
        for entry in waiting(journal)
    ]
    now = time.time()
    ages = [0.0]
    for path in found:
        with suppress(FileNotFoundError):  # history has it
            ages.append(now - path.stat().st_mtime)
    said = f"{len(found)} blocks of rows wait for history, the oldest for {max(ages):,.0f} s"
    if max(ages) > _LONG_SECONDS:
        yield warn("rows", said, "deck history status, then deck history drain")
    else:
        yield ok("rows", said if found else "history has them all")
