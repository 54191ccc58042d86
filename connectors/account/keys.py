"""The keys of an account: from the environment, or a file that only its owner may read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as Malformed
from dataclasses import dataclass, field
from pathlib import Path

from schemas.mendable import Mendable

FILE = "accounts.ini"
"""Its name, in the home directory."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SETTINGS = "exchange", "key", "secret", "password"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeysError(Mendable, ValueError):
    """Keys that cannot be used; its text says why, and what to do, and holds none of them."""


@dataclass(frozen=True)
class AccountKeys:
    """What an account is reached with.

    Parameters
    ----------
    account
        Its name here.
    exchange
        ccxt's name of the exchange.
    key, secret, password
        What the exchange gave out; some want no password.
    source
        Where they come from.

    Examples
    --------
    >>> AccountKeys("main", "okx", "K", "S", "P", source="the environment")
    AccountKeys(account='main', exchange='okx', source='the environment')

    """

    account: str
    exchange: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    password: str = field(default="", repr=False)
    source: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen anywhere."""
        return tuple(value for value in (self.key, self.secret, self.password) if value)


def account_keys(
    account: str, home: Path, environment: Mapping[str, str] = os.environ
) -> AccountKeys:
    """Return the keys of an account; what the environment says goes first.

    Parameters
    ----------
    account
        Its name: a letter, then letters, digits, `-` and `_`.
    home
        The directory with the file of keys. A section of it, `[NAME]`, has `exchange`, `key`,
        `secret`, and `password` if the exchange wants one.
    environment
        May have `TAPEDECK_ACCOUNT_NAME_EXCHANGE`, `..._KEY`, `..._SECRET` and `..._PASSWORD`.

    Raises
    ------
    KeysError
        When there are none, or others may read them.

    Examples
    --------
    >>> says = {"EXCHANGE": "binance", "KEY": "K", "SECRET": "S"}
    >>> account_keys("main", Path(), {f"TAPEDECK_ACCOUNT_MAIN_{k}": v for k, v in says.items()})
    AccountKeys(account='main', exchange='binance', source='TAPEDECK_ACCOUNT_MAIN_...')

    """
    if not _NAME.fullmatch(account):
        raise KeysError(
            f"account {account!r} is no name: use a letter, then letters, digits, - and _"
        )
    start = _prefix(account)
    said = {name: environment.get(start + name.upper(), "").strip() for name in _SETTINGS}
    if any(said.values()):
        return _made(account, said, f"{start}...")
    path = home / FILE
    parser = _read(path) if path.exists() else ConfigParser(interpolation=None)
    if account not in parser:
        known = ", ".join(parser.sections())
        raise KeysError(
            f"no keys of account {account!r}: set {start}EXCHANGE, {start}KEY and {start}SECRET, "
            f"or write [{account}] into {path}" + (f", which has {known}" if known else "")
        )
    return _made(account, {n: parser[account].get(n, "").strip() for n in _SETTINGS}, str(path))


def account_names(home: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the accounts that there are keys of; those of the environment in small letters.

    Raises
    ------
    KeysError
        When others may read the file, or it cannot be read.

    Examples
    --------
    >>> account_names(Path("nowhere"), {"TAPEDECK_ACCOUNT_MAIN_KEY": "K"})
    ['main']

    """
    path, found = home / FILE, re.compile(r"TAPEDECK_ACCOUNT_(\w+)_KEY")
    written = _read(path).sections() if path.exists() else []
    known = {_prefix(name) for name in written}
    told = [match[1].lower() for name in environment if (match := found.fullmatch(name))]
    return sorted([*written, *(name for name in told if _prefix(name) not in known)])


def _prefix(account: str) -> str:
    return f"TAPEDECK_ACCOUNT_{account.upper().replace('-', '_')}_"


def _made(account: str, said: Mapping[str, str], source: str) -> AccountKeys:
    missing = [name for name in ("exchange", "key", "secret") if not said[name]]
    if missing:
        raise KeysError(f"account {account!r}: {source} does not say {' and '.join(missing)}")
    return AccountKeys(account, **said, source=source)


def _read(path: Path) -> ConfigParser:
    """Read the file through one handle, so that what is looked at is what is read."""
    parser = ConfigParser(interpolation=None)  # a secret may have a percent sign
    try:
        with path.open() as file:
            _look(os.fstat(file.fileno()), path)
            parser.read_file(file)
    except (Malformed, UnicodeDecodeError) as error:  # its text would show the line
        number = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", [])), [0])[0]
        where = f"line {number}" if number else "somewhere"
        raise KeysError(
            f"{path}: {where} cannot be read; write [NAME], and below it a line each for "
            "exchange, key and secret, such as exchange = binance"
        ) from None
    except OSError as error:
        raise KeysError(f"{path} cannot be read: {error.strerror}") from None
    return parser


def _look(state: os.stat_result, path: Path) -> None:
    if state.st_uid != os.getuid():
        raise KeysError(f"{path} belongs to another user: its keys are not used; write your own")
    if state.st_mode & _OTHERS:
        mode = f"{stat.S_IMODE(state.st_mode):04o}"
        raise KeysError(f"{path} may be read by others (mode {mode}): run chmod 600 {path}")
