"""What lets a browser in: a token in a file of its owner's, and what is made from it."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

from connectors.disk import kept
from schemas.mendable import Mendable

_FILE = "token"
_BYTES = 32


class TokenError(Mendable, ValueError):
    """The token cannot be used; the text says why, and what to do."""


class Keys:
    """The token of a page, and what a browser shows instead of it.

    Parameters
    ----------
    token
        Whoever has it may look, and command.

    Examples
    --------
    >>> keys = Keys("word")
    >>> keys.opens("word"), keys.opens("wordy"), keys.opens("wörd")
    (True, False, False)
    >>> keys.known(keys.cookie), keys.known("word"), keys.sent_by_page(keys.csrf)
    (True, False, True)
    >>> ticket = keys.ticket()
    >>> keys.opens(ticket), keys.admits(ticket), keys.admits(ticket), keys.admits("word")
    (False, True, False, True)

    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.cookie = self._made("cookie")
        """What the browser keeps: whoever sees it does not have the token."""
        self.csrf = self._made("csrf")
        """What only the page can know: another site's form sends the cookie, but not this."""
        self._ticket = ""

    def ticket(self) -> str:
        """Return a word that opens the page once, for where others may read it: a command line."""
        self._ticket = secrets.token_urlsafe(_BYTES)
        return self._ticket

    @classmethod
    def of(cls, home: Path) -> Keys:
        """Return those of a home; the token is made the first time, for its owner's eyes only.

        Raises
        ------
        TokenError
            When others may read or write its file.
        DiskError
            When it cannot be written.

        """
        directory = home / "dashboard"
        path = directory / _FILE
        with kept("the dashboard's token", path):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                part = directory / f"{_FILE}.{os.getpid()}"
                file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(file, "w") as out:
                    out.write(secrets.token_urlsafe(_BYTES))
                part.replace(path)
            found = path.stat()
            if found.st_uid != os.getuid() or found.st_mode & 0o077:
                mode = stat.filemode(found.st_mode)
                raise TokenError(f"others may use {path} ({mode}): remove it, a new one is made")
            token = path.read_text().strip()
        if len(token) < _BYTES:
            raise TokenError(f"{path} holds no token: remove it, a new one is made")
        return cls(token)

    def opens(self, said: str) -> bool:
        """Tell whether this is the token."""
        return _same(said, self.token)

    def admits(self, said: str) -> bool:
        """Tell whether a browser that says this is let in; a ticket is used up by it."""
        if not self._ticket or not _same(said, self._ticket):
            return self.opens(said)
        self._ticket = ""
        return True

    def known(self, cookie: str) -> bool:
        """Tell whether a browser that shows this cookie was let in."""
        return _same(cookie, self.cookie)

    def sent_by_page(self, said: str) -> bool:
        """Tell whether what changes something was sent by the page itself."""
        return _same(said, self.csrf)

    def _made(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), "sha256").hexdigest()


def _same(said: str, right: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(said.encode("utf-8", "replace"), right.encode())
