"""Options that several commands take, with the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from infra.trading.switches import Broker

FlowFile: TypeAlias = Annotated[Path, typer.Argument(help="The flow file.", show_default=False)]
WhoFills: TypeAlias = Annotated[
    Broker,
    typer.Option(
        help="Who fills the orders: nobody but the log, an exchange's test money, or real money, "
        "which wants TAPEDECK_LIVE, too."
    ),
]
Account: TypeAlias = Annotated[
    str, typer.Option(help="Whose orders they are, but on paper.", show_default=False)
]
KafkaLog: TypeAlias = Annotated[
    bool, typer.Option("--from-kafka", help="Kafka, where KAFKA_BOOTSTRAP says.")
]
NoHistory: TypeAlias = Annotated[
    bool, typer.Option("--no-history", help="Do not keep anything in ClickHouse.")
]
Processes: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Processes that divide the markets among them.")
]
Events: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Write every derived event there, one JSON a line.", show_default=False),
]
