"""Whether the servers are well that flows need: logs, history, Kafka, the supervisor."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.history.clickhouse import UNREACHABLE, reason
from connectors.log.log import LogError
from infra.deploy.deployment import REPLAY, DeployError
from infra.deploy.programs import FLOW
from infra.deploy.supervisor import Supervisor
from infra.doctor.finding import Finding, bad, ok, warn
from infra.history.history import History
from infra.history.home import HistoryError
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings

_SILENT = "does not answer"
_ENDED = frozenset({"FATAL", "EXITED", "BACKOFF", "UNKNOWN"})
"""What the supervisor calls programs that do not run, and should."""
_TROUBLES = (
    "SELECT 'rejects' AS what, count() FROM rejects WHERE ts > now() - INTERVAL 1 DAY "
    "UNION ALL SELECT 'faults', count() FROM faults WHERE ts > now() - INTERVAL 1 DAY"
)


def logs(settings: Settings) -> Iterator[Finding]:
    """Look at the embedded log, and the order queue."""
    for log in (MarketLog(settings), OrderQueue(settings)):
        check = "market log" if log.name == "log" else "order queue"
        if not log.directory.exists():
            continue
        try:
            said = log.status().partition(": ")[2]
        except LogError as error:
            yield bad(check, str(error), "deck log stop, then start it; else put back a backup")
            continue
        if _SILENT in said:
            yield bad(check, said, "deck log stop; if that does not end it, kill its pid")
        else:
            yield ok(check, said)


def history(settings: Settings) -> Iterator[Finding]:
    """Look at history; it is not started for that."""
    kept = History(settings)
    try:
        said = kept.status().partition(": ")[2]
        if _SILENT in said:
            yield bad("history", said, "deck history stop, then start; or look at CLICKHOUSE_URL")
            return
        yield ok("history", said)
        if not said.startswith("down"):
            yield from _lately(kept)
    except (HistoryError, *UNREACHABLE) as error:
        yield bad("history", reason(error), "as it says")


def _lately(kept: History) -> Iterator[Finding]:
    """Look for what could not be read, and what failed in flows, within a day."""
    with kept.client("reader") as client:
        for what, count in client.query(_TROUBLES).result_rows:
            said = f"{count:,} within a day"
            yield (
                warn(what, said, f"look at the table {what}: deck sql") if count else ok(what, said)
            )


def kafka(settings: Settings) -> Iterator[Finding]:
    """Look at Kafka's topics."""
    if settings.kafka is None:
        return
    from infra.log.topic_rules import Wanted, faults  # noqa: PLC0415 - only where there is Kafka
    from infra.log.topics import Topics  # noqa: PLC0415

    try:
        topics = Topics(settings.kafka)
        found = {topic.name: topic for topic in topics.found()}
    except LogError as error:
        yield bad("kafka", str(error), "look at KAFKA_BOOTSTRAP, and whether the brokers run")
        return
    copies = 1 if topics.brokers == 1 else 3
    for name in topics.names:
        if name not in found:
            yield bad(f"topic {name}", "it is not there", "deck topics create")
            continue
        there = found[name]
        wrong = [*faults(there, Wanted(there.partitions, copies, there.days))]
        said = "; ".join(wrong) or f"{there.partitions} partitions"
        yield (
            bad(f"topic {name}", said, "deck topics check") if wrong else ok(f"topic {name}", said)
        )


def supervisor(settings: Settings) -> Iterator[Finding]:
    """Look at the supervisor, and what it keeps running."""
    keeper = Supervisor(settings.home)
    names = keeper.names()
    if not names:
        return
    if not keeper.up():
        said = f"down, and should keep {', '.join(names)} running"
        yield bad("supervisor", said, "deck restart --all")
        return
    try:
        states = keeper.states()
    except DeployError as error:
        yield bad("supervisor", str(error), "deck shutdown, then deck restart --all")
        return
    failed = [
        f"{name} {state.lower()}"
        for name, state in states.items()
        if state in _ENDED and not (state == "EXITED" and _may_end(name))
    ]
    said = ", ".join(failed) or f"keeps {len(states)} programs running"
    yield warn("supervisor", said, "deck logs NAME") if failed else ok("supervisor", said)


def _may_end(program: str) -> bool:
    """Tell whether a program ends by itself when all is done: what failed is told of its flow.

    Examples
    --------
    >>> [_may_end(name) for name in ("flow-cross", "replay-cross", "ingest-okx")]
    [True, True, False]

    """
    return program.startswith((FLOW, f"{REPLAY}-"))
