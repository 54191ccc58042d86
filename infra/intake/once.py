"""A market is taken in once: of two that do so, each puts all its trades and books into the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import quote

from connectors.disk import kept
from infra.lock import Busy, Lock
from infra.screen import Misused
from infra.settings import Settings


@contextmanager
def once(markets: Sequence[str], settings: Settings, *, kafka: bool) -> Iterator[None]:
    """Keep others of this home from taking in the same markets into the same log.

    Parameters
    ----------
    markets
        Full names.
    settings
        Whose log it is.
    kafka
        Whether that is Kafka's topic, not the embedded one.

    Raises
    ------
    Misused
        When others take some of them in already.

    """
    topic = settings.kafka.topic if kafka and settings.kafka else ""
    directory = settings.home / "ingest" / "taken" / quote(f"kafka {topic}" if kafka else "log")
    taken = []
    with ExitStack() as held:
        with kept("which markets are taken in", directory):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for market in markets:
                try:
                    held.enter_context(closing(Lock(directory / quote(market, safe=""))))
                except Busy:
                    taken.append(market)
        if taken:
            raise Misused(
                f"--markets {','.join(taken)}: another deck ingest or deck record takes that into "
                f"this log already: stop it, or leave that market away; deck record without "
                f"--markets keeps all that comes into the log"
            )
        yield
