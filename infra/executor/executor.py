"""`deck executor`: an account's orders from the queue to its exchange, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Annotated

import typer

from connectors.account.keys import account_keys
from connectors.account.limits import AccountLimits
from connectors.blotter.rules import Rules
from connectors.executor.settings import ExecutorSettings
from infra import screen
from infra.executor.board import board
from infra.executor.executing import Executing, Post, Standing
from infra.executor.gauges import Heard, executor_gauges, notice
from infra.intake.watching import Watching
from infra.log.places import order_queue, place
from infra.metrics.gauges import Gauges
from infra.metrics.publishing import Port, published
from infra.notices.notify import Notifier
from infra.running import processes
from infra.running.problems import explained
from infra.screen import Misused, say, told
from infra.settings import Settings
from infra.trading.switches import Ground, check
from schemas import SECOND, Command, Report


class OnSilence(str, Enum):
    """What becomes of positions whose flow is silent."""

    HOLD = "hold"
    FLATTEN = "flatten"


class Margin(str, Enum):
    """How positions must be secured."""

    CROSS = "cross"
    ISOLATED = "isolated"


def executor(
    account: Annotated[str, typer.Option(help="Whose orders it takes.", show_default=False)],
    broker: Annotated[
        Ground,
        typer.Option(
            help="The exchange's test money, or real money, which wants TAPEDECK_LIVE, too."
        ),
    ] = Ground.SANDBOX,
    max_positions: Annotated[
        int | None, typer.Option(min=1, help="Positions at once.", show_default="no limit")
    ] = None,
    orders_a_minute: Annotated[
        int | None, typer.Option(min=1, help="Orders a minute.", show_default="no limit")
    ] = None,
    daily_loss: Annotated[
        str,
        typer.Option(
            metavar="AMOUNT",
            help="Enter nothing more when so much was lost since 0:00 UTC, in the quote currency.",
            show_default="no limit",
        ),
    ] = "",
    drawdown: Annotated[
        str,
        typer.Option(
            metavar="AMOUNT",
            help="Enter nothing more so far below the peak of what was made.",
            show_default="no limit",
        ),
    ] = "",
    exposure: Annotated[
        str,
        typer.Option(
            metavar="AMOUNT",
            help="What is held and asked for may be worth so much.",
            show_default="no limit",
        ),
    ] = "",
    silence: Annotated[
        float,
        typer.Option(
            min=2.0, help="A flow that is silent for so many seconds has its entries called off."
        ),
    ] = 10.0,
    on_silence: Annotated[
        OnSilence, typer.Option(help="What becomes of its positions then: their stops rest on.")
    ] = OnSilence.HOLD,
    leverage: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="What contracts must be set to at the exchange.",
            show_default="whatever it is",
        ),
    ] = None,
    margin: Annotated[
        Margin | None,
        typer.Option(help="How positions must be secured there.", show_default="however it is"),
    ] = None,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Log and queue are Kafka's, not the embedded ones.")
    ] = False,
    metrics_port: Port = None,
) -> None:
    """Take an account's orders from the queue to its exchange, until Ctrl-C.

    Then open entries are called off, and what is held keeps its stops.

    The same command goes on where it was, also after a crash: first it asks the exchange.
    """
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        check(broker.broker, account, settings)
        limits = AccountLimits(
            max_positions, orders_a_minute, _amount("--daily-loss", daily_loss),
            _amount("--drawdown", drawdown), _amount("--exposure", exposure),
        )  # fmt: skip
        rules = Rules(silence=round(silence * SECOND), on_silence=on_silence.value)
        chosen = ExecutorSettings(limits, rules, leverage, margin.value if margin else "")
        keys = account_keys(account, settings.home)
        log, queue = place(settings, kafka), order_queue(settings, kafka)
        log.appender().close()  # so that what is wrong with it is told before anything starts
        post = Post(keys, broker.broker, log, queue, chosen, settings)
        with (
            published(metrics_port, post.purse, "account", settings) as publish,
            closing(Notifier.from_environment(post.purse, settings)) as notifier,
        ):
            _work(post, publish, notifier)


def _work(post: Post, publish: Callable[[list[Gauges]], None], notifier: Notifier) -> None:
    def watch(at: list[Standing]) -> None:
        watching.show(board(post.purse, at[0]), at[0].troubles if terminal else [])
        publish([executor_gauges(at[0], heard), notifier.gauges()])

    def tell(line: str) -> None:
        say(line, "yellow")
        notifier.tell("executor", line)

    def hear(event: Report | Command) -> None:
        heard.note(event)
        if known := notice(event):
            notifier.tell(*known)

    terminal, heard = screen.screen.is_terminal, Heard()
    say(f"{post.purse} trades at {post.keys.exchange}; Ctrl-C stops it", "")
    with Watching() as watching:
        try:
            [end] = processes.alone(Executing(post, tell, hear), watch)
        except Exception as error:
            notifier.tell("died", f"it has ended: {error}")
            raise
    screen.out.print(board(post.purse, end))


def _amount(option: str, text: str) -> Decimal | None:
    """Return an amount of money, exactly as it was written."""
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and amount > 0):
        raise Misused(f"{option} {text}: give an amount above 0, such as 250")
    return amount
