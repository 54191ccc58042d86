"""Nothing secret leaves: every text that is shown, kept or logged goes through here."""

from __future__ import annotations

import base64
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from urllib.parse import quote, quote_plus

HIDDEN = "<hidden>"
_SHORTEST = 6
"""A shorter value is no secret, and hiding it would tear words apart."""
_NAMES = (
    r"signature|sign|api[-_]?key|api[-_]?secret|secret(?:[-_]?key)?|listen[-_]?key|pass[-_]?phrase|password"
    r"|passwd|token|x-mbx-apikey|ok-access-\w+|x-bapi-\w+|kc-api-\w+|api-sign|authorization"
)
_NAMED = re.compile(
    rf"""(?<![a-z0-9])((?:{_NAMES})"""
    r"""(?:\\?["']?\s*(?:%3d|=|:)\s*|["']\s*,\s*)(?:b?\\?["'])?(?:(?:bearer|basic)\s+)?)"""
    r"""(?!(?:bearer|basic)\s)(?:(?<=["'])[^"'\\]+|[^\s"'&,;)}\]\\<>]+)""",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(?<=://)[^/@\s]*@")
_STREAM = re.compile(r"(?<=[/=])[A-Za-z0-9]{40,}(?![A-Za-z0-9])")
"""A listen key stands in the address of a stream."""
_SIGNED = re.compile(r"\?\S*?\b(?:signature|sign|timestamp|recvWindow)=[^\s\"'<>]*", re.IGNORECASE)
"""The query of a signed request, whatever else it says."""
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def keep_secret(*values: str) -> None:
    """Hide these values from now on, in whatever form they are sent."""
    global _pattern  # noqa: PLW0603 - one process has one set of secrets
    for value in values:
        if len(value) >= _SHORTEST:
            _known.update(_forms(value))
    if _known:
        longest_first = sorted(_known, key=len, reverse=True)
        _pattern = re.compile("|".join(re.escape(form) for form in longest_first))


def scrub(text: str) -> str:
    """Return a text without what is secret in it.

    Examples
    --------
    >>> scrub("GET https://me:word@host/order?symbol=X&timestamp=1&signature=abc 503")
    'GET https://host/order?<hidden> 503'
    >>> scrub("{'X-MBX-APIKEY': 'abc', 'code': -2015}")
    "{'X-MBX-APIKEY': '<hidden>', 'code': -2015}"

    """
    if _pattern is not None:
        text = _pattern.sub(HIDDEN, text)
    text = _LOGIN.sub("", text)
    text = _SIGNED.sub(f"?{HIDDEN}", text)
    text = _STREAM.sub(HIDDEN, text)
    return _NAMED.sub(rf"\g<1>{HIDDEN}", text)


def scrubbed(error: BaseException) -> str:
    """Return the traceback of an error, with what led to it, without what is secret."""
    return scrub("".join(traceback.format_exception(type(error), error, error.__traceback__)))


class ScrubFilter(logging.Filter):
    """Lets every record pass, without what is secret in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the finished, scrubbed text in the place of the message and its arguments."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError) as error:
            message = f"{record.msg!r} with {record.args!r}: {error}"
        record.msg, record.args = scrub(message), None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = scrubbed(record.exc_info[1])
            record.exc_info = None
        if record.stack_info:
            record.stack_info = scrub(record.stack_info)
        return True


def install(write: Callable[[str], object] | None = None) -> None:
    """Scrub all logging of this process, and the tracebacks of what nobody caught.

    Parameters
    ----------
    write
        Takes a traceback; else it goes to the error output.

    """
    _wrap_factory()

    def tell(text: str) -> None:
        (write or sys.stderr.write)(text)

    def on_exception(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        tell(scrubbed(error.with_traceback(trace)))

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            tell(f"in thread {args.thread.name if args.thread else '?'}: ")
            tell(scrubbed(args.exc_value))

    def on_lost(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            tell(scrubbed(args.exc_value))

    sys.excepthook, threading.excepthook, sys.unraisablehook = on_exception, on_thread, on_lost


def _wrap_factory() -> None:
    """Scrub each record at birth, so that no handler, whoever adds it, sees anything else."""
    make = logging.getLogRecordFactory()
    if getattr(make, "scrubs", False):
        return
    clean = ScrubFilter()

    def born(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        clean.filter(record)
        return record

    born.scrubs = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(born)


def _forms(value: str) -> set[str]:
    """Return what a value looks like where it is written, quoted or encoded."""
    raw = value.encode()
    coded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    escaped = value.encode("unicode_escape").decode()
    quoted = {quote(value), quote(value, safe=""), quote_plus(value)}
    return {value, escaped, raw.hex(), *quoted, *coded}
