"""Which source of a tape the options of a command name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.running.sources import Files, FromHistory, FromKafka, FromLog, Origin
from infra.screen import Misused
from infra.verify.as_read import AnyLog

_SOURCES = "--data, --from-log, --from-kafka, --from-clickhouse"


class Logs(NamedTuple):
    """The logs that are named; a text that is empty names the one there is."""

    log: str | None
    kafka: bool
    clickhouse: str | None

    def given(self, *, follow: bool) -> list[AnyLog]:
        """Return what was given of them."""
        given: list[AnyLog] = []
        if self.log is not None:
            given.append(FromLog(Path(self.log).absolute() if self.log else None, follow))
        if self.kafka:
            given.append(FromKafka(follow))
        if self.clickhouse is not None:
            given.append(FromHistory(self.clickhouse))
        return given


def log_of(logs: Logs) -> AnyLog | None:
    """Return the one log that was given, if one was.

    Examples
    --------
    >>> log_of(Logs(None, False, "5f0c"))
    FromHistory(log='5f0c')

    """
    given = logs.given(follow=False)
    if len(given) > 1:
        raise Misused(f"{_named(given)}: give one of them")
    return given[0] if given else None


def origin_of(
    data: list[Path] | None,
    named: tuple[str | Mapping[str, str] | None, Mapping[str, str]],
    logs: Logs,
    *,
    follow: bool,
) -> Origin:
    """Return the one source that was given, having seen that the options go with it.

    Parameters
    ----------
    data
        Recorded files.
    named
        What their markets and columns are called.
    logs
        The logs.
    follow
        Whether to wait for more at the end.

    """
    given: list[Origin] = [Files(tuple(data), *named)] if data else []
    given += logs.given(follow=follow)
    if len(given) != 1:
        raise Misused(f"{_named(given)}: give exactly one of {_SOURCES}")
    [origin] = given
    if follow and not origin.endless:
        raise Misused(f"--follow {origin.option}: only --from-log and --from-kafka go on")
    if not data and any(named):
        raise Misused(f"--market and --column name what is in --data, not {origin.option}")
    return origin


def _named(given: list[Origin] | list[AnyLog]) -> str:
    return " and ".join(origin.option for origin in given) or "no source"


def markets_of(given: list[str]) -> str | dict[str, str] | None:
    """Return what `--market` names: the one market, or that of each symbol."""
    if len(given) == 1 and "=" not in given[0]:
        return given[0]
    return pairs(given, "--market", "BTCUSDT=binance:BTC/USDT") or None


def pairs(given: list[str], option: str, example: str) -> dict[str, str]:
    """Return what an option names by pairs, such as a column's name in the data."""
    for text in given:
        if not all(text.partition("=")):
            raise Misused(f"{option} {text}: write it as {example}")
    return {text.partition("=")[0]: text.partition("=")[2] for text in given}
